use std::collections::BTreeMap;

use bridge::genesys::receipt::ReasonCode;
use bridge::queue::failed::FailedMessage;
use http::StatusCode;
use serde_json::json;
use services::testing::{Reply, Sent, World};
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::testing::{ANNAS_THREAD, agents_message, post, start, webhook};

const TICK: &str = include_str!("../../bridge/fixtures/host_timer_payload.json");
const BERTS_THREAD: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000b";
const WRITTEN: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

async fn tick(app: &Arc<App>) -> StatusCode {
    post(app, PATH, &[], TICK).await
}

/// Genesys' call with an agent's message to a thread, written so many seconds after the first one.
fn message(thread: &str, id: &str, seconds: i64) -> String {
    let mut message = agents_message(id, WRITTEN + Duration::seconds(seconds), json!({}));
    message["channel"]["to"]["id"] = json!(thread);
    message.to_string()
}

async fn call(app: &Arc<App>, body: String) -> StatusCode {
    webhook(app, body, World::WEBHOOK_SECRET).await
}

/// Has Service Bus take nothing for as long as this is true.
fn refusing_queue(world: &World) -> Arc<AtomicBool> {
    let refuses = Arc::new(AtomicBool::new(true));
    let now = Arc::clone(&refuses);
    world.answer_with("POST", "/messages", move |_| {
        now.load(Ordering::Relaxed).then(|| Reply::new(503, ""))
    });
    refuses
}

fn spooled(world: &World) -> Vec<String> {
    let mut names = world.blobs("state");
    names.retain(|name| name.starts_with(SPOOL));
    names
}

/// The ids of the messages in the lanes of a queue, in their order.
fn lanes(sent: &[Sent]) -> BTreeMap<String, Vec<String>> {
    let mut lanes = BTreeMap::<_, Vec<_>>::new();
    for sent in sent.iter().filter(|sent| sent.queue == "outbound") {
        let envelope = Envelope::parse(&sent.body).expect("an envelope");
        let webhook = webhook_of(&envelope).expect("an agent's message");
        let lane = sent.session.clone().expect("a lane");
        lanes
            .entry(lane)
            .or_default()
            .push(webhook.id.as_str().to_owned());
    }
    lanes
}

fn lane(thread: &str) -> String {
    Lane::of_thread(&thread.parse().expect("a thread"))
        .as_str()
        .to_owned()
}

#[tokio::test]
async fn what_service_bus_does_not_take_waits_and_arrives_in_its_order() {
    let (world, app) = start().await;
    let refuses = refusing_queue(&world);
    let calls = [
        message(ANNAS_THREAD, "a-1", 0),
        message(BERTS_THREAD, "b-1", 1),
        message(ANNAS_THREAD, "a-1", 0),
    ];
    for body in calls {
        assert_eq!(call(&app, body).await, StatusCode::OK);
    }
    assert_eq!(spooled(&world).len(), 2, "a repetition overwrites");
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        spooled(&world).len(),
        2,
        "nothing is removed before it is forwarded"
    );
    // Service Bus is back, but what is behind others in its lane waits with them.
    refuses.store(false, Ordering::Relaxed);
    for body in [
        message(ANNAS_THREAD, "a-3", 3),
        message(ANNAS_THREAD, "a-2", 2),
        message(
            "teams:support:0f0e0d0c-0000-4000-8000-00000000000c",
            "c-1",
            0,
        ),
    ] {
        assert_eq!(call(&app, body).await, StatusCode::OK);
    }
    assert_eq!(world.sent().len(), 1, "nothing of the third lane waits");
    assert_eq!(tick(&app).await, StatusCode::OK);
    let sent = lanes(&world.sent());
    assert_eq!(sent[&lane(ANNAS_THREAD)], ["a-1", "a-2", "a-3"]);
    assert_eq!(sent[&lane(BERTS_THREAD)], ["b-1"]);
    assert_eq!(spooled(&world), [""; 0]);
    let after = message(ANNAS_THREAD, "a-4", 4);
    assert_eq!(call(&app, after).await, StatusCode::OK);
    assert_eq!(lanes(&world.sent())[&lane(ANNAS_THREAD)].len(), 4);
}

#[tokio::test]
async fn a_run_that_was_killed_before_it_removed_a_message_repeats_it_under_its_id() {
    let (world, app) = start().await;
    let refuses = refusing_queue(&world);
    call(&app, message(ANNAS_THREAD, "a-1", 0)).await;
    refuses.store(false, Ordering::Relaxed);
    world.answer_once("DELETE", "state/spool", Reply::new(503, ""));
    assert_eq!(tick(&app).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(spooled(&world).len(), 1);
    assert_eq!(tick(&app).await, StatusCode::OK);
    let sent = world.sent();
    assert_eq!(sent.len(), 2);
    assert!(sent[0].message_id.is_some());
    assert_eq!(sent[0].message_id, sent[1].message_id, "the queue knows it");
}

#[tokio::test]
async fn without_service_bus_and_blob_genesys_is_asked_to_repeat() {
    let (world, app) = start().await;
    refusing_queue(&world);
    world.answer("PUT", "state/spool", Reply::new(503, ""));
    let body = message(ANNAS_THREAD, "a-1", 0);
    assert_eq!(call(&app, body).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json!(app.counters)["deferred"], 1);
    assert_eq!(world.sent(), []);
}

#[tokio::test]
async fn a_blob_store_that_does_not_answer_keeps_no_message_from_its_queue() {
    let (world, app) = start().await;
    world.answer("GET", "comp=list", Reply::new(503, ""));
    let body = message(ANNAS_THREAD, "a-1", 0);
    assert_eq!(call(&app, body).await, StatusCode::OK);
    assert_eq!(world.sent().len(), 1);
}

#[tokio::test]
async fn what_no_queue_takes_goes_to_failed_and_holds_nobody_up() {
    let (world, app) = start().await;
    let refuses = refusing_queue(&world);
    for (id, seconds) in [("a-1", 0), ("a-2", 1)] {
        call(&app, message(ANNAS_THREAD, id, seconds)).await;
    }
    let zeros = "0".repeat(32);
    let damaged = format!("spool/{zeros}/000000000000001-{zeros}.json");
    world.put_blob("state", &damaged, "no envelope");
    world.put_blob("state", "spool/of-somebody-else", "what is this?");
    refuses.store(false, Ordering::Relaxed);
    world.answer_with("POST", "/outbound/messages", |seen| {
        let body = String::from_utf8_lossy(&seen.body);
        body.contains("a-1").then(|| Reply::new(400, ""))
    });
    assert_eq!(tick(&app).await, StatusCode::OK);
    assert_eq!(spooled(&world), ["spool/of-somebody-else"]);
    assert_eq!(lanes(&world.sent())[&lane(ANNAS_THREAD)], ["a-2"]);
    let failed = world.blobs("failed").into_iter().map(|name| {
        let body = world.blob("failed", &name).expect("a blob");
        serde_json::from_slice::<FailedMessage>(&body).expect("a failed message")
    });
    let mut failed: Vec<FailedMessage> = failed.collect();
    failed.sort_by_key(|message| message.message_id.is_some());
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().all(|it| it.kind == "spool_refused"));
    assert_eq!(failed[1].lane, lane(ANNAS_THREAD));
    assert_eq!(failed[1].receipt, ReasonCode::InvalidMessageStructure);
}
