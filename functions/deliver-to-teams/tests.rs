//! The route as the Functions host calls it, in process, with all outside services in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bridge::genesys::receipt::ReceiptOutcome;
use bridge::genesys::webhook::Webhook;
use bridge::ids::{ChatId, Digest, GenesysMessageId, Lane, ThreadId};
use bridge::queue::envelope::{AgentEnvelope, Content, EndedEnvelope, Envelope};
use bridge::state::blobs;
use bridge::state::outbound::{OutboundState, Says};
use bridge::state::thread::ThreadRecord;
use http::StatusCode;
use serde_json::{Value, json};
use services::error::Service;
use services::testing::{Reply, Sent, World};
use time::{Duration, OffsetDateTime};

use super::receipt::receipt;
use crate::app::App;
use crate::queue::enqueue::enqueue;
use crate::testing::{ANNAS_CHAT, ANNAS_THREAD, agents_message, app_in, deliver, posts, webhook};

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
        let record = record(ANNAS_CHAT);
        let body = serde_json::to_vec(&record).expect("JSON");
        let blob = blobs::thread(&record.thread);
        scene.world.put_blob("state", &blob, body);
        scene
    }

    /// Delivers an envelope as the host does, after it went through its queue.
    async fn delivers(&self, envelope: Envelope) {
        let before = self.world.sent().len();
        let queued = enqueue(&self.app, &[envelope]).await;
        queued.expect("the queue takes it");
        let delivered = deliver(&self.app, &self.world.sent()[before], 1).await;
        assert_eq!(delivered, StatusCode::OK);
    }

    async fn agent_writes(&self, webhook: &[u8]) {
        let content = Content::AgentMessage(AgentEnvelope::of(webhook));
        self.delivers(Envelope::new(OffsetDateTime::now_utc(), content))
            .await;
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
    let thread: ThreadId = ANNAS_THREAD.parse().expect("a thread");
    let chat: ChatId = chat.parse().expect("a chat");
    ThreadRecord::new(
        &thread,
        chat,
        thread.account.clone(),
        OffsetDateTime::now_utc(),
    )
}

fn hours_old(hours: i64, text: &str) -> Vec<u8> {
    let at = OffsetDateTime::now_utc() - Duration::hours(hours);
    agents_message("g-1", at, json!({ "text": text }))
        .to_string()
        .into()
}

fn parsed(webhook: &[u8]) -> Webhook {
    Webhook::parse(webhook, OffsetDateTime::now_utc()).expect("a webhook")
}

#[tokio::test]
async fn an_agents_message_comes_into_the_chat_and_is_receipted() {
    let scene = Scene::start().await;
    let raw = hours_old(0, "hello & welcome");
    let status = webhook(&scene.app, raw, World::WEBHOOK_SECRET).await;
    assert_eq!(status, StatusCode::OK);
    let sent = scene.world.sent();
    assert_eq!((sent.len(), sent[0].queue.as_str()), (1, "outbound"));
    for _ in 0..2 {
        // A redelivery posts nothing again.
        assert_eq!(deliver(&scene.app, &sent[0], 1).await, StatusCode::OK);
        assert_eq!(posts(&scene.world), ["hello &amp; welcome"]);
    }
    let receipt = &scene.world.sent()[1];
    assert_eq!(receipt.queue, "inbound");
    assert_eq!(deliver(&scene.app, receipt, 1).await, StatusCode::OK);
    let told = scene.world.seen(Service::Genesys);
    let told = told.last().expect("a receipt").json();
    assert_eq!(
        (&told["id"], &told["status"]),
        (&json!("g-1"), &json!("Delivered"))
    );
    assert!(scene.failed().is_empty());
}

#[tokio::test]
async fn a_webhook_that_comes_too_late_ends_in_failed_and_the_agent_is_told() {
    let scene = Scene::start().await;
    let late = hours_old(7, "hello");
    scene.agent_writes(&late).await;
    assert_eq!(posts(&scene.world), Vec::<Value>::new());
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
        scene.agent_writes(unreadable).await;
    }
    let failed = scene.failed();
    assert_eq!(failed.len(), 3, "{failed:#?}");
    assert!(failed.iter().all(|one| one["kind"] == "webhook_malformed"));
    assert!(scene.receipts().is_empty() && posts(&scene.world).is_empty());
}

#[tokio::test]
async fn what_is_no_envelope_or_belongs_elsewhere_ends_in_failed() {
    let scene = Scene::start().await;
    let hello = parsed(&hours_old(0, "hello"));
    let elsewhere = receipt(&hello, None, ReceiptOutcome::Delivered).to_json();
    for (body, kind) in [
        (b"{}".to_vec(), "envelope_malformed"),
        (elsewhere, "envelope_misplaced"),
    ] {
        let sent = Sent {
            queue: "outbound".to_owned(),
            body: body.into(),
            session: Some("chat".to_owned()),
            message_id: None,
            correlation: None,
            request: 0,
        };
        assert_eq!(deliver(&scene.app, &sent, 1).await, StatusCode::OK);
        let failed = scene.failed();
        let one = failed.iter().find(|one| one["kind"] == kind);
        let one = one.expect("a failed message");
        assert_eq!(
            (&one["queue"], &one["attempts"]),
            (&json!("outbound"), &json!(1))
        );
    }
}

#[tokio::test]
async fn an_envelope_of_a_newer_release_is_given_back_until_an_update_must_be_over() {
    let scene = Scene::start().await;
    let accepted = "2026-01-02T03:04:05Z";
    let newer =
        |version, kind| json!({ "version": version, "accepted_at": accepted, "kind": kind });
    let large = newer(1, "largeNews").to_string();
    scene.world.put_blob("state", "claims/0.json", large);
    let mut claim = newer(1, "claim");
    claim["blob"] = json!("claims/0.json");
    for (envelope, kind) in [
        (newer(2, "news"), "envelope_version"),
        (newer(1, "news"), "envelope_kind"),
        (claim, "envelope_kind"),
    ] {
        let sent = Sent {
            queue: "outbound".to_owned(),
            body: envelope.to_string().into(),
            session: Some("chat".to_owned()),
            message_id: None,
            correlation: None,
            request: 0,
        };
        let before = scene.failed().len();
        for deliveries in [1, 19] {
            let status = deliver(&scene.app, &sent, deliveries).await;
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{envelope}");
        }
        assert_eq!(scene.failed().len(), before);
        assert_eq!(deliver(&scene.app, &sent, 20).await, StatusCode::OK);
        let failed = scene.failed();
        assert_eq!(failed.len(), before + 1);
        assert!(failed.iter().any(|one| one["kind"] == kind), "{failed:?}");
    }
}

#[tokio::test]
async fn a_redelivery_keeps_to_an_earlier_verdict() {
    let scene = Scene::start().await;
    scene.agent_writes(&hours_old(7, "hello")).await;
    let verdict = scene.failed()[0].to_string();
    let good = hours_old(0, "hello");
    let taken = webhook(&scene.app, good, World::WEBHOOK_SECRET).await;
    assert_eq!(taken, StatusCode::OK);
    let sent = scene.world.sent();
    let sent = sent.last().expect("an envelope");
    let lane = Lane::from_session_id(sent.session.as_deref().expect("a session"));
    let blob = blobs::failed(&lane, &Digest::of_bytes("failed", &sent.body));
    scene.world.put_blob("failed", &blob, verdict);
    assert_eq!(deliver(&scene.app, sent, 2).await, StatusCode::OK);
    assert_eq!(posts(&scene.world), Vec::<Value>::new());
    let codes = scene.receipts().into_iter().map(|it| it["code"].clone());
    assert!(codes.eq(["MessageExpired", "MessageExpired"]));
}

#[tokio::test]
async fn a_pending_post_of_a_chat_that_cannot_be_listed_does_not_make_it_mute() {
    let scene = Scene::start().await;
    let chat: ChatId = ANNAS_CHAT.parse().expect("a chat");
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
    scene.agent_writes(&hours_old(0, "hello")).await;
    assert_eq!(posts(&scene.world), ["hello"]);
    assert_eq!(scene.receipts()[0]["status"], "delivered");
}

#[tokio::test]
async fn the_end_is_told_once_whoever_tells_of_it_and_again_after_further_words() {
    let scene = Scene::start().await;
    scene.agent_writes(&hours_old(0, "hello")).await;
    let ends = async |session: &str| {
        let ended = EndedEnvelope {
            session: Digest::of("session", session),
            conversation: "be9c1b6e-0000-4000-8000-c0ffee000001"
                .parse()
                .expect("an id"),
            thread: ANNAS_THREAD.parse().expect("a thread"),
            transferred: false,
        };
        let content = Content::Ended(ended);
        scene
            .delivers(Envelope::new(OffsetDateTime::now_utc(), content))
            .await;
    };
    let told = || posts(&scene.world).len() - 1;
    ends("customer's").await;
    ends("customer's").await;
    ends("agent's").await;
    let said = posts(&scene.world);
    let last = said.last().and_then(Value::as_str).unwrap_or_default();
    assert!(last.contains("has ended"), "{said:?}");
    let before = told();
    let again = agents_message(
        "g-2",
        OffsetDateTime::now_utc(),
        json!({ "text": "one more thing" }),
    );
    scene.agent_writes(again.to_string().as_bytes()).await;
    ends("the next").await;
    assert_eq!(told(), before + 2);
    assert!(scene.failed().is_empty());
}

#[tokio::test]
async fn a_receipt_that_genesys_refuses_is_dropped_and_holds_up_nothing() {
    let scene = Scene::start().await;
    let receipts = "/api/v2/conversations/messages/";
    scene.world.answer("POST", receipts, Reply::new(400, "{}"));
    let hello = parsed(&hours_old(0, "hello"));
    let envelope = receipt(&hello, None, ReceiptOutcome::Delivered);
    scene.delivers(envelope).await;
    assert_eq!(scene.failed(), Vec::<Value>::new());
}

#[tokio::test]
async fn the_receipt_of_a_replay_is_no_repetition_of_the_first() {
    let hello = parsed(&hours_old(0, "hello"));
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
    let remembered = scene.app.threads.remember(&scene.app.blobs, &moved).await;
    remembered.expect("written");
    let other = app_in(&scene.world, &[]);
    let chat = other
        .threads
        .chat_of(&other.blobs, &moved.thread, OffsetDateTime::now_utc())
        .await
        .expect("read");
    assert_eq!(chat, Some(moved.chat));
}

#[tokio::test]
async fn a_thread_in_use_is_written_again_once_a_day() {
    let scene = Scene::start().await;
    let name = blobs::thread(&record(ANNAS_CHAT).thread);
    let stored = || {
        let body = scene.world.blob("state", &name).expect("a record");
        serde_json::from_slice::<ThreadRecord>(&body).expect("a record")
    };
    let written = stored();
    let began = written.used.expect("a time");
    let day = Duration::DAY;
    // By answers, whatever this instance still knows of the thread.
    for (later, noted) in [
        (day / 2, began),
        (day, began + day),
        (day * 3 / 2, began + day),
    ] {
        let (threads, now) = (&scene.app.threads, began + later);
        let chat = threads
            .chat_of(&scene.app.blobs, &written.thread, now)
            .await;
        assert_eq!(chat.expect("read").as_ref(), Some(&written.chat));
        assert_eq!(stored().used, Some(noted), "{later}");
    }
    // And by the customer's messages, from another instance.
    let other = app_in(&scene.world, &[]);
    for (later, noted) in [(day * 3 / 2, began + day), (day * 9, began + day * 9)] {
        let used = ThreadRecord {
            used: Some(began + later),
            ..written.clone()
        };
        let remembered = other.threads.remember(&other.blobs, &used).await;
        remembered.expect("remembered");
        assert_eq!(stored().used, Some(noted), "{later}");
    }
}

#[tokio::test]
async fn a_claim_that_fails_keeps_its_content() {
    let scene = Scene::start().await;
    let long = "x".repeat(300 * 1024);
    let late = hours_old(7, &long);
    scene.agent_writes(&late).await;
    let failed = scene.failed();
    let kept = failed[0]["envelope"]["webhook"].as_str().expect("content");
    assert!(kept.contains(&long));
}

#[tokio::test]
async fn whom_teams_lets_nobody_write_to_is_told_of_in_the_receipt() {
    let scene = Scene::start().await;
    let thread = format!("teams-guest:support:{}", Digest::of("user", "+4930000000"));
    let thread: ThreadId = thread.parse().expect("a thread");
    let chat = "19:meeting_guest@thread.v2".parse().expect("a chat");
    let record = ThreadRecord::new(
        &thread,
        chat,
        thread.account.clone(),
        OffsetDateTime::now_utc(),
    );
    let remembered = scene.app.threads.remember(&scene.app.blobs, &record).await;
    remembered.expect("written");
    let refusal = json!({ "error": { "code": "Forbidden", "message": "no" } });
    let refusal = Reply::json(403, &refusal);
    scene.world.answer("POST", "/v1.0/chats/", refusal);
    let now = OffsetDateTime::now_utc();
    let to = json!({ "id": thread.to_string() });
    let mut message = agents_message("g-1", now, json!({}));
    message["channel"]["to"] = to;
    scene.agent_writes(message.to_string().as_bytes()).await;
    // Once more after a look whether all else is well.
    assert_eq!(posts(&scene.world).len(), 2);
    assert_eq!(scene.failed()[0]["kind"], "refused");
    let receipts = scene.receipts();
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0]["code"], "MessageNotAllowed");
    let told = "Microsoft Teams does not allow messages in this chat.";
    assert!(receipts[0].to_string().contains(told), "{receipts:?}");
}

#[tokio::test]
async fn a_refused_first_word_hints_at_a_request_that_nobody_accepted() {
    let scene = Scene::start().await;
    let refusal = json!({ "error": { "code": "Forbidden", "message": "no" } });
    let refusal = Reply::json(403, &refusal);
    let write = |id: &'static str| {
        let now = OffsetDateTime::now_utc();
        agents_message(id, now, json!({})).to_string()
    };
    let refuses = Arc::new(AtomicBool::new(true));
    let now = Arc::clone(&refuses);
    scene.world.answer_with("POST", "/v1.0/chats/", move |_| {
        now.load(Ordering::Relaxed).then(|| refusal.clone())
    });
    scene.agent_writes(write("g-1").as_bytes()).await;
    let failed = scene.failed();
    assert_eq!(failed[0]["kind"], "chat_not_accepted");
    let reason = failed[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("accept the request"), "{reason}");
    assert_eq!(scene.receipts()[0]["code"], "MessageNotAllowed");
    // Once a word of ours is in the chat, a refusal has another reason.
    refuses.store(false, Ordering::Relaxed);
    scene.agent_writes(write("g-2").as_bytes()).await;
    refuses.store(true, Ordering::Relaxed);
    scene.agent_writes(write("g-3").as_bytes()).await;
    let failed = scene.failed();
    let mut kinds: Vec<_> = failed.iter().map(|it| it["kind"].as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [Some("chat_not_accepted"), Some("refused")]);
}

#[tokio::test]
async fn an_answered_chat_is_marked_as_read_where_the_settings_ask_for_it() {
    for (setting, marks) in [("off", 0), ("on", 1)] {
        let mut scene = Scene::start().await;
        let changed = [("RETRY_FLOOR_SECONDS", "0"), ("MARK_READ", setting)];
        scene.app = app_in(&scene.world, &changed);
        scene.agent_writes(&hours_old(0, "hello")).await;
        let seen = scene.world.seen(Service::Graph).into_iter();
        let marked: Vec<Value> = seen
            .filter(|seen| seen.target.ends_with("/markChatReadForUser"))
            .map(|seen| seen.json())
            .collect();
        assert_eq!(marked.len(), marks, "{setting}");
        let tenant = scene.app.settings.tenant.as_str();
        assert!(marked.iter().all(|it| it["user"]["tenantId"] == tenant));
    }
}

mod bot;
mod presses;
mod unshown;
