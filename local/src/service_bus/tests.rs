use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tower::ServiceExt;

use super::*;
use crate::world::World;

fn queue(change: impl FnOnce(&mut QueueSettings)) -> Arc<Queue> {
    let mut settings = QueueSettings {
        name: "q".to_owned(),
        sessions: true,
        duplicate_window: Some(6 * HOUR),
        lock: Duration::from_secs(60),
        max_delivery_count: 10,
        time_to_live: HOUR,
        dead_letter_on_expiry: true,
    };
    change(&mut settings);
    Queue::new(settings)
}

fn draft(session: &str, id: &str) -> Draft {
    Draft {
        session_id: Some(session.to_owned()),
        message_id: Some(id.to_owned()),
        ..Draft::default()
    }
}

fn send(queue: &Queue, drafts: Vec<Draft>) -> Vec<Sent> {
    let mut outcomes = Vec::new();
    queue.send(drafts, |_, sent| outcomes.push(sent));
    outcomes
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const IDLE: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn a_lane_is_first_in_first_out_and_a_failure_comes_again_first() {
    let queue = queue(|_| {});
    send(&queue, vec![draft("a", "1"), draft("a", "2")]);
    let receiver = queue.accept(HostId(0), None).await;
    let first = receiver.receive(IDLE).await.expect("first");
    assert_eq!(
        (first.message.message_id.as_str(), first.delivery_count),
        ("1", 1)
    );
    receiver.abandon().expect("held");
    let again = receiver.receive(IDLE).await.expect("again");
    assert_eq!(
        (again.message.message_id.as_str(), again.delivery_count),
        ("1", 2)
    );
    receiver.complete().expect("held");
    let second = receiver.receive(IDLE).await.expect("second");
    assert_eq!(second.message.message_id, "2");
    receiver.complete().expect("held");
    assert!(receiver.receive(IDLE).await.is_none());
    drop(receiver);
    assert_eq!(queue.counts().sessions, 0);
}

#[tokio::test(start_paused = true)]
async fn lanes_are_spread_over_the_hosts_that_wait() {
    let queue = queue(|_| {});
    let accept = |host| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.accept(HostId(host), None).await })
    };
    let (first, second) = (accept(0), accept(1));
    tokio::task::yield_now().await;
    send(&queue, vec![draft("a", "1"), draft("b", "2")]);
    let lanes = [first.await.expect("first"), second.await.expect("second")];
    assert_ne!(lanes[0].lane(), lanes[1].lane());
    // Both lanes are held: a third receiver waits.
    let third = tokio::time::timeout(IDLE, queue.accept(HostId(2), None)).await;
    assert!(third.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_repeated_id_is_dropped_within_the_window_only() {
    let queue = queue(|_| {});
    assert_eq!(send(&queue, vec![draft("a", "1")]), [Sent::Accepted]);
    assert_eq!(send(&queue, vec![draft("b", "1")]), [Sent::Duplicate]);
    tokio::time::advance(6 * HOUR + Duration::from_secs(1)).await;
    assert_eq!(send(&queue, vec![draft("a", "1")]), [Sent::Accepted]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_host_keeps_its_lanes_until_the_lock_ends() {
    let queue = queue(|_| {});
    send(&queue, vec![draft("a", "1")]);
    let receiver = queue.accept(HostId(0), None).await;
    receiver.receive(IDLE).await.expect("first");
    queue.host_died(HostId(0));
    drop(receiver);
    let early = tokio::time::timeout(Duration::from_secs(59), queue.accept(HostId(1), None)).await;
    assert!(early.is_err());
    let receiver = tokio::time::timeout(Duration::from_secs(2), queue.accept(HostId(1), None))
        .await
        .expect("the lock ended");
    assert_eq!(
        receiver.receive(IDLE).await.map(|it| it.delivery_count),
        Some(2)
    );
}

/// Accepts the one lane with a lock of 60 s that is renewed for so long, and holds its message for 20 minutes; whether the
/// lock held, and what a second acceptor had got meanwhile, when.
async fn held_for_long(renewal: Option<Duration>) -> (Result<(), LockLost>, Vec<(u32, Duration)>) {
    let queue = queue(|_| {});
    send(&queue, vec![draft("a", "1"), draft("a", "2")]);
    let start = tokio::time::Instant::now();
    let first = queue.accept(HostId(0), renewal).await;
    first.receive(IDLE).await.expect("the first delivery");
    let second = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move {
            let second = queue.accept(HostId(0), None).await;
            let delivery = second.receive(IDLE).await.expect("a delivery");
            assert_eq!(delivery.message.message_id, "1");
            (second, (delivery.delivery_count, start.elapsed()))
        }
    });
    tokio::time::sleep(Duration::from_secs(20 * 60)).await;
    let settled = first.complete();
    let next = first.receive(IDLE).await.map(|it| it.message.message_id);
    if settled.is_ok() {
        assert_eq!(
            next.as_deref(),
            Some("2"),
            "the lane goes on under the lock"
        );
        second.abort();
        return (settled, Vec::new());
    }
    assert_eq!(next, None, "the lane belongs to the second holder");
    let (second, came) = second.await.expect("a second holder");
    second.complete().expect("held by the second");
    (settled, vec![came])
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_renewed_for_so_long_from_its_acceptance_and_then_lost() {
    // Renewed after 50 s, 100 s, … 550 s; the last renewal lasts for 60 s.
    let (settled, came) = held_for_long(Some(Duration::from_secs(600))).await;
    assert_eq!(settled, Err(LockLost));
    assert_eq!(came, [(2, Duration::from_secs(610))]);
    let (settled, came) = held_for_long(Some(Duration::ZERO)).await;
    assert_eq!(settled, Err(LockLost));
    assert_eq!(came, [(2, Duration::from_secs(60))]);
    assert_eq!(held_for_long(None).await, (Ok(()), Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_lane_let_go_is_no_failed_delivery() {
    let queue = queue(|_| {});
    send(&queue, vec![draft("a", "1")]);
    let receiver = queue.accept(HostId(0), None).await;
    receiver.receive(IDLE).await.expect("first");
    drop(receiver);
    let receiver = queue.accept(HostId(0), None).await;
    let again = receiver.receive(IDLE).await.expect("again");
    assert_eq!(again.delivery_count, 1);
}

#[tokio::test(start_paused = true)]
async fn too_many_deliveries_end_in_the_dead_letters() {
    let queue = queue(|settings| settings.max_delivery_count = 2);
    send(&queue, vec![draft("a", "1"), draft("a", "2")]);
    let receiver = queue.accept(HostId(0), None).await;
    for _ in 0..2 {
        receiver.receive(IDLE).await.expect("delivery");
        receiver.abandon().expect("held");
    }
    let next = receiver.receive(IDLE).await.expect("next");
    assert_eq!(next.message.message_id, "2");
    let dead = queue.dead_letters();
    assert_eq!(dead[0].reason, "MaxDeliveryCountExceeded");
    assert_eq!(queue.counts().dead_letters, 1);
}

#[tokio::test(start_paused = true)]
async fn a_schedule_holds_a_message_back_and_time_to_live_ends_it() {
    let queue = queue(|_| {});
    let mut later = draft("a", "1");
    later.scheduled_at = Some(OffsetDateTime::now_utc() + Duration::from_secs(30));
    let mut short = draft("b", "2");
    short.time_to_live = Some(Duration::from_secs(5));
    send(&queue, vec![later, short]);
    assert_eq!(queue.counts().scheduled, 1);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_eq!(queue.counts().active, 0);
    assert_eq!(queue.dead_letters()[0].reason, "TTLExpiredException");
    let receiver = tokio::time::timeout(Duration::from_secs(25), queue.accept(HostId(0), None))
        .await
        .expect("due");
    assert_eq!(receiver.lane(), "a");
}

#[tokio::test(start_paused = true)]
async fn without_sessions_messages_do_not_wait_for_each_other() {
    let queue = queue(|settings| {
        settings.sessions = false;
        settings.duplicate_window = None;
    });
    send(&queue, vec![Draft::default(), Draft::default()]);
    let first = queue.accept(HostId(0), None).await;
    let second = queue.accept(HostId(0), None).await;
    assert!(first.receive(IDLE).await.is_some());
    assert!(second.receive(IDLE).await.is_some());
    assert_eq!(queue.counts().sessions, 0);
}

fn service() -> (Arc<ServiceBus>, axum::Router) {
    let check = |token: &str| (token == "good").then_some(()).ok_or("bad".to_owned());
    let bus = ServiceBus::new(World::for_tests(), Duration::from_secs(60), Box::new(check));
    (Arc::clone(&bus), router(bus))
}

async fn post(
    router: &axum::Router,
    path: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> StatusCode {
    let mut request = Request::post(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.into()).expect("a request");
    router
        .clone()
        .oneshot(request)
        .await
        .expect("an answer")
        .status()
}

#[tokio::test]
async fn sending_is_refused_where_service_bus_refuses_it() {
    let (bus, router) = service();
    let properties = [("BrokerProperties", r#"{"SessionId":"s","MessageId":"m"}"#)];
    let path = "/inbound/messages";
    assert_eq!(
        post(&router, path, "bad", &properties, "x").await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        post(&router, "/nowhere/messages", "good", &properties, "x").await,
        StatusCode::GONE
    );
    assert_eq!(
        post(&router, path, "good", &[], "x").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        post(&router, path, "good", &properties, vec![b'x'; 256 * 1024]).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(bus.view()[0]["active"], 0);
    assert_eq!(
        post(&router, path, "good", &properties, "x").await,
        StatusCode::CREATED
    );
    assert_eq!(
        post(&router, path, "good", &properties, "x").await,
        StatusCode::CREATED
    );
    assert_eq!(bus.view()[0]["active"], 1, "the repeated one was dropped");
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let (bus, router) = service();
    let kind = [("content-type", "application/vnd.microsoft.servicebus.json")];
    let item = |session: Option<&str>, id: &str| {
        json!({ "Body": "x", "UserProperties": { "k": "v" }, "BrokerProperties": {
            "SessionId": session, "MessageId": id, "TimeToLiveTimeSpan": "0.00:00:40" } })
    };
    let send = async |items: Value| {
        post(
            &router,
            "/inbound/messages",
            "good",
            &kind,
            items.to_string(),
        )
        .await
    };
    let refused = [
        json!([]),
        json!({}),
        json!([item(Some("a"), "1"), item(None, "2")]),
        json!([item(Some("a"), "1"), item(Some("a"), &"2".repeat(129))]),
    ];
    for items in refused {
        assert_eq!(send(items).await, StatusCode::BAD_REQUEST);
    }
    let mut large = item(Some("a"), "1");
    large["Body"] = json!("x".repeat(150 * 1024));
    let too_large = json!([large, large]);
    assert_eq!(send(too_large).await, StatusCode::FORBIDDEN);
    assert_eq!(bus.view()[0]["active"], 0, "nothing of it was taken");

    let ids = ["1", "2", "2", "3"];
    let whole: Value = ids.iter().map(|id| item(Some("a"), id)).collect();
    assert_eq!(send(whole).await, StatusCode::CREATED);
    let receiver = bus
        .queue("inbound")
        .expect("the queue")
        .accept(HostId(0), None)
        .await;
    for id in ["1", "2", "3"] {
        let delivery = receiver.receive(IDLE).await.expect("one more");
        assert_eq!(
            delivery.message.message_id, id,
            "in order, the repeated one dropped"
        );
        assert_eq!(delivery.message.draft.properties["k"], "v");
        receiver.complete().expect("held");
    }
    assert_eq!(bus.view()[0]["active"], 0);
    // Our queues are not partitioned.
    let two_sessions = json!([item(Some("a"), "4"), item(Some("b"), "5")]);
    assert_eq!(send(two_sessions).await, StatusCode::CREATED);
    assert_eq!(bus.view()[0]["lanes"], json!(["a", "b"]));
}
