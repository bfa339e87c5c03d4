//! Nobody sees a message twice: repeated notifications and webhooks, our own echo, lost answers, crashes between.

use end_to_end::platform::{IMPATIENT, TALKATIVE};
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};

/// Everything has settled and these are the agent's messages that the customer sees.
async fn ends(talk: &Talk<'_>, posts: &[&str]) {
    talk.sees(posts).await;
    talk.platform.until_idle().await;
    assert_eq!(talk.seen().await, posts);
    talk.platform.assert_nothing_failed().await;
}

/// Strikes what Graph is asked to post into this chat.
fn posts_into(talk: &Talk<'_>, drop: &str) -> Value {
    json!([{ "service": "graph", "method": "POST", "path": talk.chat, "drop": drop }])
}

#[tokio::test]
async fn a_repeated_notification_is_bridged_once() {
    let platform = Platform::shared_with(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let of_anna = json!({ "service": "graph-notification", "body": anna.chat });
    let twice = json!({ "duplicate": 2 });
    platform
        .faults(json!([end_to_end::with(of_anna.clone(), twice)]))
        .await;
    anna.writes("twice told").await;
    anna.agent_sees(&["hello", "twice told"]).await;
    let unanswered = json!({ "drop": "after" });
    platform
        .faults(json!([end_to_end::with(of_anna, unanswered)]))
        .await;
    anna.writes("again").await;
    anna.agent_sees(&["hello", "twice told", "again"]).await;
    platform.faults(json!([])).await;
    anna.writes("last").await;
    let all = ["hello", "twice told", "again", "last"];
    anna.agent_sees(&all).await;
    platform.until_idle().await;
    anna.agent_sees(&all).await;
}

#[tokio::test]
async fn our_own_messages_never_come_back_to_the_agent() {
    let platform = Platform::shared_with(TALKATIVE).await;
    let anna = Talk::begun(&platform, "Anna").await;
    // The simulated Graph notifies of every second post before it answers the post.
    let texts = ["one", "two", "three", "four"];
    for text in texts {
        anna.agent_writes(text).await;
    }
    ends(&anna, &texts).await;
    let echoes = platform.until_logged("reason", "our own message", 4).await;
    assert_eq!(echoes.len(), texts.len());
    anna.agent_sees(&["hello"]).await;
}

#[tokio::test]
async fn a_retried_webhook_is_posted_once_with_one_receipt() {
    let platform = Platform::shared_with(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let twice = json!({ "service": "genesys-webhook", "body": anna.thread, "duplicate": 2 });
    platform.faults(json!([twice])).await;
    let answer = anna.agent_writes("only once").await;
    ends(&anna, &["only once"]).await;
    assert_eq!(platform.until_receipt(&answer).await, ["Delivered"]);
}

#[tokio::test]
async fn a_post_whose_answer_is_lost_is_recognised() {
    let platform = Platform::shared_with(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    platform.faults(posts_into(&anna, "after")).await;
    let text = "did <you> get \"this\"?";
    let answer = anna.agent_writes(text).await;
    anna.sees(&[text]).await;
    platform.faults(json!([])).await;
    assert_eq!(platform.until_receipt(&answer).await, ["Delivered"]);
    ends(&anna, &[text]).await;
}

#[tokio::test]
async fn the_agent_says_ok_again_and_again_with_crashes_after_and_before_the_post() {
    let platform = Platform::start(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let first = anna.agent_writes("ok").await;
    platform.until_receipt(&first).await;
    platform.faults(posts_into(&anna, "after")).await;
    let second = anna.agent_writes("ok").await;
    anna.sees(&["ok", "ok"]).await;
    platform.kill_handler().await;
    platform.faults(json!([])).await;
    assert_eq!(platform.until_receipt(&second).await, ["Delivered"]);
    ends(&anna, &["ok", "ok"]).await;

    let failed = platform.logs().await;
    let failed = failed
        .iter()
        .filter(|line| line["event"] == "attempt_failed");
    platform.faults(posts_into(&anna, "before")).await;
    let third = anna.agent_writes("ok").await;
    platform
        .until_logged("event", "attempt_failed", failed.count() + 1)
        .await;
    platform.kill_handler().await;
    platform.faults(json!([])).await;
    assert_eq!(platform.until_receipt(&third).await, ["Delivered"]);
    ends(&anna, &["ok", "ok", "ok"]).await;
}

#[tokio::test]
async fn a_genesys_answer_that_is_lost_repeats_the_message_with_the_same_id_at_most() {
    let platform = Platform::shared_with(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let lost = json!({ "service": "genesys", "path": "inbound/open/message", "body": anna.thread, "drop": "after" });
    platform.faults(json!([lost])).await;
    let message = anna.writes("lost answer").await;
    anna.until_inbound(2).await;
    platform.faults(json!([])).await;
    platform.until_idle().await;
    for copy in &anna.inbound().await[1..] {
        assert_eq!(copy["text"], "lost answer");
        assert_eq!(view::text(copy, "channel_message_id"), message);
    }
    platform.assert_nothing_failed().await;
}
