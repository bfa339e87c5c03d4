//! What Graph does not tell of reaches the agent all the same, in order and once.

use std::collections::BTreeSet;

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use reqwest::Method;
use serde_json::{Value, json};

async fn subscription(platform: &Platform) -> String {
    let shown = platform.get("/local/graph/subscriptions").await;
    let all = view::list(shown, "subscriptions");
    assert_eq!(all.len(), 1, "{all:?}");
    view::text(&all[0], "id").to_owned()
}

/// Graph removes the subscription without a word.
async fn forget(platform: &Platform) {
    let path = format!(
        "/local/graph/subscriptions/{}",
        subscription(platform).await
    );
    platform.call(Method::DELETE, &path, None).await;
}

async fn tick(platform: &Platform, function: &str) {
    let run = platform
        .post(&format!("/local/timers/{function}"), json!({}))
        .await;
    assert_eq!(run["outcome"], "200", "{function}: {run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_gone_without_a_word_costs_no_message() {
    let platform = Platform::start(IMPATIENT).await;
    let (anna, ben) = (
        Talk::begun(&platform, "Anna").await,
        Talk::new(&platform, "Ben"),
    );
    let first = anna.writes("first").await;
    anna.agent_writes("hello").await;
    anna.until_inbound(2).await;
    anna.until_posts(1).await;
    forget(&platform).await;
    anna.writes("second").await;
    let gone = anna.writes("gone").await;
    anna.deletes(&gone).await;
    anna.edits(&first, json!({ "html": "changed" })).await;
    // Somebody whom the bridge has never seen.
    ben.writes("hello").await;
    anna.writes("third").await;

    tick(&platform, "subscription-renewal").await;
    tick(&platform, "catch-up").await;
    let told = anna.until_inbound(5).await;
    let told = view::texts(&told);
    assert_eq!(told[2], "second");
    assert!(
        told[3].contains("changed") && told[4] == "third",
        "{told:?}"
    );
    ben.agent_sees(&["hello"]).await;
    platform.until_logged("event", "told_late", 4).await;
    // From here on Graph tells again, and nothing is told twice.
    anna.writes("fourth").await;
    anna.until_inbound(6).await;
    tick(&platform, "catch-up").await;
    platform.until_idle().await;
    assert_eq!(anna.inbound().await.len(), 6);
    assert_eq!(anna.seen().await, ["hello"]);
    platform.assert_nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_graph_tells_of_a_subscription_is_acted_on_at_once() {
    let platform = Platform::start(IMPATIENT).await;
    let anna = Talk::begun(&platform, "Anna").await;
    for (round, event) in ["subscriptionRemoved", "missed"].into_iter().enumerate() {
        let before = subscription(&platform).await;
        let silent = json!({ "state": "silent" });
        let one = format!("/local/graph/subscriptions/{before}");
        platform
            .call(Method::PUT, &format!("{one}/state"), Some(&silent))
            .await;
        let text = format!("untold {round}");
        anna.writes(&text).await;
        platform
            .post(&format!("{one}/lifecycle"), json!({ "event": event }))
            .await;
        platform
            .until_logged("event", "lifecycle_notification", round + 1)
            .await;
        platform.until_idle().await;
        let is_new = subscription(&platform).await != before;
        assert_eq!(is_new, event == "subscriptionRemoved");
        tick(&platform, "catch-up").await;
        let told = anna.until_inbound(round + 2).await;
        assert_eq!(view::texts(&told).last(), Some(&text.as_str()));
    }
    platform.assert_nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catch_up_that_is_killed_goes_on() {
    const MESSAGES: usize = 12;
    let arguments = [IMPATIENT, &["--genesys-rate-limit=3000"]].concat();
    let platform = Platform::start(&arguments).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let known = anna.inbound().await.len();
    forget(&platform).await;
    for number in 1..=MESSAGES {
        anna.writes(&format!("untold {number}")).await;
    }
    tick(&platform, "subscription-renewal").await;
    tick(&platform, "catch-up").await;
    for part in [1, MESSAGES / 2] {
        anna.until_inbound(known + part).await;
        platform.kill_handler().await;
    }
    // Told by Graph, behind what is still being read.
    anna.writes("told").await;
    let mut ids = BTreeSet::new();
    let seen = platform.until("all messages at Genesys", async || {
        let seen = anna.inbound().await;
        view::texts(&seen).contains(&"told").then_some(seen)
    });
    let mut texts = Vec::new();
    for message in &seen.await {
        // A crash between Genesys' answer and the note of it repeats a message with the same id.
        if ids.insert(view::text(message, "channel_message_id").to_owned()) {
            texts.push(view::text(message, "text").to_owned());
        }
    }
    let expected = (1..=MESSAGES).map(|number| format!("untold {number}"));
    let expected: Vec<String> = expected.chain(["told".to_owned()]).collect();
    assert_eq!(texts[known..], expected);
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}

async fn subscribed_as(platform: &Platform) -> Value {
    let shown = platform.get("/local/graph/subscriptions").await;
    let all = view::list(shown, "subscriptions");
    assert_eq!(all.len(), 1, "{all:?}");
    all[0]["signed_in"].clone()
}

async fn let_support_users_subscribe(platform: &Platform, allowed: bool) {
    let path = "/local/graph/delegated-subscriptions";
    let wish = json!({ "allowed": allowed });
    platform.call(Method::PUT, path, Some(&wish)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_support_users_own_right_serves_where_graph_allows_it() {
    let arguments = [IMPATIENT, &["--set=SUBSCRIPTION_ACCESS=auto"]].concat();
    let platform = Platform::start(&arguments).await;
    let anna = Talk::begun(&platform, "Anna").await;
    assert_eq!(subscribed_as(&platform).await, Value::Null);
    platform
        .until_logged("event", "subscription_not_delegated", 1)
        .await;

    // Another process asks again, and replaces what there is without a gap.
    let_support_users_subscribe(&platform, true).await;
    platform.kill_handler().await;
    tick(&platform, "subscription-renewal").await;
    assert_eq!(subscribed_as(&platform).await, anna.account.user.as_str());
    anna.writes("second").await;
    anna.until_inbound(2).await;

    // Nobody may subscribe for all any more, and nobody needs to.
    let withdrawn = json!({ "given": false });
    let path = "/local/entra/permissions/Chat.Read.All";
    platform.call(Method::PUT, path, Some(&withdrawn)).await;
    forget(&platform).await;
    anna.writes("third").await;
    platform.kill_handler().await;
    tick(&platform, "subscription-renewal").await;
    tick(&platform, "catch-up").await;
    anna.until_inbound(3).await;
    assert_eq!(subscribed_as(&platform).await, anna.account.user.as_str());
    anna.writes("fourth").await;
    anna.agent_sees(&["hello", "second", "third", "fourth"])
        .await;
    platform.assert_nothing_failed().await;
}
