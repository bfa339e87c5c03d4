use std::sync::Arc;

use axum::body::Bytes;
use bridge::genesys::signature::sign;
use bridge::ids::Lane;
use bridge::queue::envelope::{Content, Envelope};
use http::StatusCode;
use serde_json::{Value, json};
use services::testing::{Reply, Sent, World};

use super::PATH;
use crate::app::App;
use crate::testing::{app_in, post};

const ANNA: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

fn webhook(changes: Value) -> Value {
    let mut webhook = json!({
        "id": "b71f5f0c",
        "type": "Text",
        "text": "hello",
        "channel": { "to": { "id": ANNA }, "time": "2026-01-02T03:04:05.678Z" },
    });
    for (name, value) in changes.as_object().expect("an object") {
        webhook[name] = value.clone();
    }
    webhook
}

async fn call(app: &Arc<App>, body: impl Into<Bytes>) -> StatusCode {
    let body = body.into();
    let signature = sign(&body, &World::WEBHOOK_SECRET.into());
    post(app, PATH, &[("x-hub-signature-256", &signature)], body).await
}

fn body(sent: &Sent) -> Vec<u8> {
    match Envelope::parse(&sent.body).expect("an envelope").content {
        Content::AgentMessage(message) => message.body().into_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_lies_in_the_lane_of_its_thread_with_the_bytes_that_were_signed() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let raw = format!("{}  ", webhook(json!({})));
    assert_eq!(call(&app, raw.clone()).await, StatusCode::OK);
    assert_eq!(call(&app, raw.clone()).await, StatusCode::OK);
    let sent = world.sent();
    let lane = Lane::of_thread(&ANNA.parse().expect("a thread"));
    assert_eq!(
        (sent[0].queue.as_str(), sent[0].session.as_deref()),
        ("outbound", Some(lane.as_str()))
    );
    assert_eq!(sent[0].message_id, sent[1].message_id, "known again");
    assert_eq!(body(&sent[0]), raw.as_bytes());
}

#[tokio::test]
async fn only_a_good_signature_is_taken() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let raw = webhook(json!({})).to_string();
    let forged = sign(raw.as_bytes(), &"another secret".into());
    for headers in [
        &[][..],
        &[("x-hub-signature-256", forged.as_str())],
        &[("x-hub-signature-256", "")],
    ] {
        assert_eq!(
            post(&app, PATH, headers, raw.clone()).await,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(world.sent(), []);
    let without_secret = World::start().await;
    without_secret.remove_secret("genesys-webhook-secret");
    let app = app_in(&without_secret, &[]);
    assert_eq!(call(&app, raw).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_genesys_signed_is_never_refused() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let unusable: [Vec<u8>; 8] = [
        b"no JSON".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        vec![0xff, 0xfe],
        webhook(json!({ "channel": null })).to_string().into(),
        webhook(json!({ "channel": { "to": { "id": "nobody" }, "time": "2001-01-01T00:00:00Z" } }))
            .to_string()
            .into(),
        webhook(json!({ "id": null, "type": "Message" }))
            .to_string()
            .into(),
        webhook(json!({ "type": "Unknown" })).to_string().into(),
    ];
    for raw in &unusable {
        let shown = String::from_utf8_lossy(raw).into_owned();
        assert_eq!(call(&app, raw.clone()).await, StatusCode::OK, "{shown}");
    }
    let sent = world.sent();
    let carried: Vec<Vec<u8>> = sent.iter().map(body).collect();
    let messages: Vec<Vec<u8>> = unusable.into_iter().filter(|raw| raw != b"{}").collect();
    assert_eq!(carried, messages, "all but what says nothing at all");
    assert!(
        sent.iter()
            .all(|sent| sent.queue == "outbound" && sent.session.is_some())
    );
}

#[tokio::test]
async fn what_needs_no_delivery_is_thanked_for() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    for kind in ["Receipt", "Hologram"] {
        let raw = webhook(json!({ "type": kind, "text": null })).to_string();
        assert_eq!(call(&app, raw).await, StatusCode::OK);
    }
    assert_eq!(world.sent(), []);
    assert_eq!(json!(app.counters)["webhooks_dropped"], 2);
}

#[tokio::test]
async fn typing_is_tried_once_and_a_message_until_the_queue_has_it() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let typing = include_str!("../../bridge/fixtures/webhook_typing.json");
    assert_eq!(call(&app, typing).await, StatusCode::OK);
    assert_eq!(world.sent()[0].queue, "typing");
    world.answer("POST", "/messages", Reply::new(500, ""));
    assert_eq!(call(&app, typing).await, StatusCode::OK);
    let raw = webhook(json!({})).to_string();
    assert_eq!(call(&app, raw).await, StatusCode::SERVICE_UNAVAILABLE);
}
