use axum::body::Bytes;
use bridge::genesys::signature::sign;
use bridge::ids::Lane;
use bridge::queue::envelope::{Content, Envelope};
use http::StatusCode;
use serde_json::{Value, json};
use services::secrets::names;
use services::testing::{Reply, Sent, World};
use time::macros::datetime;

use super::PATH;
use crate::app::App;
use crate::testing::{ANNAS_THREAD, agents_message, app_in, post, start, webhook};

fn message(changes: Value) -> String {
    agents_message("b71f5f0c", datetime!(2026-01-02 03:04:05.678 UTC), changes).to_string()
}

async fn call(app: &std::sync::Arc<App>, body: impl Into<Bytes>) -> StatusCode {
    webhook(app, body, World::WEBHOOK_SECRET).await
}

fn body(sent: &Sent) -> Vec<u8> {
    match Envelope::parse(&sent.body).expect("an envelope").content {
        Content::AgentMessage(message) => message.body().into_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_lies_in_the_lane_of_its_thread_with_the_bytes_that_were_signed() {
    let (world, app) = start().await;
    let raw = message(json!({})) + "  ";
    assert_eq!(call(&app, raw.clone()).await, StatusCode::OK);
    assert_eq!(call(&app, raw.clone()).await, StatusCode::OK);
    let sent = world.sent();
    let lane = Lane::of_thread(&ANNAS_THREAD.parse().expect("a thread"));
    assert_eq!(
        (sent[0].queue.as_str(), sent[0].session.as_deref()),
        ("outbound", Some(lane.as_str()))
    );
    assert_eq!(sent[0].message_id, sent[1].message_id, "known again");
    assert_eq!(body(&sent[0]), raw.as_bytes());
}

#[tokio::test]
async fn only_a_good_signature_is_taken() {
    let (world, app) = start().await;
    let raw = message(json!({}));
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
    let (world, app) = start().await;
    let unusable: [Vec<u8>; 8] = [
        b"no JSON".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        vec![0xff, 0xfe],
        message(json!({ "channel": null })).into(),
        message(json!({ "channel": { "to": { "id": "nobody" }, "time": "2001-01-01T00:00:00Z" } }))
            .into(),
        message(json!({ "id": null, "type": "Message" })).into(),
        message(json!({ "type": "Unknown" })).into(),
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
    let (world, app) = start().await;
    for kind in ["Receipt", "Hologram"] {
        let raw = message(json!({ "type": kind, "text": null }));
        assert_eq!(call(&app, raw).await, StatusCode::OK);
    }
    assert_eq!(world.sent(), []);
    assert_eq!(json!(app.counters)["webhooks_dropped"], 2);
}

#[tokio::test]
async fn typing_is_tried_once_and_a_message_twice() {
    let (world, app) = start().await;
    let typing = include_str!("../../bridge/fixtures/webhook_typing.json");
    // A Support User cannot be shown typing.
    assert_eq!(call(&app, typing).await, StatusCode::OK);
    assert_eq!(world.sent().len(), 0);
    let typing = typing.replace("teams:support:", "teams:bot:");
    assert_eq!(call(&app, typing.clone()).await, StatusCode::OK);
    assert_eq!(world.sent()[0].queue, "typing");
    let failing = || world.answer_once("POST", "/messages", Reply::new(503, ""));
    // The same once more, which would only say the same; and another's, which the queue does not take.
    assert_eq!(call(&app, typing.clone()).await, StatusCode::OK);
    assert_eq!(world.sent().len(), 1);
    failing();
    let other = typing.replace("00000000000a", "00000000000b");
    assert_ne!(other, typing);
    assert_eq!(call(&app, other).await, StatusCode::OK);
    failing();
    assert_eq!(call(&app, message(json!({}))).await, StatusCode::OK);
    assert_eq!(world.sent().len(), 2);
    assert_eq!(world.blobs("state"), [""; 0], "nothing waits in the spool");
}

#[tokio::test]
async fn a_rotated_secret_counts_at_once() {
    let (world, app) = start().await;
    let raw = message(json!({}));
    assert_eq!(call(&app, raw.clone()).await, StatusCode::OK);
    world.put_secret(names::GENESYS_WEBHOOK, "the-next-secret");
    let rotated = webhook(&app, raw.clone(), "the-next-secret").await;
    assert_eq!(rotated, StatusCode::OK);
    // The vault was read a moment ago, so this one waits for a reading of its own.
    let forged = webhook(&app, raw, "somebody's").await;
    assert_eq!(forged, StatusCode::UNAUTHORIZED);
}
