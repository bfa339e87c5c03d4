//! Whole ways through the routes, in process, with all outside services in memory.

use std::sync::Arc;

use axum::body::Bytes;
use bridge::genesys::signature;
use bridge::ids::ThreadId;
use bridge::state::blobs;
use bridge::state::thread::ThreadRecord;
use http::StatusCode;
use secrecy::SecretString;
use serde_json::{Value, json};
use services::error::Service;
use services::secrets::names;
use services::testing::{Reply, World};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::app::App;
use crate::testing::{app_in, call, delivery_of};

const CHAT: &str = "19:anna_support@unq.gbl.spaces";
const THREAD: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

fn agents_message(text: &str) -> Vec<u8> {
    let now = OffsetDateTime::now_utc().format(&Rfc3339).expect("a time");
    json!({
        "id": "g-1", "type": "Text", "text": text, "direction": "Outbound",
        "channel": {"id": "i-1", "platform": "Open", "type": "Private", "messageId": "g-1", "time": now,
                    "to": {"id": THREAD, "idType": "Opaque"}, "from": {"id": "i-1"}},
    })
    .to_string()
    .into_bytes()
}

/// Calls Genesys' webhook with a signature by this secret.
async fn webhook(app: &Arc<App>, body: &[u8], secret: &str) -> StatusCode {
    let signature = signature::sign(body, &SecretString::from(secret));
    let headers = [("x-hub-signature-256", signature.as_str())];
    let path = crate::outbound_genesys::PATH;
    call(app, path, &headers, Bytes::copy_from_slice(body))
        .await
        .0
}

/// The thread's record, as the first message of the chat leaves it.
fn know_thread(world: &World) {
    let thread: ThreadId = THREAD.parse().expect("a thread");
    let chat = CHAT.parse().expect("a chat");
    let record = ThreadRecord::new(&thread, chat, thread.account.clone());
    let body = serde_json::to_vec(&record).expect("JSON");
    world.put_blob("state", &blobs::thread(&thread), body);
}

#[tokio::test]
async fn an_agents_message_comes_into_the_chat_and_is_receipted() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    know_thread(&world);
    let body = agents_message("hello & welcome");
    assert_eq!(
        webhook(&app, &body, World::WEBHOOK_SECRET).await,
        StatusCode::OK
    );
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].queue.as_str()), (1, "outbound"));

    let path = crate::deliver_to_teams::PATH;
    for _ in 0..2 {
        // A redelivery posts nothing again.
        let (status, _) = call(&app, path, &[], delivery_of(&sent[0])).await;
        assert_eq!(status, StatusCode::OK);
        let posts: Vec<_> = world.seen(Service::Graph);
        let posts: Vec<_> = posts.iter().filter(|seen| seen.method == "POST").collect();
        assert_eq!(posts.len(), 1);
        assert_eq!(posts[0].json()["body"]["content"], "hello &amp; welcome");
    }
    let receipts = &world.sent()[1..];
    assert!(receipts.iter().all(|receipt| receipt.queue == "inbound"));
    let path = crate::deliver_to_genesys::PATH;
    assert_eq!(
        call(&app, path, &[], delivery_of(&receipts[0])).await.0,
        StatusCode::OK
    );
    let seen = world.seen(Service::Genesys);
    let told: Value = seen.last().expect("a receipt").json();
    assert_eq!(
        (&told["id"], &told["status"]),
        (&json!("g-1"), &json!("Delivered"))
    );
    assert!(world.blobs("failed").is_empty());
}

#[tokio::test]
async fn a_rotated_secret_counts_at_once() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let body = agents_message("hello");
    assert_eq!(
        webhook(&app, &body, World::WEBHOOK_SECRET).await,
        StatusCode::OK
    );
    world.put_secret(names::GENESYS_WEBHOOK, "the-next-secret");
    assert_eq!(
        webhook(&app, &body, "the-next-secret").await,
        StatusCode::OK
    );
    // The vault was read a moment ago, so this one waits for a reading of its own.
    let forged = webhook(&app, &body, "somebody's").await;
    assert_eq!(forged, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_forged_webhook_is_refused() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    let body = agents_message("hello");
    assert_eq!(
        webhook(&app, &body, World::WEBHOOK_SECRET).await,
        StatusCode::OK
    );
    assert_eq!(
        webhook(&app, &body, "somebody's").await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn what_the_queue_does_not_take_is_asked_for_again() {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    world.answer_once("POST", "/outbound/messages", Reply::new(503, ""));
    let body = agents_message("hello");
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK] {
        assert_eq!(webhook(&app, &body, World::WEBHOOK_SECRET).await, status);
    }
    assert_eq!(world.sent().len(), 1);
}
