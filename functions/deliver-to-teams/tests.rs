//! The route as the Functions host calls it, in process, with all outside services in memory.

use std::sync::Arc;

use bridge::genesys::receipt::ReceiptOutcome;
use bridge::genesys::webhook::Webhook;
use bridge::ids::{ChatId, Digest, GenesysMessageId, ThreadId};
use bridge::queue::envelope::{AgentEnvelope, Content, Envelope};
use bridge::state::blobs;
use bridge::state::outbound::{OutboundState, Says};
use bridge::state::thread::ThreadRecord;
use http::StatusCode;
use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Reply, Sent, World};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::app::App;
use crate::queue::receipts::receipt;
use crate::testing::{app_in, call, delivery_of};

const CHAT: &str = "19:anna_support@unq.gbl.spaces";
const THREAD: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

struct Scene {
    world: World,
    app: Arc<App>,
}

impl Scene {
    /// A world in which the customer has written before.
    async fn start() -> Self {
        let world = World::start().await;
        let app = app_in(&world, &[("RETRY_FLOOR_SECONDS", "0")]);
        let scene = Self { world, app };
        scene.know_thread(CHAT);
        scene
    }

    fn know_thread(&self, chat: &str) {
        let record = record(chat);
        let body = serde_json::to_vec(&record).expect("JSON");
        self.world
            .put_blob("state", &blobs::thread(&record.thread), body);
    }

    /// Delivers an envelope as the host does, after it went through its queue.
    async fn delivers(&self, envelope: Envelope, path: &str) -> StatusCode {
        let before = self.world.sent().len();
        let queued = self.app.queues.enqueue(&[envelope]).await;
        queued.expect("the queue takes it");
        let sent: Sent = self.world.sent().swap_remove(before);
        call(&self.app, path, &[], delivery_of(&sent)).await.0
    }

    async fn agent_writes(&self, webhook: &[u8]) -> StatusCode {
        let content = Content::AgentMessage(AgentEnvelope::of(webhook));
        let envelope = Envelope::new(OffsetDateTime::now_utc(), content);
        self.delivers(envelope, super::PATH).await
    }

    /// Contents of the posts that Graph was sent.
    fn posts(&self) -> Vec<Value> {
        let seen = self.world.seen(Service::Graph);
        let posts = seen.iter().filter(|seen| seen.method == "POST");
        posts
            .map(|post| post.json()["body"]["content"].clone())
            .collect()
    }

    /// How the messages ended whose receipts lie on the queue.
    fn receipts(&self) -> Vec<Value> {
        let sent = self.world.sent();
        let envelopes = sent
            .iter()
            .filter_map(|sent| serde_json::from_slice::<Value>(&sent.body).ok());
        envelopes
            .filter(|envelope| envelope["kind"] == "receipt")
            .map(|envelope| envelope["outcome"].clone())
            .collect()
    }

    fn failed(&self) -> Vec<Value> {
        let names = self.world.blobs("failed");
        let bodies = names
            .iter()
            .filter_map(|name| self.world.blob("failed", name));
        bodies
            .map(|body| serde_json::from_slice(&body).expect("JSON"))
            .collect()
    }
}

fn record(chat: &str) -> ThreadRecord {
    let thread: ThreadId = THREAD.parse().expect("a thread");
    let chat: ChatId = chat.parse().expect("a chat");
    ThreadRecord::new(&thread, chat, thread.account.clone())
}

fn webhook(id: &str, text: &str, time: OffsetDateTime) -> Vec<u8> {
    let time = time.format(&Rfc3339).expect("a time");
    json!({
        "id": id, "type": "Text", "text": text,
        "channel": { "time": time, "to": { "id": THREAD } },
    })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn a_webhook_that_comes_too_late_ends_in_failed_and_the_agent_is_told() {
    let scene = Scene::start().await;
    let late = webhook(
        "g-1",
        "hello",
        OffsetDateTime::now_utc() - Duration::hours(7),
    );
    assert_eq!(scene.agent_writes(&late).await, StatusCode::OK);
    assert_eq!(scene.posts(), Vec::<Value>::new());
    let failed = scene.failed();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["kind"], "webhook_late");
    assert_eq!(failed[0]["direction"], "outbound");
    assert_eq!(failed[0]["queue"], "outbound");
    assert!(failed[0]["lane"].is_string() && failed[0]["message_id"].is_string());
    assert_eq!(scene.receipts()[0]["code"], "MessageExpired");
}

#[tokio::test]
async fn what_cannot_be_read_ends_in_failed() {
    let scene = Scene::start().await;
    for unreadable in [&b"no JSON"[..], &[0xff, 0xfe], b"[1]"] {
        assert_eq!(scene.agent_writes(unreadable).await, StatusCode::OK);
    }
    let failed = scene.failed();
    assert_eq!(failed.len(), 3, "{failed:#?}");
    assert!(failed.iter().all(|one| one["kind"] == "webhook_malformed"));
    assert!(scene.receipts().is_empty() && scene.posts().is_empty());
}

#[tokio::test]
async fn a_pending_post_of_a_chat_that_cannot_be_listed_does_not_make_it_mute() {
    let scene = Scene::start().await;
    let chat: ChatId = CHAT.parse().expect("a chat");
    let mut state = OutboundState::new(chat.clone());
    let old: GenesysMessageId = "g-0".parse().expect("an id");
    let begun = OffsetDateTime::now_utc() - Duration::minutes(11);
    let fingerprint = Digest::of("message text", "lost");
    state.begin(&old, 0, true, begun, fingerprint, Says::Words);
    let body = serde_json::to_vec(&state).expect("JSON");
    let blob = blobs::outbound_state(&chat);
    scene.world.put_blob("state", &blob, body);
    scene
        .world
        .answer("GET", "/v1.0/chats/", Reply::new(403, ""));
    let hello = webhook("g-1", "hello", OffsetDateTime::now_utc());
    assert_eq!(scene.agent_writes(&hello).await, StatusCode::OK);
    assert_eq!(scene.posts(), ["hello"]);
    assert_eq!(scene.receipts()[0]["status"], "delivered");
}

#[tokio::test]
async fn a_receipt_that_genesys_refuses_is_dropped_and_holds_up_nothing() {
    let scene = Scene::start().await;
    let receipts = "/api/v2/conversations/messages/";
    scene.world.answer("POST", receipts, Reply::new(400, "{}"));
    let hello = webhook("g-1", "hello", OffsetDateTime::now_utc());
    let hello = Webhook::parse(&hello, OffsetDateTime::now_utc()).expect("a webhook");
    let envelope = receipt(&hello, None, ReceiptOutcome::Delivered);
    let path = crate::deliver_to_genesys::PATH;
    assert_eq!(scene.delivers(envelope, path).await, StatusCode::OK);
    assert_eq!(scene.failed(), Vec::<Value>::new());
}

#[tokio::test]
async fn the_receipt_of_a_replay_is_no_repetition_of_the_first() {
    let hello = webhook("g-1", "hello", OffsetDateTime::now_utc());
    let hello = Webhook::parse(&hello, OffsetDateTime::now_utc()).expect("a webhook");
    let id = |replay: Option<&str>| {
        let route = receipt(&hello, replay, ReceiptOutcome::Delivered).route(|| [0; 16]);
        route.message_id
    };
    assert_eq!(id(None), id(None));
    assert_ne!(id(None), id(Some("1")));
}

#[tokio::test]
async fn a_thread_whose_chat_is_another_one_leads_to_the_new_one() {
    let scene = Scene::start().await;
    let moved = record("19:anna_again@unq.gbl.spaces");
    let threads = &scene.app.threads;
    threads.remember(&moved).await.expect("written");
    let other = app_in(&scene.world, &[]);
    let chat = other.threads.chat_of(&moved.thread).await.expect("read");
    assert_eq!(chat, Some(moved.chat));
}

#[tokio::test]
async fn a_claim_that_fails_keeps_its_content() {
    let scene = Scene::start().await;
    let long = "x".repeat(300 * 1024);
    let late = webhook("g-1", &long, OffsetDateTime::now_utc() - Duration::hours(7));
    assert_eq!(scene.agent_writes(&late).await, StatusCode::OK);
    let failed = scene.failed();
    let kept = failed[0]["envelope"]["webhook"].as_str().expect("content");
    assert!(kept.contains(&long));
}
