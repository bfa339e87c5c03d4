use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::{Double, Reply, client, identity, serve_broken};

fn message() -> Outgoing<'static> {
    Outgoing {
        body: Bytes::from_static(b"{\"version\":1}"),
        session_id: Some("chat-1"),
        message_id: Some("m-1"),
        correlation_id: "c-1",
        time_to_live: None,
    }
}

async fn bus(replies: impl IntoIterator<Item = Reply>) -> (Double, ServiceBus) {
    let double = Double::start(replies).await;
    let bus = ServiceBus::at(client(), &double.base, identity());
    (double, bus)
}

#[tokio::test]
async fn a_message_goes_out_with_its_properties() {
    let (double, bus) = bus([Reply::new(201, ""), Reply::new(201, "")]).await;
    bus.send("inbound", &message()).await.expect("accepted");
    let typing = Outgoing {
        session_id: None,
        message_id: None,
        time_to_live: Some(Duration::from_secs(5)),
        ..message()
    };
    bus.send("typing", &typing).await.expect("accepted");
    let seen = double.seen();
    assert_eq!(
        (seen[0].method.as_str(), seen[0].target.as_str()),
        ("POST", "/inbound/messages")
    );
    assert_eq!(
        seen[0].header("authorization"),
        "Bearer https://servicebus.azure.net/.default#1"
    );
    assert_eq!(seen[0].header("content-type"), "application/json");
    assert_eq!(&seen[0].body[..], b"{\"version\":1}");
    insta::assert_snapshot!(seen[0].header("brokerproperties"), @r#"{"SessionId":"chat-1","MessageId":"m-1","CorrelationId":"c-1"}"#);
    insta::assert_snapshot!(seen[1].header("brokerproperties"), @r#"{"CorrelationId":"c-1","TimeToLive":5.0}"#);
}

#[tokio::test]
async fn only_201_is_durable() {
    let (_, bus) = bus([
        Reply::new(200, ""),
        Reply::new(503, "").header("retry-after", "3"),
    ])
    .await;
    let error = bus.send("inbound", &message()).await.expect_err("no 201");
    assert_eq!(
        (error.kind, error.sent, error.status),
        (ErrorKind::Malformed, Sent::Maybe, Some(200))
    );
    let error = bus
        .send("inbound", &message())
        .await
        .expect_err("unavailable");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Unavailable, Sent::Maybe)
    );
    assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_only_under_an_id() {
    let (base, count) = serve_broken("").await;
    let bus = ServiceBus::at(client(), &base, identity());
    let error = bus.send("inbound", &message()).await.expect_err("broken");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Connection, Sent::Maybe)
    );
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let without = Outgoing {
        message_id: None,
        ..message()
    };
    bus.send("inbound", &without).await.expect_err("broken");
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    let (double, bus) = bus([Reply::new(410, "")]).await;
    let error = bus.send("gone", &message()).await.expect_err("no queue");
    assert_eq!((error.kind, error.sent), (ErrorKind::NotFound, Sent::No));
    assert_eq!(double.seen().len(), 1);
}

#[tokio::test]
async fn warming_up_gets_the_token() {
    let (double, bus) = bus([]).await;
    bus.warm_up().await.expect("a token");
    assert!(double.seen().is_empty());
}

#[test]
fn a_body_does_not_show() {
    let message = Outgoing {
        body: Bytes::from_static(b"text of Anna"),
        ..message()
    };
    assert!(!format!("{message:?}").contains("Anna"));
}

proptest! {
    #[test]
    fn any_id_survives_the_header(id in any::<String>()) {
        let message = Outgoing { session_id: Some(&id), ..message() };
        let header = broker_properties(&message).expect("a header");
        let text = header.to_str().expect("visible ASCII");
        let json: Value = serde_json::from_str(text).expect("JSON");
        prop_assert_eq!(json["SessionId"].as_str(), Some(id.as_str()));
    }
}
