use super::*;
use crate::testing::{Reply, World};

async fn start() -> (World, ServiceBus) {
    let world = World::start().await;
    let bus = ServiceBus::new(world.client(), world.authority(), world.identity());
    (world, bus)
}

#[tokio::test]
async fn a_dead_letter_is_locked_read_and_settled_where_the_service_says() {
    let (world, bus) = start().await;
    world.put_dead_letter("inbound", "s", "body", "TTLExpiredException");
    let found = bus.lock_dead_letter("inbound").await.expect("an answer");
    let found = found.expect("a letter");
    assert_eq!(&found.body[..], b"body");
    let ids = [&found.session_id, &found.correlation_id, &found.reason];
    let ids = ids.map(|id| id.as_deref());
    assert_eq!(ids, [Some("s"), None, Some("TTLExpiredException")]);
    assert_eq!(found.message_id, Some(format!("m-{}", found.sequence)));
    assert_eq!(found.delivery_count, 3);
    let enqueued = found.enqueued_at.map(OffsetDateTime::unix_timestamp);
    assert_eq!(enqueued, Some(1_404_264_747));
    // Nobody else gets it, until it is given back.
    let none = bus.lock_dead_letter("inbound").await.expect("an answer");
    assert!(none.is_none());
    bus.unlock(&found).await.expect("given back");
    let late = bus.complete(&found).await.expect_err("the lock has ended");
    assert_eq!(late.kind, ErrorKind::NotFound);
    let again = bus.lock_dead_letter("inbound").await.expect("an answer");
    bus.complete(&again.expect("a letter"))
        .await
        .expect("removed");
    assert_eq!(world.dead_letters(), 0);
    let seen = world.seen(Service::ServiceBus);
    assert_eq!(
        seen[0].target,
        "/inbound/$deadletterqueue/messages/head?timeout=1"
    );
    let token = "Bearer https://servicebus.azure.net/.default#1";
    assert!(seen.iter().all(|it| it.header("authorization") == token));
}

#[tokio::test]
async fn an_answer_that_points_elsewhere_or_tells_nothing_is_malformed() {
    let (world, bus) = start().await;
    let elsewhere = Reply::new(201, "body")
        .header("brokerproperties", "{}")
        .header("location", "https://127.0.0.1:1/inbound/messages/17/t");
    for reply in [elsewhere, Reply::new(201, "body"), Reply::new(202, "")] {
        world.answer_once("POST", "/messages/head", reply);
        let error = bus.lock_dead_letter("inbound").await;
        assert_eq!(error.expect_err("malformed").kind, ErrorKind::Malformed);
    }
}
