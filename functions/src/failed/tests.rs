//! Failed messages and what a person does about them, with all outside services in memory.

use std::cell::RefCell;
use std::sync::Arc;

use bridge::ids::{ChatId, ThreadId};
use bridge::queue::selection::Selection;
use bridge::state::blobs;
use bridge::state::thread::ThreadRecord;
use http::StatusCode;
use serde_json::{Value, json};
use services::testing::{Reply, Sent, World};
use time::OffsetDateTime;

use super::*;
use crate::app::App;
use crate::testing::{
    ANNA, ANNAS_CHAT, ANNAS_THREAD, agents_message, app_in, deliver, desk, posts, webhook,
};

struct Scene {
    world: World,
    app: Arc<App>,
    desk: Desk,
}

impl Scene {
    /// A world that knows no thread yet, so that agents' messages fail.
    async fn start() -> Self {
        let world = World::start().await;
        let changed = [
            ("RETRY_FLOOR_SECONDS", "0"),
            ("UNKNOWN_THREAD_SECONDS", "1"),
        ];
        let app = app_in(&world, &changed);
        let desk = desk(&world);
        Self { world, app, desk }
    }

    /// The agent writes to a thread; the message as it lies on the queue.
    async fn agent_writes(&self, id: &str, thread: &str) -> Sent {
        let now = OffsetDateTime::now_utc();
        let channel = json!({ "to": { "id": thread } });
        let body = agents_message(id, now, json!({ "text": id, "channel": channel }));
        let before = self.world.sent().len();
        let status = webhook(&self.app, body.to_string(), World::WEBHOOK_SECRET).await;
        assert_eq!(status, StatusCode::OK);
        self.world.sent()[before].clone()
    }

    /// The agent writes, and the message fails.
    async fn agent_fails(&self, id: &str, thread: &str) {
        let sent = self.agent_writes(id, thread).await;
        assert_eq!(deliver(&self.app, &sent, 1).await, StatusCode::OK);
    }

    /// From now on the thread's chat is known.
    fn knows_the_thread(&self) {
        let thread: ThreadId = ANNAS_THREAD.parse().expect("a thread");
        let chat: ChatId = ANNAS_CHAT.parse().expect("a chat");
        let record = ThreadRecord::new(
            &thread,
            chat,
            thread.account.clone(),
            OffsetDateTime::now_utc(),
        );
        let body = serde_json::to_vec(&record).expect("JSON");
        self.world
            .put_blob("state", &blobs::thread(&record.thread), body);
    }

    async fn find(&self) -> Found {
        let found = self.desk.find(&Selection::default()).await;
        found.expect("readable")
    }

    /// Replays all, and tells what became of each, in the order in which it was told.
    async fn replay(&self) -> Vec<String> {
        let ends = RefCell::new(Vec::new());
        let tell = |_: &Failed, end: &End| {
            let word = format!("{end:?}");
            let word = word.split(['(', ' ']).next().unwrap_or_default();
            ends.borrow_mut().push(word.to_owned());
        };
        self.desk.replay(&self.find().await, false, tell).await;
        ends.into_inner()
    }

    /// What was sent to the queue of agents' messages since.
    fn outbound(&self, since: usize) -> Vec<Sent> {
        let mut sent = self.world.sent().split_off(since);
        sent.retain(|it| it.queue == "outbound");
        sent
    }

    /// How agents' messages ended whose receipts lie on the queue, with the ids that duplicate detection compares.
    fn receipts(&self) -> Vec<(String, Option<String>)> {
        let sent = self.world.sent().into_iter();
        let receipt = |sent: Sent| {
            let envelope: Value = serde_json::from_slice(&sent.body).ok()?;
            let status = envelope["outcome"]["status"].as_str()?.to_owned();
            Some((status, sent.message_id))
        };
        sent.filter_map(receipt).collect()
    }
}

#[tokio::test]
async fn agents_messages_go_back_in_order_and_end_with_a_receipt_of_their_own() {
    let scene = Scene::start().await;
    for id in ["g-1", "g-2", "g-3"] {
        scene.agent_fails(id, ANNAS_THREAD).await;
    }
    assert_eq!(scene.world.blobs("failed").len(), 3);
    assert_eq!(posts(&scene.world), Vec::<Value>::new());
    scene.knows_the_thread();
    let before = scene.world.sent().len();
    assert_eq!(scene.replay().await, ["Replayed", "Replayed", "Replayed"]);
    assert!(scene.world.blobs("failed").is_empty());
    for sent in scene.outbound(before) {
        // However often it is delivered, no verdict on what failed before stops it.
        for times in [2, 3] {
            assert_eq!(deliver(&scene.app, &sent, times).await, StatusCode::OK);
        }
    }
    assert_eq!(posts(&scene.world), ["g-1", "g-2", "g-3"]);
    let receipts = scene.receipts();
    let (failed, delivered) = receipts.split_at(3);
    for (number, (status, id)) in failed.iter().enumerate() {
        assert_eq!(status, "failed");
        assert!(
            delivered
                .iter()
                .all(|it| it.0 == "delivered" && it.1 != *id)
        );
        assert_ne!(delivered[number * 2].1, None);
    }
    // Nothing is left to replay.
    assert_eq!(scene.replay().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_replay_that_fails_again_is_a_failed_message_again() {
    let scene = Scene::start().await;
    scene.agent_fails("g-1", ANNAS_THREAD).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let before = scene.world.sent().len();
        assert_eq!(scene.replay().await, ["Replayed"]);
        let sent = scene.outbound(before).remove(0);
        assert_eq!(deliver(&scene.app, &sent, 1).await, StatusCode::OK);
        assert_eq!(scene.world.blobs("failed").len(), 1);
        ids.push(sent.message_id);
    }
    assert_ne!(ids[0], ids[1]);
    // The agent is told each time.
    let receipts = scene.receipts();
    assert_eq!(receipts.len(), 3);
    assert!(receipts[0].1 != receipts[1].1 && receipts[1].1 != receipts[2].1);
}

#[tokio::test]
async fn a_replay_that_is_broken_off_loses_nothing_and_repeats_nothing() {
    let scene = Scene::start().await;
    scene.agent_fails("g-1", ANNAS_THREAD).await;
    scene.knows_the_thread();
    let before = scene.world.sent().len();
    scene
        .world
        .answer_once("DELETE", "/failed/", Reply::new(403, "<Error/>"));
    assert_eq!(scene.replay().await, ["NotRemoved"]);
    assert_eq!(scene.world.blobs("failed").len(), 1);
    assert_eq!(scene.replay().await, ["Replayed"]);
    assert!(scene.world.blobs("failed").is_empty());
    let sent = scene.outbound(before);
    assert_eq!(sent.len(), 2);
    // The queue takes it for one; and should it not, the chat's state does.
    assert_eq!(
        (&sent[0].message_id, &sent[0].body),
        (&sent[1].message_id, &sent[1].body)
    );
    for sent in &sent {
        assert_eq!(deliver(&scene.app, sent, 1).await, StatusCode::OK);
    }
    assert_eq!(posts(&scene.world), ["g-1"]);
}

#[tokio::test]
async fn what_cannot_be_sent_stays_and_holds_up_its_own_lane_alone() {
    let scene = Scene::start().await;
    let other = format!("teams:support:{}", ANNA.replace("000a", "000b"));
    for (id, thread) in [
        ("g-1", ANNAS_THREAD),
        ("g-2", ANNAS_THREAD),
        ("g-3", &other),
    ] {
        scene.agent_fails(id, thread).await;
    }
    scene
        .world
        .answer_with("POST", "/outbound/messages", |seen| {
            let is_first = String::from_utf8_lossy(&seen.body).contains("g-1");
            is_first.then(|| Reply::new(503, ""))
        });
    let before = scene.world.sent().len();
    let mut ends = scene.replay().await;
    ends.sort();
    assert_eq!(ends, ["Behind", "NotSent", "Replayed"]);
    assert_eq!(scene.world.blobs("failed").len(), 2);
    assert_eq!(scene.outbound(before).len(), 1);
}

#[tokio::test]
async fn a_large_message_goes_back_by_its_blob() {
    let scene = Scene::start().await;
    let now = OffsetDateTime::now_utc();
    let text = "x".repeat(200 * 1024);
    let body = agents_message("g-1", now, json!({ "text": text })).to_string();
    let status = webhook(&scene.app, body, World::WEBHOOK_SECRET).await;
    assert_eq!(status, StatusCode::OK);
    let sent = scene.world.sent()[0].clone();
    assert_eq!(deliver(&scene.app, &sent, 1).await, StatusCode::OK);
    scene.knows_the_thread();
    let before = scene.world.sent().len();
    assert_eq!(scene.replay().await, ["Replayed"]);
    let sent = scene.outbound(before).remove(0);
    assert!(sent.body.len() < 1024);
    assert_eq!(deliver(&scene.app, &sent, 1).await, StatusCode::OK);
    let shown: usize = posts(&scene.world)
        .iter()
        .map(|it| it.to_string().len())
        .sum();
    assert!(shown > 200 * 1024);
}

#[tokio::test]
async fn only_what_was_seen_is_removed() {
    let scene = Scene::start().await;
    scene.agent_fails("g-1", ANNAS_THREAD).await;
    scene.world.put_blob("failed", "lane/strange.json", "hello");
    let found = scene.find().await;
    assert_eq!(
        (found.failed.len(), &found.strange[..]),
        (1, &["lane/strange.json".to_owned()][..])
    );
    let blob = &found.failed[0].blob;
    // It fails once more while somebody looks at it.
    let body = scene.world.blob("failed", blob).expect("a blob");
    scene.world.put_blob("failed", blob, body);
    assert!(!scene.desk.discard(&found, blob).await.expect("an answer"));
    assert!(
        scene
            .desk
            .discard(&found, "lane/strange.json")
            .await
            .expect("an answer")
    );
    assert_eq!(scene.world.blobs("failed"), [blob.as_str()]);
    assert!(
        !scene
            .desk
            .discard(&found, "lane/other.json")
            .await
            .expect("an answer")
    );
    let found = scene.find().await;
    assert!(scene.desk.discard(&found, blob).await.expect("an answer"));
    assert!(scene.world.blobs("failed").is_empty());
    // By its name it is read without a look at the others.
    let selection = Selection {
        blobs: [blob.clone()].into(),
        ..Selection::default()
    };
    let found = scene.desk.find(&selection).await.expect("an answer");
    assert!(found.failed.is_empty() && found.strange.is_empty());
}

#[tokio::test]
async fn dead_letters_become_failed_messages_and_their_agents_are_told() {
    let scene = Scene::start().await;
    let sent = scene.agent_writes("g-1", ANNAS_THREAD).await;
    let lane = sent.session.clone().expect("a lane");
    scene
        .world
        .put_dead_letter("outbound", &lane, sent.body.clone(), "TTLExpiredException");
    scene
        .world
        .put_dead_letter("inbound", "lane", "hello", "MaxDeliveryCountExceeded");
    let told = RefCell::new(Vec::new());
    let tell = |it: &Failed| told.borrow_mut().push(it.message.kind.clone());
    let kinds = ["dead_letter_retried", "dead_letter_expired"];

    scene.desk.drain(true, tell).await.expect("a look");
    assert_eq!(told.take(), kinds);
    assert_eq!(scene.world.dead_letters(), 2);
    assert!(scene.world.blobs("failed").is_empty());

    // It is broken off after the message was stored.
    scene
        .world
        .answer_once("DELETE", "/$deadletterqueue/", Reply::new(503, ""));
    scene.desk.drain(false, tell).await.expect_err("broken off");
    assert_eq!(
        (
            scene.world.blobs("failed").len(),
            scene.world.dead_letters()
        ),
        (1, 2)
    );
    scene.world.unlock_dead_letters();
    scene.desk.drain(false, tell).await.expect("drained");
    assert_eq!(told.take(), kinds);
    assert_eq!(
        (
            scene.world.blobs("failed").len(),
            scene.world.dead_letters()
        ),
        (2, 0)
    );
    let receipts = scene.receipts();
    assert_eq!((receipts.len(), receipts[0].0.as_str()), (1, "failed"));

    // The same commands serve.
    scene.knows_the_thread();
    let before = scene.world.sent().len();
    let mut ends = scene.replay().await;
    ends.sort();
    assert_eq!(ends, ["Left", "Replayed"]);
    let sent = scene.outbound(before).remove(0);
    assert_eq!(sent.session, Some(lane));
    assert_eq!(deliver(&scene.app, &sent, 1).await, StatusCode::OK);
    assert_eq!(posts(&scene.world), ["g-1"]);
}

#[tokio::test]
async fn a_verdict_that_is_stored_already_stays_what_it_is() {
    let scene = Scene::start().await;
    let sent = scene.agent_writes("g-1", ANNAS_THREAD).await;
    assert_eq!(deliver(&scene.app, &sent, 1).await, StatusCode::OK);
    let before = scene.find().await;
    let lane = sent.session.expect("a lane");
    scene
        .world
        .put_dead_letter("outbound", &lane, sent.body, "MaxDeliveryCountExceeded");
    scene.desk.drain(false, |_| {}).await.expect("drained");
    let after = scene.find().await;
    assert_eq!((after.failed.len(), scene.world.dead_letters()), (1, 0));
    assert_eq!(after.failed[0].message.kind, before.failed[0].message.kind);
    // The agent's second receipt has the first one's id, so that the queue drops it.
    let receipts = scene.receipts();
    assert_eq!(receipts[0].1, receipts[1].1);
}
