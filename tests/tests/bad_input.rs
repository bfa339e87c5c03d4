//! Malformed input gets a short answer, spoils nothing else, and stops nothing.

use end_to_end::{Chat, Customer, Platform};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const NOTIFICATIONS: &str = "/api/graph/notifications";
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Path, headers, body, and the status that it must be answered with.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Vec<u8>,
    StatusCode,
);

#[tokio::test]
async fn the_validation_handshake_echoes_the_decoded_token() {
    let platform = Platform::shared().await;
    let path = format!("{NOTIFICATIONS}?validationToken=Validation%3a+Testing+client+%3Cb%3E");
    let (status, body) = platform
        .send_raw(&path, &[("content-type", "text/plain")], Vec::new())
        .await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::OK, "Validation: Testing client <b>")
    );
}

#[tokio::test]
async fn malformed_requests_are_refused_and_the_next_one_works() {
    let platform = Platform::shared().await;
    let cases: Vec<Case> = vec![
        (NOTIFICATIONS, JSON, b"{".to_vec(), StatusCode::BAD_REQUEST),
        (NOTIFICATIONS, JSON, b"[]".to_vec(), StatusCode::BAD_REQUEST),
        (NOTIFICATIONS, JSON, b"".to_vec(), StatusCode::BAD_REQUEST),
        (
            NOTIFICATIONS,
            JSON,
            vec![0xff, 0xfe, 0x7b],
            StatusCode::BAD_REQUEST,
        ),
        (
            NOTIFICATIONS,
            &[("content-type", "text/xml")],
            b"<a/>".to_vec(),
            StatusCode::BAD_REQUEST,
        ),
        (
            NOTIFICATIONS,
            JSON,
            format!("{{\"value\":[{}0]}}", "0,".repeat(1_000_000)).into_bytes(),
            StatusCode::BAD_REQUEST,
        ),
        (
            NOTIFICATIONS,
            JSON,
            vec![b' '; 5 * 1024 * 1024],
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            "/api/genesys/webhook",
            JSON,
            b"{}".to_vec(),
            StatusCode::UNAUTHORIZED,
        ),
        (
            "/api/genesys/webhook",
            JSON,
            vec![b' '; 2 * 1024 * 1024],
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        ("/api/unknown", JSON, b"{}".to_vec(), StatusCode::NOT_FOUND),
    ];
    for (path, headers, body, expected) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        let (status, answer) = platform.send_raw(path, headers, body).await;
        assert_eq!(status, expected, "{path} {shown:?}: {answer}");
        assert!(answer.len() < 300, "{answer}");
    }
    let (status, _) = platform.request(Method::GET, NOTIFICATIONS, None).await;
    assert!(
        status == StatusCode::METHOD_NOT_ALLOWED || status == StatusCode::NOT_FOUND,
        "{status}"
    );

    let anna = Customer::new("Anna");
    platform
        .customer_writes(&Chat::one_on_one(&anna), &anna, "still there?")
        .await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["still there?"])
        .await;
}

#[tokio::test]
async fn bad_items_do_not_spoil_the_batch() {
    let platform = Platform::start(&[]).await;
    platform
        .faults(json!([{ "service": "graph-notification", "drop": "before" }]))
        .await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    let message = platform
        .customer_writes(&chat, &anna, "among rubbish")
        .await;
    let composed = platform
        .post(
            "/local/graph/notifications/compose",
            json!({ "chat": chat.id, "message": message }),
        )
        .await;
    let mut body = composed["body"].clone();
    let good = body["value"][0].clone();
    let changed = |field: &str, value: Value| {
        let mut item = good.clone();
        item[field] = value;
        item
    };
    let mut items = vec![
        json!(null),
        json!("text"),
        json!({}),
        changed("changeType", json!("renamed")),
        changed("resource", json!("chats('19:a/b''c\"d')/messages")),
        changed("resource", json!("users/x/events/y")),
        changed("encryptedContent", json!("none")),
        json!({ "lifecycleEvent": "missed", "clientState": good["clientState"], "tenantId": good["tenantId"] }),
    ];
    // A huge batch: the same rubbish many times, with the one good item at its end.
    for _ in 0..900 {
        items.push(changed("clientState", json!("support.wrong")));
    }
    items.push(good);
    body["value"] = Value::Array(items);
    let bytes = serde_json::to_vec(&body).expect("JSON");
    let (status, _) = platform.send_raw(NOTIFICATIONS, JSON, bytes).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["among rubbish"])
        .await;
    let health = platform.get("/api/health").await;
    assert_eq!(health["counters"]["notifications_dropped"], 908);
}

#[tokio::test]
async fn a_message_above_the_queue_s_limit_goes_through_blob() {
    let platform = Platform::shared().await;
    let anna = Customer::new("Anna");
    let chat = Chat::one_on_one(&anna);
    // Attributes make the notification large while the text that the agent reads stays short.
    let html = format!(
        "<p>short text</p><p><span title=\"{}\"> and its end</span></p>",
        "x".repeat(200_000)
    );
    platform.customer_writes(&chat, &anna, &html).await;
    let texts = platform
        .until("the large message", async || {
            let texts = end_to_end::view::all_inbound(&platform.conversations().await);
            (!texts.is_empty()).then_some(texts)
        })
        .await;
    assert_eq!(texts.len(), 1);
    assert!(
        texts[0].contains("short text") && texts[0].contains("and its end"),
        "{texts:?}"
    );
}

#[tokio::test]
async fn an_agent_s_message_to_nobody_ends_in_failed_with_a_receipt() {
    let platform = Platform::start(&[
        "--set",
        "UNKNOWN_THREAD_SECONDS=1",
        "--set",
        "RETRY_FLOOR_SECONDS=0",
    ])
    .await;
    let anna = Customer::new("Anna");
    platform
        .customer_writes(&Chat::one_on_one(&anna), &anna, "hello")
        .await;
    platform
        .until_agent_sees(&platform.thread_of(&anna), &["hello"])
        .await;
    let stranger = Customer::new("Nobody");
    let lost = platform
        .agent_writes(&platform.thread_of(&stranger), "anyone?")
        .await;
    assert_eq!(
        platform.until_receipt(&lost).await,
        ["Failed:InvalidDestination"]
    );
    let failed = platform.failed().await;
    assert_eq!(failed.len(), 1, "{failed:#?}");
    assert_eq!(failed[0]["body"]["kind"], "thread_unknown");
}
