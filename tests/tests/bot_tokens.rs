//! Who may deliver activities: the connector alone, whatever a forger knows, and also while its keys cannot be read.

use end_to_end::app_talk::QUIET;
use end_to_end::{Platform, Talk};
use serde_json::{Value, json};

fn message(number: usize) -> Value {
    json!({ "id": (1_767_323_045_000_usize + number).to_string(), "text": format!("message {number}") })
}

#[tokio::test]
async fn forgeries_are_refused_and_tell_nothing() {
    let platform = Platform::start(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    platform
        .post("/local/bot/keys/unendorsed", Value::Null)
        .await;
    for (number, signing) in [
        "other-audience",
        "other-issuer",
        "other-service-url",
        "unendorsed",
        "unknown-key",
        "expired",
        "none",
        "hs256",
        "missing",
    ]
    .into_iter()
    .enumerate()
    {
        let status = anna.delivers(message(number), signing).await;
        // A key may be a new one; who cannot look it up again so soon asks to come later.
        let for_now = signing == "unknown-key" && status == 503;
        assert!(
            for_now || [401, 403].contains(&status),
            "{signing}: {status}"
        );
    }
    // The token is good and says where it is from; what is signed for another place is no use at ours.
    for (field, value) in [
        ("serviceUrl", json!("https://evil.trafficmanager.net/amer/")),
        (
            "serviceUrl",
            json!("https://smba.trafficmanager.net.example/amer/"),
        ),
        ("channelId", json!("webchat")),
        ("conversation", Value::Null),
        ("serviceUrl", Value::Null),
    ] {
        let activity = end_to_end::with(message(50), json!({ field: value }));
        let status = anna.delivers(activity, "good").await;
        assert!((400..500).contains(&status), "{field} {value}: {status}");
    }
    assert_eq!(anna.delivers(message(99), "good").await, 200);
    anna.agent_sees(&["hello", "message 99"]).await;
    platform.until_idle().await;
    anna.agent_sees(&["hello", "message 99"]).await;
    assert_eq!(platform.conversations().await.len(), 1);
    platform.assert_nothing_failed().await;
}

#[tokio::test]
async fn new_keys_are_learnt_and_known_ones_serve_while_there_are_none_to_be_had() {
    let platform = Platform::start(QUIET).await;
    let anna = Talk::app_begun(&platform, "Anna").await;
    let calls = async || {
        let calls = platform.get("/local/calls").await;
        calls["calls"]["bot"]["keys"].as_u64().unwrap_or_default()
    };
    let before = calls().await;
    let down = json!({ "service": "bot", "path": "/v1/.well-known", "status": 503 });
    platform.faults(json!([down])).await;
    for number in 0..5 {
        assert_eq!(anna.delivers(message(number), "good").await, 200);
    }
    assert_eq!(
        calls().await,
        before,
        "nobody asked for keys that are known"
    );
    // A new key cannot be read: whoever signs with it is asked to come again, and does.
    platform.post("/local/bot/keys/rotate", Value::Null).await;
    assert_eq!(anna.delivers(message(5), "good").await, 503);
    anna.writes("with the new key").await;
    platform.faults(json!([])).await;
    let told: Vec<String> = (0..5).map(|number| format!("message {number}")).collect();
    let mut all = vec!["hello"];
    all.extend(told.iter().map(String::as_str));
    all.push("with the new key");
    anna.agent_sees(&all).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
}
