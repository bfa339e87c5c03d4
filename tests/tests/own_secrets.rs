//! The secrets that the app makes for itself: at its first start, and anew while messages flow both ways.

use end_to_end::platform::IMPATIENT;
use end_to_end::{Platform, Talk, view};
use reqwest::Method;
use serde_json::{Value, json};

use crate::genesys_secrets::{
    amid_traffic, assert_flows, assert_none_refused, kill_at, rotate, secret,
};

const STATE: &str = "graph-client-state";
const KEY: &str = "graph-notification-key";

async fn subscriptions(platform: &Platform) -> Vec<Value> {
    let shown = platform.get("/local/graph/subscriptions").await;
    view::list(shown, "subscriptions")
}

/// One subscription that tells of everything.
async fn assert_subscribed_once(platform: &Platform) {
    let all = subscriptions(platform).await;
    assert_eq!(all.len(), 1, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_makes_what_is_missing_and_subscribes() {
    let names = [STATE, KEY].map(|name| format!("--no-secret={name}"));
    let mut arguments = vec!["--subscribe=false"];
    arguments.extend(names.iter().map(String::as_str));
    let platform = Platform::start(&arguments).await;
    platform.until_logged("event", "secret_made", 2).await;
    let made = [secret(&platform, STATE).await, secret(&platform, KEY).await];
    assert!(made.iter().all(|it| it != "none"));
    let timer = "/local/timers/subscription-renewal";
    let run = platform.post(timer, json!({})).await;
    assert_eq!(run["outcome"], "200");
    assert_subscribed_once(&platform).await;

    let talk = Talk::begun(&platform, "Anna").await;
    assert_flows(&talk).await;
    assert_none_refused(&platform).await;
    let logs = platform.get("/local/logs").await.to_string();
    let body = made[1].lines().nth(1).expect("a line of the key");
    assert!(
        !logs.contains(&made[0]) && !logs.contains(body),
        "a secret is shown"
    );

    // Nothing is made twice, by whomever.
    platform.kill_handler().await;
    assert_flows(&talk).await;
    assert_eq!(secret(&platform, STATE).await, made[0]);
    assert_eq!(secret(&platform, KEY).await, made[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_them_loses_repeats_and_refuses_nothing() {
    let arguments = [IMPATIENT, &["--genesys-rate-limit=3000"]].concat();
    let platform = Platform::start(&arguments).await;
    let talk = Talk::begun(&platform, "Anna").await;
    let known = talk.inbound().await.len();
    let old = [secret(&platform, STATE).await, secret(&platform, KEY).await];

    let replacement = async { [rotate(&platform, STATE).await, rotate(&platform, KEY).await] };
    let (rounds, ended) = amid_traffic(&talk, replacement).await;
    for ended in &ended {
        assert_eq!(ended["code"], 0, "{ended}");
    }
    let new = [secret(&platform, STATE).await, secret(&platform, KEY).await];
    assert!(old.iter().zip(&new).all(|(old, new)| old != new));
    assert_subscribed_once(&platform).await;
    let expected: Vec<String> = (1..=rounds).map(|round| format!("out {round}")).collect();
    assert_eq!(talk.seen().await, expected);
    assert_eq!(
        talk.inbound().await.len(),
        known + rounds,
        "none is repeated"
    );
    assert_none_refused(&platform).await;
    let logs = platform.get("/local/logs").await.to_string();
    for (state, shown) in [(&old[0], "old"), (&new[0], "new")] {
        assert!(
            !logs.contains(state.as_str()),
            "the {shown} secret is shown"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_killed_while_it_subscribes_anew_leaves_no_gap() {
    let arguments = [IMPATIENT, &["--genesys-rate-limit=3000"]].concat();
    let platform = Platform::start(&arguments).await;
    let talk = Talk::begun(&platform, "Anna").await;
    let old = secret(&platform, STATE).await;
    let current = format!("/secrets/{STATE}?");
    for at in [
        ("key-vault", "PUT", current.as_str()),
        ("graph", "POST", "/subscriptions"),
        ("graph", "DELETE", "/subscriptions/"),
    ] {
        kill_at(&platform, &talk, STATE, at).await;
        assert_flows(&talk).await;
        let lease = "/local/blobs/state/timers/subscription-renewal.json";
        platform.call(Method::DELETE, lease, None).await;
        if at.0 == "graph" {
            // The secret was replaced before it: only the subscriptions are left to do, which the timer does.
            let timer = "/local/timers/subscription-renewal";
            let run = platform.post(timer, json!({})).await;
            assert_eq!(run["outcome"], "200");
            assert_subscribed_once(&platform).await;
            let previous = format!("/local/key-vault/secrets/{STATE}-previous");
            let gone = json!({ "value": "none" });
            platform.call(Method::PUT, &previous, Some(&gone)).await;
        }
        assert_flows(&talk).await;
    }
    assert_ne!(secret(&platform, STATE).await, old);
    assert_none_refused(&platform).await;
}
