//! Answers to an agent's question, by the buttons of its card and in words, with all outside services in memory.

use serde_json::{Value, json};
use services::testing::{Reply, World};
use time::OffsetDateTime;

use super::bot::begun;
use crate::testing::bot::{BotScene, TENANT};
use crate::testing::{agents_message, webhook};

fn quick_replies() -> Value {
    let reply = |text: &str| json!({"contentType": "QuickReply", "quickReply": {"text": text, "payload": format!("payload of {text}"), "action": "Message"}});
    json!({"type": "Structured", "text": "What is it about?", "content": [reply("My order"), reply("My invoice")]})
}

#[tokio::test]
async fn a_press_answers_its_question_whatever_was_said_since() {
    let scene = begun(&[]).await;
    scene.agent_writes("g-1", quick_replies()).await;
    scene
        .agent_writes("g-2", json!({"text": "Take your time."}))
        .await;
    let card = scene.state("outbound")["posts"]["g-1"]["teams"][0].clone();
    let press = json!({"id": "2", "replyToId": card, "value": {"bridge": {"question": "g-1", "choice": 1, "text": "forged"}}});
    scene.told(press.clone()).await;
    let told = scene.at_genesys();
    let (kind, body) = told.last().expect("an answer");
    assert_eq!(kind, "structured/response");
    assert_eq!(body["originatingMessageId"], "g-1");
    assert_eq!(
        body["buttonResponse"],
        json!({"type": "QuickReply", "text": "My invoice", "payload": "payload of My invoice"})
    );
    let updates = scene.by_bot("PUT");
    assert_eq!(updates.len(), 1);
    assert!(
        updates[0]
            .target
            .ends_with(&format!("/activities/{}", card.as_str().expect("an id")))
    );
    let shown = updates[0].json().to_string();
    assert!(
        shown.contains("My invoice") && !shown.contains("Action.Submit"),
        "{shown}"
    );
    scene.told(press).await;
    assert_eq!(
        (scene.at_genesys().len(), scene.by_bot("PUT").len()),
        (told.len(), 1)
    );
}

#[tokio::test]
async fn a_press_answers_no_other_question_that_its_words_would_fit() {
    let scene = begun(&[]).await;
    scene.agent_writes("g-1", quick_replies()).await;
    let card = scene.state("outbound")["posts"]["g-1"]["teams"][0].clone();
    scene.agent_writes("g-2", quick_replies()).await;
    let press = |question: &str| json!({"replyToId": card, "value": {"bridge": {"question": question, "choice": 0, "text": "My order"}}});
    for (id, question) in [("2", "g-1"), ("3", "forgotten")] {
        let mut press = press(question);
        press["id"] = json!(id);
        scene.told(press).await;
    }
    let told = scene.at_genesys();
    let answers: Vec<&Value> = told
        .iter()
        .filter(|(kind, _)| kind == "structured/response")
        .map(|(_, body)| &body["originatingMessageId"])
        .collect();
    assert_eq!(answers, ["g-1"]);
    assert_eq!(scene.texts().last().map(String::as_str), Some("My order"));
}

/// What Genesys took as answers: the question and the choice.
fn answers(scene: &BotScene) -> Vec<(String, String)> {
    let told = scene.at_genesys().into_iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    told.filter(|(kind, _)| kind == "structured/response")
        .map(|(_, body)| {
            let choice = &body["buttonResponse"]["text"];
            (text(&body["originatingMessageId"]), text(choice))
        })
        .collect()
}

#[tokio::test]
async fn a_question_is_answered_once_by_a_button_or_by_words() {
    let scene = begun(&[]).await;
    scene.agent_writes("g-1", quick_replies()).await;
    let card = scene.state("outbound")["posts"]["g-1"]["teams"][0].clone();
    let press = async |id: &str, question: &str, choice: usize| {
        let value = json!({"bridge": {"question": question, "choice": choice, "text": "x"}});
        let press = json!({"id": id, "replyToId": card, "value": value});
        scene.told(press).await;
    };
    scene.agent_writes("g-2", quick_replies()).await;
    scene.customer_writes("2", "2").await;
    // The older question waits still; then neither does, and a number is one.
    for (id, question) in [("3", "g-1"), ("4", "g-1"), ("5", "g-2"), ("6", "g-1")] {
        press(id, question, 0).await;
    }
    scene.customer_writes("7", "1").await;
    let answer = |question: &str, choice: &str| (question.to_owned(), choice.to_owned());
    assert_eq!(
        answers(&scene),
        [answer("g-2", "My invoice"), answer("g-1", "My order")]
    );
    assert_eq!(scene.texts(), ["hello", "1"]);
    assert!(scene.failed().is_empty());
}

#[tokio::test]
async fn a_press_in_a_group_needs_no_mention() {
    let scene = BotScene::start(&[]).await;
    let group = json!({"conversationType": "groupChat", "isGroup": true, "tenantId": TENANT, "id": "19:253b@thread.v2"});
    let mention = json!({"type": "mention", "text": "<at>Support</at>", "mentioned": {"id": format!("28:{}", World::BOT)}});
    scene
        .told(json!({"id": "1", "text": "<at>Support</at> help", "conversation": group, "entities": [mention]}))
        .await;
    let thread = scene.at_genesys()[0].1["channel"]["from"]["id"].clone();
    let mut question = agents_message("g-1", OffsetDateTime::now_utc(), quick_replies());
    question["channel"]["to"]["id"] = thread;
    let taken = webhook(&scene.app, question.to_string(), World::WEBHOOK_SECRET).await;
    assert_eq!(taken, http::StatusCode::OK);
    scene.settle().await;
    let chat: bridge::ids::ChatId = "19:253b@thread.v2".parse().expect("an id");
    let state = format!("chats/{}/outbound.json", chat.digest());
    let state = scene.world.blob("state", &state).expect("a state");
    let state: Value = serde_json::from_slice(&state).expect("JSON");
    let value = json!({"bridge": {"question": "g-1", "choice": 1, "text": "x"}});
    let card = &state["posts"]["g-1"]["teams"][0];
    scene
        .told(json!({"id": "2", "replyToId": card, "value": value, "conversation": group}))
        .await;
    assert_eq!(
        answers(&scene),
        [("g-1".to_owned(), "My invoice".to_owned())]
    );
    assert_eq!(scene.by_bot("PUT").len(), 1, "the card has no buttons now");
}

#[tokio::test]
async fn a_card_that_cannot_be_changed_keeps_nothing_back() {
    let scene = begun(&[]).await;
    scene
        .world
        .answer("PUT", "/activities/", Reply::new(404, ""));
    scene.agent_writes("g-1", quick_replies()).await;
    let card = scene.state("outbound")["posts"]["g-1"]["teams"][0].clone();
    let press = json!({"id": "2", "replyToId": card, "value": {"bridge": {"question": "g-1", "choice": 0, "text": "x"}}});
    scene.told(press).await;
    scene.agent_writes("g-2", json!({"text": "thanks"})).await;
    assert_eq!(scene.posted().last().expect("a post")["text"], "thanks");
}

#[tokio::test]
async fn a_press_of_a_card_that_is_not_known_goes_as_its_words() {
    let scene = begun(&[]).await;
    let press = json!({"id": "2", "replyToId": "9", "value": {"bridge": {"question": "g-9", "choice": 0, "text": "My order"}}});
    scene.told(press).await;
    assert_eq!(scene.texts(), ["hello", "My order"]);
    assert!(scene.by_bot("PUT").is_empty());
}

#[tokio::test]
async fn the_words_of_a_choice_can_be_typed_as_well() {
    let scene = begun(&[]).await;
    scene.agent_writes("g-1", quick_replies()).await;
    scene.customer_writes("2", "my invoice").await;
    let told = scene.at_genesys();
    let (kind, body) = told.last().expect("an answer");
    assert_eq!(
        (kind.as_str(), &body["buttonResponse"]["text"]),
        ("structured/response", &json!("My invoice"))
    );
    let shown = scene.by_bot("PUT")[0].json().to_string();
    assert!(
        shown.contains("My invoice") && !shown.contains("Action.Submit"),
        "{shown}"
    );
}
