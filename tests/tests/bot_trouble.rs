//! The bot's door when the connector, the customer or a handler does not do its part.

use std::collections::BTreeSet;

use end_to_end::app_talk::QUIET;
use end_to_end::{Platform, Talk, view};
use serde_json::{Value, json};

/// What strikes the posts into this chat, with more.
fn posts_into(talk: &Talk<'_>, more: Value) -> Value {
    let posts = json!({ "service": "bot", "method": "POST", "path": talk.chat });
    end_to_end::with(posts, more)
}

#[tokio::test]
async fn posts_that_are_refused_for_a_moment_keep_their_order() {
    let platform = Platform::shared_with(QUIET).await;
    for status in [412, 429, 502, 503, 504] {
        let anna = Talk::app_begun(&platform, "Anna").await;
        let mut refused = json!({ "status": status, "share": 0.5 });
        if status == 429 {
            refused["retry_after"] = json!(1);
        }
        platform.faults(json!([posts_into(&anna, refused)])).await;
        let texts = ["one", "two", "three", "four", "five"];
        let mut ids = Vec::new();
        for text in texts {
            ids.push(anna.agent_writes(text).await);
        }
        anna.sees(&texts).await;
        for id in ids {
            assert_eq!(platform.until_receipt(&id).await, ["Delivered"], "{status}");
        }
        platform.faults(json!([])).await;
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_lost_answer_costs_at_most_a_repetition() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let lost = json!({ "drop": "after", "times": 1 });
    platform.faults(json!([posts_into(&anna, lost)])).await;
    let first = anna.agent_writes("one").await;
    let second = anna.agent_writes("two").await;
    for id in [first, second] {
        assert_eq!(platform.until_receipt(&id).await, ["Delivered"]);
    }
    platform.until_idle().await;
    let mut seen = anna.seen().await;
    // Nobody can tell whether the first one came.
    seen.dedup();
    assert_eq!(seen, ["one", "two"]);
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn whoever_takes_the_app_away_or_blocks_it_reads_nothing_until_it_is_back() {
    let platform = Platform::shared_with(QUIET).await;
    for (away, back) in [("uninstall", "install"), ("block", "unblock")] {
        let anna = Talk::app_begun(&platform, "Anna").await;
        anna.agent_writes("Good morning").await;
        anna.sees(&["Good morning"]).await;
        anna.does(away, json!({})).await;
        let lost = anna.agent_writes("Are you there?").await;
        let receipt = platform.until_receipt(&lost).await;
        assert_eq!(receipt.len(), 1);
        assert!(receipt[0].starts_with("Failed:"), "{away}: {receipt:?}");
        anna.does(back, json!({})).await;
        anna.writes("I am back").await;
        anna.agent_sees(&["hello", "I am back"]).await;
        let next = anna.agent_writes("Welcome").await;
        assert_eq!(platform.until_receipt(&next).await, ["Delivered"]);
        anna.sees(&["Good morning", "Welcome"]).await;
    }
}

#[tokio::test]
async fn an_activity_that_comes_again_is_told_once() {
    let platform = Platform::shared_with(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let of_anna = |more: Value| {
        let deliveries = json!({ "service": "bot-delivery", "body": anna.chat });
        json!([end_to_end::with(deliveries, more)])
    };
    platform.faults(of_anna(json!({ "duplicate": 2 }))).await;
    anna.writes("twice told").await;
    anna.agent_sees(&["hello", "twice told"]).await;
    // Answers are lost, so that the connector sends each again, with another timestamp.
    platform
        .faults(of_anna(json!({ "drop": "after", "times": 3 })))
        .await;
    let message = anna.says("again", json!({})).await;
    anna.agent_sees(&["hello", "twice told", "again"]).await;
    let change = json!({ "message": message, "text": "and again" });
    anna.does("edit", change).await;
    anna.agent_sees(&["hello", "twice told", "again", "[edited] and again"])
        .await;
    platform.faults(json!([])).await;
    for timestamp in ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:06.789Z"] {
        let activity = json!({ "id": "1767323045678", "text": "once", "timestamp": timestamp });
        assert_eq!(anna.delivers(activity, "good").await, 200);
    }
    anna.writes("last").await;
    let all = [
        "hello",
        "twice told",
        "again",
        "[edited] and again",
        "once",
        "last",
    ];
    anna.agent_sees(&all).await;
    platform.until_idle().await;
    anna.agent_sees(&all).await;
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn a_killed_handler_loses_nothing() {
    let platform = Platform::start(QUIET).await;
    let mut talks = Vec::new();
    for number in 0..4 {
        talks.push(Talk::app_begun(&platform, &format!("Person{number}")).await);
    }
    let rounds: Vec<String> = (1..=6).map(|round| round.to_string()).collect();
    for (number, round) in rounds.iter().enumerate() {
        for talk in &talks {
            talk.writes(&format!("in {round}")).await;
            talk.agent_writes(&format!("out {round}")).await;
        }
        if number % 2 == 1 {
            platform.kill_handler().await;
        }
    }
    for talk in &talks {
        let told = rounds.iter().map(|round| format!("in {round}"));
        let told: BTreeSet<String> = told.chain(["hello".to_owned()]).collect();
        let seen: BTreeSet<String> = rounds.iter().map(|round| format!("out {round}")).collect();
        platform
            .until("all messages", async || {
                // A crash between Genesys' or the connector's answer and our note of it shows a message twice.
                let messages = talk.inbound().await;
                let inbound = view::texts(&messages).into_iter().map(str::to_owned);
                let outbound = talk.seen().await.into_iter();
                let all = (BTreeSet::from_iter(inbound), BTreeSet::from_iter(outbound));
                (all == (told.clone(), seen.clone())).then_some(())
            })
            .await;
    }
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}
