//! Two processes that hold one lane, and what an attempt leaves half done.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use services::testing::Reply;
use time::macros::datetime;

use super::scene::{Scene, chat_digest, time_text};
use crate::testing::{ANNA, ANNAS_CHAT};

/// Words for several parts.
fn long_text() -> String {
    "many words ".repeat(60)
}

fn ids(told: &[Value]) -> Vec<&str> {
    told.iter()
        .filter_map(|told| told["channel"]["messageId"].as_str())
        .collect()
}

#[tokio::test]
async fn two_processes_that_hold_a_lane_post_each_part_once() {
    let one = Scene::start(&[("GENESYS_TEXT_LIMIT", "200")]).await;
    let two = one.another_process();
    for number in 1..=2 {
        let message = one.message(&number.to_string(), ANNA, &long_text());
        tokio::join!(one.created(&message), two.created(&message));
    }
    let expected = ["1", "1-2", "1-3", "1-4", "2", "2-2", "2-3", "2-4"];
    assert_eq!(ids(&one.told()), expected);
}

#[tokio::test]
async fn a_note_that_cannot_be_written_does_not_post_again() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    // The write before the post succeeds, the one after it does not.
    let mut writes = 0;
    scene.world.answer_with("PUT", "inbound.json", move |_| {
        writes += 1;
        (writes == 2).then(|| Reply::new(503, ""))
    });
    scene.customer_writes("2", "again").await;
    assert_eq!(scene.texts(), ["hello", "again"]);
}

#[tokio::test]
async fn a_state_that_cannot_be_written_shows_before_the_post() {
    let scene = Scene::start(&[]).await;
    scene.customer_writes("1", "hello").await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let (writes, posts) = (Arc::clone(&order), Arc::clone(&order));
    scene.world.answer_with("PUT", "inbound.json", move |_| {
        let mut order = writes.lock().expect("a lock");
        order.push("write");
        (order.len() <= 3).then(|| Reply::new(503, ""))
    });
    scene.world.answer_with("POST", "/open/message", move |_| {
        posts.lock().expect("a lock").push("post");
        None
    });
    scene.customer_writes("2", "again").await;
    let order = order.lock().expect("a lock");
    assert_eq!(
        *order,
        ["write", "write", "write", "write", "post", "write"]
    );
}

#[tokio::test]
async fn a_message_that_is_half_delivered_for_days_goes_on() {
    let scene = Scene::start(&[("GENESYS_TEXT_LIMIT", "200")]).await;
    let long_ago = time_text(datetime!(2026-01-02 03:04:05 UTC));
    let name = format!("chats/{}/inbound.json", chat_digest());
    let state = json!({
        "version": 1, "chat": ANNAS_CHAT, "account": "support",
        "handled": {"1": {"at": long_ago, "genesys": ["g1", "g2"], "complete": false}},
    });
    scene.world.put_blob("state", &name, state.to_string());
    // Another message is noted meanwhile, which is when what is too old is forgotten.
    scene.customer_writes("2", "short").await;
    let mut half = scene.message("1", ANNA, &long_text());
    half["createdDateTime"] = json!(long_ago);
    scene.created(&half).await;
    let told = scene.told();
    assert_eq!(ids(&told), ["2", "1-3", "1-4"]);
}
