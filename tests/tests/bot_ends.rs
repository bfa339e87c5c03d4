//! How a conversation ends: by the customer's word or button, and by what Genesys' workflow tells.

use end_to_end::app_talk::{GREETING, QUIET, buttons};
use end_to_end::{Platform, Talk, view};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const ENDED: &str = "This conversation has ended. Write here whenever you need us again.";
const TRANSFERRED: &str = "You are being handed over to a colleague, who answers in this chat.";

/// The conversation of a talk, as Genesys has it.
async fn conversation(talk: &Talk<'_>) -> Value {
    let conversations = talk.platform.conversations().await;
    let mut conversations = conversations.into_iter();
    let found = conversations.find(|it| it["thread"] == talk.thread.as_str());
    found.expect("a conversation")
}

/// Purpose and state of all who take or took part.
async fn taking_part(talk: &Talk<'_>) -> Vec<String> {
    let participants = view::list(conversation(talk).await, "participants");
    let told = participants.iter().map(|one| {
        let [purpose, state] = ["purpose", "state"].map(|name| view::text(one, name));
        format!("{purpose} {state}")
    });
    told.collect()
}

/// Waits until everybody has left the conversation.
async fn over(talk: &Talk<'_>) {
    talk.platform
        .until("everybody to have left", async || {
            let all = taking_part(talk).await;
            all.iter()
                .all(|it| it.ends_with(" disconnected"))
                .then_some(())
        })
        .await;
}

/// Genesys' workflow calls, with this secret; the status of the answer.
async fn workflow_calls(talk: &Talk<'_>, call: &Value, secret: Option<&str>) -> u16 {
    talk.platform
        .send_with(
            "/api/genesys/conversation-ended",
            secret.map(|it| ("x-bridge-secret", it)),
            call.to_string(),
        )
        .await
        .0
}

async fn secret(platform: &Platform) -> String {
    let shown = platform
        .get("/local/key-vault/secrets/genesys-ended-secret")
        .await;
    view::text(&shown, "value").to_owned()
}

/// What the workflow tells of the end of a talk's conversation.
async fn told(talk: &Talk<'_>, session: &str, how: &str) -> Value {
    let id = view::text(&conversation(talk).await, "id").to_owned();
    json!({ "conversationId": id, "sessionId": session, "disconnectType": how,
        "addressFrom": talk.thread, "addressTo": "" })
}

/// The agent has answered, so that the bridge knows the conversation.
async fn answered<'a>(talk: Talk<'a>) -> Talk<'a> {
    talk.agent_writes("Good morning").await;
    talk.sees(&["Good morning"]).await;
    talk
}

#[tokio::test]
async fn a_word_ends_the_conversation_once_and_the_next_message_goes_on() {
    let platform = Platform::shared_with(QUIET).await;
    let through_app = Talk::app_begun(&platform, "Anna").await;
    let in_chat = Talk::begun(&platform, "Ben").await;
    for talk in [answered(through_app).await, answered(in_chat).await] {
        talk.writes("the end?").await;
        talk.writes("End!").await;
        over(&talk).await;
        talk.sees(&["Good morning", ENDED]).await;
        // The agent has read it too.
        talk.agent_sees(&["hello", "the end?", "End!"]).await;
        // What Genesys then tells of the same end is no news, however often it does.
        let (told, secret) = (told(&talk, "s", "CLIENT").await, secret(&platform).await);
        for _ in 0..2 {
            assert_eq!(workflow_calls(&talk, &told, Some(&secret)).await, 200);
        }
        platform.until_idle().await;
        talk.sees(&["Good morning", ENDED]).await;

        talk.writes("One more thing").await;
        talk.until_inbound(4).await;
        assert_eq!(
            taking_part(&talk).await.last().map(String::as_str),
            Some("customer connected")
        );
        talk.agent_writes("Go on").await;
        talk.sees(&["Good morning", ENDED, "Go on"]).await;
        // And that ends as well.
        talk.writes("end").await;
        over(&talk).await;
        talk.sees(&["Good morning", ENDED, "Go on", ENDED]).await;
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn the_greetings_button_ends_the_conversation_without_a_word_to_the_agent() {
    let platform = Platform::start(&[]).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    anna.agent_writes("Good morning").await;
    anna.sees(&[GREETING, "Good morning"]).await;
    let greeting = &anna.posts().await[0];
    assert_eq!(buttons(greeting, "Action.Submit"), ["End conversation"]);
    for _ in 0..2 {
        anna.presses(greeting, "End conversation", json!({})).await;
    }
    over(&anna).await;
    anna.sees(&[GREETING, "Good morning", ENDED]).await;
    platform.until_idle().await;
    anna.agent_sees(&["hello"]).await;
    anna.sees(&[GREETING, "Good morning", ENDED]).await;
    // It can be pressed again when there is something to end again.
    anna.writes("One more thing").await;
    anna.agent_sees(&["hello", "One more thing"]).await;
    anna.presses(greeting, "End conversation", json!({})).await;
    over(&anna).await;
    anna.sees(&[GREETING, "Good morning", ENDED, ENDED]).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_word_in_a_group_or_before_anybody_answered_ends_nothing() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    anna.writes("end").await;
    anna.agent_sees(&["hello", "end"]).await;
    let group = Talk::group(&platform, "Ben").through_app();
    group.installs().await;
    let mention = json!({ "mention": true });
    group.says("hello", mention.clone()).await;
    group.until_inbound(1).await;
    group.agent_writes("Good morning").await;
    group.sees(&["Good morning"]).await;
    group.says("end", mention).await;
    group.until_inbound(2).await;
    platform.until_idle().await;
    for talk in [&anna, &group] {
        let customer = &taking_part(talk).await[0];
        assert_eq!(customer, "customer connected");
    }
    anna.sees(&[]).await;
    group.sees(&["Good morning"]).await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn an_end_is_made_good_after_an_outage() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = answered(Talk::app_begun(&platform, "Anna").await).await;
    let id = view::text(&conversation(&anna).await, "id").to_owned();
    // The customer is taken out, and nobody hears of it; then Genesys is away for a moment.
    let of = |more: Value| {
        let all = json!({ "service": "genesys", "path": format!("messages/{id}/participants"), "times": 1 });
        end_to_end::with(all, more)
    };
    let [lost, away] = [json!({ "drop": "after" }), json!({ "status": 503 })].map(of);
    // And so is the connector, when the customer is to be told.
    let refused =
        json!({ "service": "bot", "method": "POST", "path": anna.chat, "times": 2, "status": 502 });
    let rules = [lost, away, refused];
    platform
        .post("/local/faults", json!({ "rules": rules }))
        .await;
    anna.writes("end").await;
    over(&anna).await;
    anna.sees(&["Good morning", ENDED]).await;
    platform.until_idle().await;
    anna.sees(&["Good morning", ENDED]).await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_workflow_that_presents_the_secret_has_the_customer_told_once() {
    let platform = Platform::shared_with(QUIET).await;
    let through_app = answered(Talk::app_begun(&platform, "Anna").await).await;
    let in_chat = answered(Talk::begun(&platform, "Ben").await).await;
    let secret = secret(&platform).await;
    for talk in [through_app, in_chat] {
        let session = Uuid::new_v4().to_string();
        let end = told(&talk, &session, "PEER").await;
        for wrong in [None, Some(""), Some("another"), Some(&secret[1..])] {
            assert_eq!(workflow_calls(&talk, &end, wrong).await, 401);
        }
        platform.until_idle().await;
        talk.sees(&["Good morning"]).await;
        for _ in 0..2 {
            assert_eq!(workflow_calls(&talk, &end, Some(&secret)).await, 200);
        }
        talk.sees(&["Good morning", ENDED]).await;
        // The end of the agent's own session, which is told as well, is no second end.
        let agents = told(&talk, &Uuid::new_v4().to_string(), "ENDPOINT").await;
        assert_eq!(workflow_calls(&talk, &agents, Some(&secret)).await, 200);
        platform.until_idle().await;
        talk.sees(&["Good morning", ENDED]).await;
        let strange = json!({ "conversationId": Uuid::new_v4(), "addressFrom": "+4930123", "addressTo": "x" });
        assert_eq!(workflow_calls(&talk, &strange, Some(&secret)).await, 200);
        talk.writes("again").await;
        talk.agent_sees(&["hello", "again"]).await;
        talk.agent_writes("Welcome back").await;
        talk.sees(&["Good morning", ENDED, "Welcome back"]).await;
        let next = told(&talk, &Uuid::new_v4().to_string(), "TIMEOUT").await;
        assert_eq!(workflow_calls(&talk, &next, Some(&secret)).await, 200);
        talk.sees(&["Good morning", ENDED, "Welcome back", ENDED])
            .await;
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_transfer_is_told_where_that_is_wanted_and_is_no_end() {
    let platform =
        Platform::start(&["--set=BOT_GREETING=off", "--set=TRANSFER_NOTICE=standard"]).await;
    let anna = answered(Talk::app_begun(&platform, "Anna").await).await;
    let secret = secret(&platform).await;
    let transfer = told(&anna, "a session", "CONSULT_TRANSFER").await;
    for _ in 0..2 {
        assert_eq!(workflow_calls(&anna, &transfer, Some(&secret)).await, 200);
    }
    anna.sees(&["Good morning", TRANSFERRED]).await;
    let end = told(&anna, "another session", "PEER").await;
    assert_eq!(workflow_calls(&anna, &end, Some(&secret)).await, 200);
    anna.sees(&["Good morning", TRANSFERRED, ENDED]).await;
    platform.until_idle().await;
    anna.sees(&["Good morning", TRANSFERRED, ENDED]).await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn without_the_right_a_wish_to_end_is_told_to_whoever_reads_the_log() {
    let platform = Platform::start(QUIET).await;
    let anna = answered(Talk::app_begun(&platform, "Anna").await).await;
    let path = "/local/genesys/clients";
    let body = json!({ "let_customers_end": false });
    platform.call(Method::PUT, path, Some(&body)).await;
    anna.writes("end").await;
    anna.agent_sees(&["hello", "end"]).await;
    let event = "conversation_not_ended";
    platform.until_logged("event", event, 1).await;
    anna.writes("still here").await;
    anna.agent_sees(&["hello", "end", "still here"]).await;
    assert_eq!(taking_part(&anna).await[0], "customer connected");
}
