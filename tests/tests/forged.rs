//! What is malformed or not genuine reaches nobody, and spoils and stops nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use end_to_end::{Platform, Talk, with};
use serde_json::{Value, json};
use uuid::Uuid;

/// Graph keeps its notifications to itself, and with them this first message of a new talk; returns its notification.
async fn silenced(platform: &Platform) -> (Talk<'_>, Value) {
    let silence = json!([{ "service": "graph-notification", "drop": "before" }]);
    platform.faults(silence).await;
    let anna = Talk::new(platform, "Anna");
    let message = anna.writes("genuine").await;
    let notification = anna.notification(&message, "created").await;
    (anna, notification)
}

#[tokio::test]
async fn malformed_requests_are_refused_and_the_next_one_works() {
    const GRAPH: &str = "/api/graph/notifications";
    const GENESYS: &str = "/api/genesys/webhook";
    let platform = Platform::shared().await;
    let many = format!("{{\"value\":[{}0]}}", "0,".repeat(1_000_000));
    for (path, body, expected) in [
        (GRAPH, b"{".to_vec(), 400),
        (GRAPH, b"".to_vec(), 400),
        (GRAPH, vec![0xff, 0xfe, 0x7b], 400),
        (GRAPH, many.into_bytes(), 400),
        (GRAPH, vec![b' '; 5 * 1024 * 1024], 413),
        (GENESYS, b"{}".to_vec(), 401),
        (GENESYS, vec![b' '; 2 * 1024 * 1024], 413),
        ("/api/unknown", b"{}".to_vec(), 404),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        let (status, answer) = platform.send(path, body).await;
        assert_eq!(status, expected, "{path} {shown:?}: {answer}");
        assert!(answer.len() < 300, "{answer}");
    }
    Talk::begun(&platform, "Anna").await;
}

#[tokio::test]
async fn bad_items_are_dropped_and_do_not_spoil_the_batch() {
    let platform = Platform::start(&[]).await;
    let (anna, mut batch) = silenced(&platform).await;
    let good = batch["value"][0].take();
    let changed = |member: Value| with(good.clone(), member);
    let mut items = vec![
        json!(null),
        json!("text"),
        json!({}),
        changed(json!({ "changeType": "renamed" })),
        changed(json!({ "resource": "chats('19:a/b''c\"d')/messages" })),
        changed(json!({ "resource": "users/x/events/y" })),
        changed(json!({ "changeType": 7 })),
        changed(json!({ "clientState": "support" })),
        changed(json!({ "clientState": null })),
        changed(json!({ "lifecycleEvent": "renamed" })),
    ];
    // A huge batch: a wrong secret many times, and the one good item at its end.
    let wrong = changed(json!({ "clientState": "support.not-the-secret" }));
    items.resize(910, wrong);
    items.push(with(good.clone(), json!({ "lifecycleEvent": "missed" })));
    items.push(good);
    batch["value"] = Value::Array(items);
    // The sender must not learn what was not taken.
    assert_eq!(platform.notify(&batch).await, 202);
    anna.agent_sees(&["genuine"]).await;
    assert_eq!(platform.counter("notifications_dropped").await, 910);
    // A person is told of what Graph meant for us, and of what only looks so; not of mere noise.
    let lost = platform
        .until_logged("event", "notification_dropped", 1)
        .await;
    assert_eq!(
        lost[0]["reasons"],
        "malformed=1,resource=2,unknown_change_type=1,unknown_lifecycle_event=1"
    );
    let unknown = platform
        .until_logged("event", "client_state_unknown", 1)
        .await;
    assert_eq!(unknown[0]["items"], 900);
    let told = platform
        .until_logged("event", "lifecycle_notification", 1)
        .await;
    assert_eq!(told[0]["lifecycle"], "missed");
}

#[tokio::test]
async fn a_wrong_secret_at_genesys_calls_a_person_from_the_first_message_and_a_stranger_does_not() {
    let platform = Platform::start(&[]).await;
    let anna = Talk::begun(&platform, "Anna").await;
    let call = |integration: &str| {
        let from = json!({ "id": integration, "nickname": "Teams bridge", "idType": "Opaque" });
        let channel = json!({ "from": from, "to": { "id": anna.thread } });
        json!({ "id": Uuid::new_v4(), "type": "Text", "text": "forged", "channel": channel })
    };
    let settings: Value =
        serde_json::from_str(include_str!("../../local.settings.json")).expect("JSON");
    let integration = settings["Values"]["GENESYS_INTEGRATION_ID"].as_str();
    let integration = integration.expect("an id").to_owned();
    for body in [call(&Uuid::new_v4().to_string()), call(&integration)] {
        let body = body.to_string().into_bytes();
        let (status, _) = platform.send("/api/genesys/webhook", body).await;
        assert_eq!(status, 401);
    }
    platform.until_logged("event", "webhook_refused", 2).await;
    let told = platform
        .until_logged("event", "webhook_secret_wrong", 1)
        .await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["function"], "outbound-genesys");
}

#[tokio::test]
async fn without_a_good_token_the_message_is_read_from_graph() {
    let platform = Platform::start(&[]).await;
    let (anna, mut forged) = silenced(&platform).await;
    // Believed, it would end in `failed`.
    forged["value"][0]["encryptedContent"]["data"] = json!("Zm9yZ2Vk");
    let stranger = json!({ "azp": Uuid::new_v4(), "appid": Uuid::new_v4() });
    let stranger = platform.post("/local/entra/tokens", stranger).await;
    for tokens in [json!([stranger["token"]]), json!([])] {
        forged["validationTokens"] = tokens;
        assert_eq!(platform.notify(&forged).await, 202);
    }
    anna.agent_sees(&["genuine"]).await;
    platform.until_idle().await;
    platform.assert_nothing_failed().await;
    assert_eq!(platform.counter("notifications_dropped").await, 0);
    // A person is called.
    platform
        .until_logged("event", "validation_token_doubtful", 2)
        .await;
}

#[tokio::test]
async fn tampered_and_swapped_content_ends_in_failed() {
    let platform = Platform::start(&[]).await;
    let (_, genuine) = silenced(&platform).await;
    let mut tampered = genuine.clone();
    let content = &mut tampered["value"][0]["encryptedContent"]["data"];
    let bytes = STANDARD.decode(content.as_str().expect("base64"));
    let mut bytes = bytes.expect("base64");
    bytes[20] ^= 1;
    *content = json!(STANDARD.encode(bytes));
    assert_eq!(platform.notify(&tampered).await, 202);
    assert_eq!(platform.until_failed(1).await, ["tampered"]);

    let mut swapped = genuine;
    let other = Talk::new(&platform, "Bert").chat;
    let resource = format!("chats('{other}')/messages('1700000000000')");
    swapped["value"][0]["resource"] = json!(resource);
    assert_eq!(platform.notify(&swapped).await, 202);
    assert_eq!(platform.until_failed(2).await, ["ids_differ", "tampered"]);
    platform.until_idle().await;
    assert_eq!(platform.inbound().await, [Value::Null; 0]);
}
