//! Nobody sees a message twice: repeated notifications and webhooks, our own echo, lost answers, crashes between.

use end_to_end::platform::SHORT_POSTS;
use end_to_end::{Chat, Customer, Platform, view};
use serde_json::{Value, json};

/// A platform with one conversation of one message.
struct Talk {
    platform: Platform,
    anna: Customer,
    chat: Chat,
    thread: String,
}

impl Talk {
    /// On the platform that others use too.
    async fn start() -> Self {
        Self::on(Platform::shared_with(SHORT_POSTS).await).await
    }

    /// On a platform of its own, whose handler may be killed.
    async fn alone() -> Self {
        Self::on(Platform::start(SHORT_POSTS).await).await
    }

    async fn on(platform: Platform) -> Self {
        let anna = Customer::new("Anna");
        let chat = Chat::one_on_one(&anna);
        let thread = platform.thread_of(&anna);
        platform.customer_writes(&chat, &anna, "hello").await;
        platform.until_agent_sees(&thread, &["hello"]).await;
        Self {
            platform,
            anna,
            chat,
            thread,
        }
    }

    async fn posts(&self) -> Vec<String> {
        self.platform.posts(&self.chat).await
    }

    /// Everything has settled and these are the agent's messages that the customer sees.
    async fn ends_with(&self, posts: &[&str]) {
        self.platform.until_customer_sees(&self.chat, posts).await;
        self.platform.until_idle().await;
        assert_eq!(self.posts().await, posts);
        assert_eq!(self.platform.failed().await, Vec::<Value>::new());
    }
}

#[tokio::test]
async fn a_repeated_notification_is_bridged_once() {
    let talk = Talk::start().await;
    talk.platform
        .faults(json!([{ "service": "graph-notification", "body": talk.chat.id, "duplicate": 2 }]))
        .await;
    talk.platform
        .customer_writes(&talk.chat, &talk.anna, "twice told")
        .await;
    talk.platform
        .customer_writes(&talk.chat, &talk.anna, "the next")
        .await;
    talk.platform
        .until_agent_sees(&talk.thread, &["hello", "twice told", "the next"])
        .await;
    talk.platform.until_idle().await;
    talk.platform
        .until_agent_sees(&talk.thread, &["hello", "twice told", "the next"])
        .await;
}

#[tokio::test]
async fn a_notification_whose_answer_was_lost_is_bridged_once() {
    let talk = Talk::start().await;
    talk.platform
        .faults(json!([{ "service": "graph-notification", "body": talk.chat.id, "drop": "after" }]))
        .await;
    talk.platform
        .customer_writes(&talk.chat, &talk.anna, "again")
        .await;
    talk.platform
        .until_agent_sees(&talk.thread, &["hello", "again"])
        .await;
    talk.platform.faults(json!([])).await;
    talk.platform
        .customer_writes(&talk.chat, &talk.anna, "last")
        .await;
    talk.platform
        .until_agent_sees(&talk.thread, &["hello", "again", "last"])
        .await;
}

#[tokio::test]
async fn our_own_messages_never_come_back_to_the_agent() {
    let talk = Talk::start().await;
    // The simulated Graph notifies of every second post before it answers the post.
    let texts = ["one", "two", "three", "four"];
    for text in texts {
        talk.platform.agent_writes(&talk.thread, text).await;
    }
    talk.ends_with(&texts).await;
    let echoes = talk
        .platform
        .until("all echoes", async || {
            let logs = talk.platform.logs().await;
            let echoes = logs
                .iter()
                .filter(|line| line["reason"] == "our own message")
                .count();
            (echoes >= texts.len()).then_some(echoes)
        })
        .await;
    assert_eq!(echoes, texts.len());
    talk.platform
        .until_agent_sees(&talk.thread, &["hello"])
        .await;
}

#[tokio::test]
async fn a_retried_webhook_is_posted_once_with_one_receipt() {
    let talk = Talk::start().await;
    talk.platform
        .faults(json!([{ "service": "genesys-webhook", "body": talk.thread, "duplicate": 2 }]))
        .await;
    let answer = talk.platform.agent_writes(&talk.thread, "only once").await;
    talk.ends_with(&["only once"]).await;
    assert_eq!(talk.platform.until_receipt(&answer).await, ["Delivered"]);
}

#[tokio::test]
async fn a_post_whose_answer_is_lost_is_recognised() {
    let talk = Talk::start().await;
    talk.platform
        .faults(json!([{ "service": "graph", "method": "POST", "path": talk.chat.id, "drop": "after" }]))
        .await;
    let answer = talk
        .platform
        .agent_writes(&talk.thread, "did <you> get \"this\"?")
        .await;
    talk.platform
        .until_customer_sees(&talk.chat, &["did <you> get \"this\"?"])
        .await;
    talk.platform.faults(json!([])).await;
    assert_eq!(talk.platform.until_receipt(&answer).await, ["Delivered"]);
    talk.ends_with(&["did <you> get \"this\"?"]).await;
}

#[tokio::test]
async fn the_agent_says_ok_twice_with_a_crash_after_the_second_post() {
    let talk = Talk::alone().await;
    let first = talk.platform.agent_writes(&talk.thread, "ok").await;
    talk.platform.until_receipt(&first).await;
    talk.platform
        .faults(json!([{ "service": "graph", "method": "POST", "path": talk.chat.id, "drop": "after" }]))
        .await;
    let second = talk.platform.agent_writes(&talk.thread, "ok").await;
    talk.platform
        .until_customer_sees(&talk.chat, &["ok", "ok"])
        .await;
    talk.platform.post("/local/handler/kill", json!({})).await;
    talk.platform.faults(json!([])).await;
    assert_eq!(talk.platform.until_receipt(&second).await, ["Delivered"]);
    talk.ends_with(&["ok", "ok"]).await;
}

#[tokio::test]
async fn the_agent_says_ok_twice_with_a_crash_before_the_second_post() {
    let talk = Talk::alone().await;
    let first = talk.platform.agent_writes(&talk.thread, "ok").await;
    talk.platform.until_receipt(&first).await;
    talk.platform
        .faults(json!([{ "service": "graph", "method": "POST", "path": talk.chat.id, "drop": "before" }]))
        .await;
    let second = talk.platform.agent_writes(&talk.thread, "ok").await;
    talk.platform
        .until("a failed attempt", async || {
            let logs = talk.platform.logs().await;
            logs.iter()
                .any(|line| line["event"] == "attempt_failed")
                .then_some(())
        })
        .await;
    talk.platform.post("/local/handler/kill", json!({})).await;
    talk.platform.faults(json!([])).await;
    assert_eq!(talk.platform.until_receipt(&second).await, ["Delivered"]);
    talk.ends_with(&["ok", "ok"]).await;
}

#[tokio::test]
async fn a_genesys_answer_that_is_lost_repeats_the_message_with_the_same_id_at_most() {
    let talk = Talk::start().await;
    talk.platform
        .faults(json!([{ "service": "genesys", "path": "inbound/open/message", "body": talk.thread, "drop": "after" }]))
        .await;
    let message = talk
        .platform
        .customer_writes(&talk.chat, &talk.anna, "lost answer")
        .await;
    talk.platform
        .until("the message at Genesys", async || {
            view::all_inbound(&talk.platform.conversations().await)
                .contains(&"lost answer".to_owned())
                .then_some(())
        })
        .await;
    talk.platform.faults(json!([])).await;
    talk.platform.until_idle().await;
    let conversations = talk.platform.conversations().await;
    let copies: Vec<&Value> = view::of_thread(&conversations, &talk.thread)
        .into_iter()
        .flat_map(view::messages)
        .filter(|entry| entry["text"] == "lost answer")
        .collect();
    assert!(
        copies
            .iter()
            .all(|copy| copy["channel_message_id"] == message.as_str()),
        "{copies:#?}"
    );
    assert_eq!(talk.platform.failed().await, Vec::<Value>::new());
}
