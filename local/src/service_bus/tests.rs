use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::{advance, timeout};

use super::broker_properties::BrokerProperties;
use super::*;
use crate::entra::Entra;
use crate::testing;
use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);
const LOCK: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);

/// A queue with sessions, changed like this.
fn queue(change: impl FnOnce(&mut QueueSettings)) -> Arc<Queue> {
    let mut settings = QueueSettings {
        name: "q".to_owned(),
        sessions: true,
        duplicate_window: Some(6 * HOUR),
        lock: LOCK,
        max_delivery_count: 10,
        time_to_live: HOUR,
        dead_letter_on_expiry: true,
    };
    change(&mut settings);
    Queue::new(settings)
}

fn draft(session: &str, id: &str) -> Draft {
    let broker = BrokerProperties {
        session_id: Some(session.to_owned()),
        message_id: Some(id.to_owned()),
        correlation_id: Some(id.to_owned()),
        ..BrokerProperties::default()
    };
    Draft {
        broker,
        ..Draft::default()
    }
}

/// A queue with messages of these ids in one lane.
fn lane(ids: &[&str]) -> Arc<Queue> {
    let queue = queue(|_| {});
    send(&queue, ids.iter().map(|id| draft("a", id)).collect());
    queue
}

fn send(queue: &Queue, drafts: Vec<Draft>) -> Vec<Sent> {
    let mut outcomes = Vec::new();
    queue.send(drafts, |_, sent| outcomes.push(sent));
    outcomes
}

/// Id and delivery count of the lane's next message.
async fn next(receiver: &Receiver) -> Option<(String, u32)> {
    let message = receiver.receive(IDLE).await?;
    Some((message.message_id, message.delivery_count))
}

fn is(id: &str, delivery_count: u32) -> Option<(String, u32)> {
    Some((id.to_owned(), delivery_count))
}

#[tokio::test(start_paused = true)]
async fn a_lane_is_first_in_first_out_and_a_failure_comes_again_first() {
    let queue = lane(&["1", "2"]);
    let receiver = queue.accept(HostId(0), None).await;
    assert_eq!(next(&receiver).await, is("1", 1));
    receiver.abandon().expect("held");
    assert_eq!(next(&receiver).await, is("1", 2));
    receiver.complete().expect("held");
    assert_eq!(next(&receiver).await, is("2", 1));
    receiver.complete().expect("held");
    assert_eq!(next(&receiver).await, None);
    drop(receiver);
    assert_eq!(queue.view().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn lanes_are_spread_over_the_hosts_that_wait() {
    let queue = queue(|_| {});
    let accept = |host| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.accept(HostId(host), None).await })
    };
    send(&queue, vec![draft("a", "1")]);
    let _first = accept(0).await.expect("the only lane");
    let (busy, idle) = (accept(0), accept(1));
    tokio::task::yield_now().await;
    send(&queue, vec![draft("b", "2")]);
    let second = timeout(IDLE, idle).await.expect("the idle host's turn");
    let second = second.expect("a lane");
    assert_eq!(second.lock.lane, "b");
    // Both lanes are held: a third receiver waits.
    assert!(timeout(IDLE, busy).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_repeated_id_is_dropped_within_the_window_only() {
    let queue = queue(|_| {});
    assert_eq!(send(&queue, vec![draft("a", "1")]), [Sent::Accepted]);
    advance(3 * HOUR).await;
    assert_eq!(send(&queue, vec![draft("b", "1")]), [Sent::Duplicate]);
    advance(3 * HOUR + SECOND).await;
    assert_eq!(send(&queue, vec![draft("a", "1")]), [Sent::Accepted]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_host_keeps_its_lanes_until_the_lock_ends() {
    let queue = lane(&["1"]);
    let receiver = queue.accept(HostId(0), None).await;
    assert_eq!(next(&receiver).await, is("1", 1));
    queue.host_died(HostId(0));
    assert_eq!(receiver.complete(), Err(LockLost), "nobody is there");
    drop(receiver);
    let early = timeout(LOCK - SECOND, queue.accept(HostId(1), None)).await;
    assert!(early.is_err());
    let receiver = timeout(2 * SECOND, queue.accept(HostId(1), None)).await;
    let receiver = receiver.expect("the lock ended");
    assert_eq!(next(&receiver).await, is("1", 2));
}

/// Accepts the one lane with a lock of 60 s that is renewed for so long, and holds its message for 20 minutes; when a second
/// acceptor got the message, if it did.
async fn lost_after(renewal: Option<Duration>) -> Option<Duration> {
    let queue = lane(&["1", "2"]);
    let start = tokio::time::Instant::now();
    let first = queue.accept(HostId(0), renewal).await;
    assert_eq!(next(&first).await, is("1", 1));
    let second = timeout(20 * 60 * SECOND, async {
        let second = queue.accept(HostId(0), None).await;
        assert_eq!(next(&second).await, is("1", 2));
        (second, start.elapsed())
    });
    let Ok((second, came)) = second.await else {
        first.complete().expect("held all the time");
        assert_eq!(next(&first).await, is("2", 1), "the lane goes on");
        return None;
    };
    assert_eq!(first.complete(), Err(LockLost));
    assert_eq!(next(&first).await, None, "the lane belongs to the second");
    second.complete().expect("held by the second");
    Some(came)
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_renewed_for_so_long_from_its_acceptance_and_then_lost() {
    // Renewed after 50 s, 100 s, … 550 s; the last renewal lasts for 60 s.
    let ten_minutes = Some(600 * SECOND);
    assert_eq!(lost_after(ten_minutes).await, Some(610 * SECOND));
    assert_eq!(lost_after(Some(Duration::ZERO)).await, Some(LOCK));
    assert_eq!(lost_after(None).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_lane_let_go_is_no_failed_delivery() {
    let queue = lane(&["1"]);
    for _ in 0..2 {
        let receiver = queue.accept(HostId(0), None).await;
        assert_eq!(next(&receiver).await, is("1", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_deliveries_end_in_the_dead_letters() {
    let queue = queue(|settings| settings.max_delivery_count = 2);
    send(&queue, vec![draft("a", "1"), draft("a", "2")]);
    let receiver = queue.accept(HostId(0), None).await;
    for count in 1..=2 {
        assert_eq!(next(&receiver).await, is("1", count));
        receiver.abandon().expect("held");
    }
    assert_eq!(next(&receiver).await, is("2", 1));
    assert_eq!(queue.view().dead_letters, 1);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_holds_a_message_back_and_time_to_live_ends_it() {
    let queue = queue(|_| {});
    let mut later = draft("a", "1");
    later.broker.scheduled_at = Some(OffsetDateTime::now_utc() + 30 * SECOND);
    let mut short = draft("b", "2");
    short.broker.time_to_live = Some(5 * SECOND);
    send(&queue, vec![later, short]);
    assert_eq!(queue.view().scheduled, 1);
    advance(6 * SECOND).await;
    let view = queue.view();
    assert_eq!((view.active, view.dead_letters), (0, 1));
    let receiver = timeout(25 * SECOND, queue.accept(HostId(0), None)).await;
    assert_eq!(receiver.expect("due").lock.lane, "a");
}

#[tokio::test(start_paused = true)]
async fn without_sessions_messages_do_not_wait_for_each_other_and_expire_without_a_trace() {
    let queue = queue(|settings| {
        settings.sessions = false;
        settings.duplicate_window = None;
        settings.dead_letter_on_expiry = false;
    });
    send(&queue, vec![Draft::default(); 3]);
    let first = queue.accept(HostId(0), None).await;
    let second = queue.accept(HostId(0), None).await;
    assert!(first.receive(IDLE).await.is_some());
    assert!(second.receive(IDLE).await.is_some());
    advance(HOUR).await;
    let view = queue.view();
    assert_eq!((view.active, view.sessions, view.dead_letters), (2, 0, 0));
}

/// The REST interface of a namespace, with a token for it.
struct Service {
    bus: Arc<ServiceBus>,
    entra: Arc<Entra>,
    token: String,
}

impl Service {
    fn new() -> Self {
        let world = World::for_tests();
        let entra = Entra::new(Arc::clone(&world));
        let sender = entra.managed_identity_principal();
        let claims = json!({ "aud": "https://servicebus.azure.net", "oid": sender });
        Self {
            bus: ServiceBus::new(world, LOCK),
            token: entra.issue(claims),
            entra,
        }
    }

    /// The status of sending this with one more header.
    async fn post(&self, path: &str, header: (&str, &str), body: impl Into<Body>) -> u16 {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header(header.0, header.1)
            .body(body.into());
        let router = router(&self.bus, &self.entra);
        let answer = testing::send(router, request.expect("a request"));
        answer.await.status
    }

    fn active(&self) -> usize {
        self.bus.view()[0].active
    }
}

#[tokio::test]
async fn sending_is_refused_where_service_bus_refuses_it() {
    let mut service = Service::new();
    let properties = ("brokerproperties", r#"{"SessionId":"s","MessageId":"m"}"#);
    let path = "/inbound/messages";
    for (path, header, bytes, status) in [
        ("/nowhere/messages", properties, 1, 410),
        (path, ("x-other", "no session"), 1, 400),
        (path, ("brokerproperties", "[]"), 1, 400),
        (path, properties, 256 * 1024, 403),
    ] {
        let refused = service.post(path, header, vec![b'x'; bytes]).await;
        assert_eq!(refused, status, "{path} {header:?}");
    }
    assert_eq!(service.active(), 0);
    assert_eq!(service.post(path, properties, "x").await, 201);
    assert_eq!(service.post(path, properties, "x").await, 201);
    assert_eq!(service.active(), 1, "the repeated one was dropped");

    let sender = service.entra.managed_identity_principal();
    let vault = json!({ "aud": "https://vault.azure.net", "oid": sender });
    let stranger = json!({ "aud": "https://servicebus.azure.net", "oid": "somebody" });
    for claims in [vault, stranger] {
        service.token = service.entra.issue(claims);
        assert_eq!(service.post(path, properties, "x").await, 401);
    }

    // An operator has a role on the queues whose messages are kept.
    let login = service.entra.operator_login("servicebus.azure.net");
    service.token = login["accessToken"].as_str().expect("a token").to_owned();
    let other = ("brokerproperties", r#"{"SessionId":"s","MessageId":"n"}"#);
    for (queue, status) in [("inbound", 201), ("outbound", 201), ("typing", 401)] {
        let path = format!("/{queue}/messages");
        assert_eq!(service.post(&path, other, "x").await, status, "{queue}");
    }
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let service = Service::new();
    let item = |session: Option<&str>, id: &str| {
        json!({ "Body": "x", "UserProperties": {}, "BrokerProperties": {
            "SessionId": session, "MessageId": id, "TimeToLiveTimeSpan": "0.00:00:40" } })
    };
    let send = async |items: Value| {
        let kind = ("content-type", "application/vnd.microsoft.servicebus.json");
        let body = items.to_string();
        service.post("/inbound/messages", kind, body).await
    };
    let mut large = item(Some("a"), "1");
    large["Body"] = json!("x".repeat(150 * 1024));
    for (items, status) in [
        (json!([]), 400),
        (json!({}), 400),
        (json!([item(Some("a"), "1"), item(None, "2")]), 400),
        (
            json!([item(Some("a"), "1"), item(Some("a"), &"2".repeat(129))]),
            400,
        ),
        (json!([large, large]), 403),
    ] {
        assert_eq!(send(items).await, status);
    }
    assert_eq!(service.active(), 0, "nothing of it was taken");

    let ids = ["1", "2", "2", "3"];
    let whole: Value = ids.iter().map(|id| item(Some("a"), id)).collect();
    assert_eq!(send(whole).await, 201);
    let queue = service.bus.queue("inbound").expect("the queue");
    let receiver = queue.accept(HostId(0), None).await;
    for id in ["1", "2", "3"] {
        let message = receiver.receive(IDLE).await.expect("one more");
        assert_eq!(message.message_id, id, "in order, the repeated one dropped");
        receiver.complete().expect("held");
    }
    // Our queues are not partitioned.
    let two_sessions = json!([item(Some("a"), "4"), item(Some("b"), "5")]);
    assert_eq!(send(two_sessions).await, 201);
    assert_eq!(service.bus.view()[0].lanes, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn what_outlived_its_time_is_put_aside_but_for_the_one_under_way() {
    let queue = lane(&["1", "2", "3"]);
    let receiver = queue.accept(HostId(0), None).await;
    assert_eq!(next(&receiver).await, is("1", 1));
    assert_eq!(queue.outlive("a"), 2);
    assert_eq!(queue.view().dead_letters, 2);
    let locked = queue.lock_dead_letter().expect("a letter");
    assert_eq!(locked.message.message_id, "2");
    assert_eq!(locked.reason.as_str(), "TTLExpiredException");
    let settle = |complete: bool| {
        let message = locked.message.sequence.to_string();
        queue.settle_dead_letter(|letters, now| match complete {
            true => letters.complete(&message, locked.token, now),
            false => letters.unlock(&message, locked.token, now),
        })
    };
    // A lock ends by itself, and whoever had it has it no longer.
    assert!(queue.lock_dead_letter().is_some() && queue.lock_dead_letter().is_none());
    advance(LOCK + SECOND).await;
    assert!(!settle(true) && !settle(false));
    let again = queue.lock_dead_letter().expect("the first again");
    assert_eq!(
        again.message.delivery_count,
        locked.message.delivery_count + 1
    );
    assert_eq!(queue.view().dead_letters, 2);
}

#[tokio::test]
async fn dead_letters_are_taken_away_over_rest() {
    let mut service = Service::new();
    let queue = service.bus.queue("inbound").expect("the queue");
    let call = async |service: &Service, method: &str, path: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "bus.example")
            .header("authorization", format!("Bearer {}", service.token))
            .body(Body::empty());
        testing::send(
            router(&service.bus, &service.entra),
            request.expect("a request"),
        )
        .await
    };
    let head = "/inbound/$DeadLetterQueue/messages/head?timeout=1";
    assert_eq!(call(&service, "POST", head).await.status, 204);
    assert_eq!(
        call(&service, "POST", "/inbound/other/messages/head")
            .await
            .status,
        410
    );
    assert_eq!(
        call(&service, "POST", "/nowhere/$deadletterqueue/messages/head")
            .await
            .status,
        410
    );
    send(&queue, vec![draft("a", "1")]);
    assert_eq!(queue.outlive("a"), 1);
    let locked = call(&service, "POST", head).await;
    assert_eq!(locked.status, 201);
    let header = |name: &str| locked.headers[name].to_str().expect("text").to_owned();
    assert_eq!(header("deadletterreason"), "\"TTLExpiredException\"");
    let properties: Value = serde_json::from_str(&header("brokerproperties")).expect("JSON");
    assert_eq!(
        (&properties["SessionId"], &properties["MessageId"]),
        (&json!("a"), &json!("1"))
    );
    let enqueued = properties["EnqueuedTimeUtc"].as_str().expect("a date");
    assert!(enqueued.ends_with(" GMT"), "{enqueued}");
    assert_eq!(
        call(&service, "POST", head).await.status,
        204,
        "it is locked"
    );
    let place = header("location");
    let place = place
        .strip_prefix("https://bus.example")
        .expect("our own address");
    assert_eq!(call(&service, "PUT", place).await.status, 200);
    assert_eq!(
        call(&service, "DELETE", place).await.status,
        404,
        "it is no longer held"
    );
    let again = call(&service, "POST", head).await;
    let place = again.headers["location"].to_str().expect("text").to_owned();
    let place = place
        .strip_prefix("https://bus.example")
        .expect("our own address");
    let token = std::mem::take(&mut service.token);
    assert_eq!(call(&service, "DELETE", place).await.status, 401);
    service.token = token;
    assert_eq!(call(&service, "DELETE", place).await.status, 200);
    assert_eq!(queue.view().dead_letters, 0);
}
