//! Questions as cards of the bot: their buttons, lists of choices, and cards that are none of ours.

use end_to_end::app_talk::{QUIET, buttons, card_of, said};
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};

/// The agent asks with these answers; the question's id once it was delivered, and its card.
async fn ask(talk: &Talk<'_>, answers: &[&str]) -> (String, Value) {
    let question = talk.agent_asks(answers).await;
    (question, talk.until_card().await)
}

/// Waits until the card shows no button; the post as it is then.
async fn disabled(talk: &Talk<'_>, card: &Value) -> Value {
    talk.platform
        .until("a card without buttons", async || {
            let posts = talk.posts().await;
            let now = posts.into_iter().find(|post| post["id"] == card["id"])?;
            buttons(&now, "Action.Submit").is_empty().then_some(now)
        })
        .await
}

#[tokio::test]
async fn a_press_answers_its_question_whatever_was_said_since() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let (question, card) = ask(&anna, &["My order", "My invoice"]).await;
    assert_eq!(buttons(&card, "Action.Submit"), ["My order", "My invoice"]);
    assert_eq!(said(&card), "What is it about?");
    anna.agent_writes("Take your time").await;
    anna.says("One moment", json!({})).await;
    anna.sees(&["What is it about?", "Take your time"]).await;
    anna.agent_sees(&["hello", "One moment"]).await;

    anna.presses(&card, "My invoice", json!({})).await;
    let messages = anna.until_inbound(3).await;
    let button = &messages[2]["button"];
    assert_eq!(button["type"], "QuickReply");
    assert_eq!(button["text"], "My invoice");
    assert_eq!(button["payload"], "payload of My invoice");
    assert_eq!(button["originating"], question.as_str());
    let used = disabled(&anna, &card).await;
    assert_eq!(said(&used), "What is it about?\n✓ My invoice");
    // Nothing else was posted for it.
    platform.until_idle().await;
    assert_eq!(anna.posts().await.len(), 2);
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn many_choices_are_a_list() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let answers: Vec<String> = (1..=9).map(|day| format!("Day {day}")).collect();
    let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
    let (question, card) = ask(&anna, &answers).await;
    let titles = buttons(&card, "Action.Submit");
    assert_eq!(titles.len(), 1, "{titles:?}");
    let body = &card_of(&card).expect("a card")["body"];
    let list = body.as_array().expect("a list").iter();
    let list = list.clone().find(|it| it["type"] == "Input.ChoiceSet");
    let list = list.expect("a list of choices");
    let choices = list["choices"].as_array().expect("choices");
    assert_eq!(choices.len(), answers.len());
    assert_eq!(choices[6]["title"], "Day 7");

    // Whoever has chosen nothing is not taken to have answered.
    anna.presses(&card, &titles[0], json!({})).await;
    let chosen = json!({ view::text(list, "id"): choices[6]["value"] });
    anna.presses(&card, &titles[0], chosen).await;
    let answered = platform
        .until("an answer", async || {
            let mut all = anna.inbound().await.into_iter();
            all.find(|it| !it["button"].is_null())
        })
        .await;
    assert_eq!(answered["button"]["text"], "Day 7");
    assert_eq!(answered["button"]["originating"], question.as_str());
    disabled(&anna, &card).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn what_is_entered_into_anothers_card_is_words() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let (question, card) = ask(&anna, &["Yes", "No"]).await;
    let press =
        |id: &str, value: Value| json!({ "id": id, "value": value, "replyToId": "1767323045000" });
    let other = press("1767323045678", json!({ "reason": "late", "stars": "2" }));
    assert_eq!(anna.delivers(other, "good").await, 200);
    let messages = anna.until_inbound(2).await;
    assert_eq!(messages[1]["text"], "reason: late\nstars: 2");
    // Of a question that was never asked only the words on the button are known.
    let bridge =
        json!({ "question": "0f0e0d0c000040008000000000000000", "choice": 0, "text": "Perhaps" });
    let unknown = press("1767323045679", json!({ "bridge": bridge }));
    assert_eq!(anna.delivers(unknown, "good").await, 200);
    let messages = anna.until_inbound(3).await;
    assert_eq!(messages[2]["text"], "Perhaps");
    // Nor is there a choice that the question does not have.
    let bridge = json!({ "question": question, "choice": 7, "text": "Seven" });
    let beyond = press("1767323045680", json!({ "bridge": bridge }));
    assert_eq!(anna.delivers(beyond, "good").await, 200);
    let messages = anna.until_inbound(4).await;
    assert_eq!(messages[3]["text"], "Seven");
    assert!(messages.iter().all(|it| it["button"].is_null()));
    platform.until_idle().await;
    let now = anna.posts().await;
    assert_eq!(now[0], card, "the card still asks");
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn an_answer_that_genesys_refuses_goes_as_text() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let (_, card) = ask(&anna, &["Yes", "No"]).await;
    let refused = json!({ "service": "genesys", "path": "structured/response", "body": anna.thread, "status": 404 });
    platform.faults(json!([refused])).await;
    anna.presses(&card, "No", json!({})).await;
    anna.agent_sees(&["hello", "No"]).await;
    platform.faults(json!([])).await;
    platform.assert_nothing_failed().await;
}
