use std::sync::atomic::Ordering;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Double, Reply, Seen, client, identity, serve_broken};

fn message() -> Outgoing<'static> {
    Outgoing {
        body: Bytes::from_static(b"{\"version\":1}"),
        session_id: Some("chat-1"),
        message_id: Some("m-1"),
        correlation_id: "c-1",
        time_to_live: None,
    }
}

pub(super) async fn bus(replies: impl IntoIterator<Item = Reply>) -> (Double, ServiceBus) {
    let double = Double::start(replies).await;
    let bus = ServiceBus::at(client(), &double.base, identity());
    (double, bus)
}

#[tokio::test]
async fn a_message_goes_out_with_its_properties() {
    let (double, bus) = bus([Reply::new(201, ""), Reply::new(201, "")]).await;
    bus.warm_up().await.expect("a token");
    assert!(double.seen().is_empty());
    let sent = bus.send_batch("inbound", &[message()]).await;
    sent.expect("accepted");
    let typing = Outgoing {
        session_id: None,
        message_id: None,
        time_to_live: Some(Duration::from_secs(5)),
        ..message()
    };
    bus.send_batch("typing", &[typing]).await.expect("accepted");
    let [seen, typing] = &double.seen()[..] else {
        panic!("two requests");
    };
    let path = "/inbound/messages";
    assert_eq!((&*seen.method, &*seen.target), ("POST", path));
    let token = "Bearer https://servicebus.azure.net/.default#1";
    assert_eq!(seen.header("authorization"), token);
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(&seen.body[..], b"{\"version\":1}");
    insta::assert_snapshot!(seen.header("brokerproperties"), @r#"{"SessionId":"chat-1","MessageId":"m-1","CorrelationId":"c-1"}"#);
    insta::assert_snapshot!(typing.header("brokerproperties"), @r#"{"CorrelationId":"c-1","TimeToLive":5.0}"#);
}

#[tokio::test]
async fn only_201_is_durable_and_a_refusal_is_not_tried_again() {
    let away = Reply::new(503, "").header("retry-after", "3");
    let (double, bus) = bus([Reply::new(200, ""), away, Reply::new(410, "")]).await;
    for (text, sent, seconds) in [
        ("service-bus: malformed, status 200", Sent::Maybe, None),
        ("service-bus: unavailable, status 503", Sent::Maybe, Some(3)),
        ("service-bus: not_found, status 410", Sent::No, None),
    ] {
        let answer = bus.send_batch("inbound", &[message()]).await;
        let error = answer.expect_err(text);
        assert_eq!((&*error.to_string(), error.sent), (text, sent));
        assert_eq!(error.retry_after, seconds.map(Duration::from_secs));
    }
    assert_eq!(double.seen().len(), 3);
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

fn numbered(ids: &[String]) -> Vec<Outgoing<'_>> {
    let message = |id| Outgoing {
        body: Bytes::from(format!("{{\"text\":\"Grüße \\\"{id}\\\"\"}}")),
        message_id: Some(id),
        ..message()
    };
    ids.iter().map(|id| message(id.as_str())).collect()
}

fn ids(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("m-{number}")).collect()
}

#[tokio::test]
async fn messages_of_a_session_travel_together() {
    let (double, bus) = bus([Reply::new(201, "")]).await;
    let ids = ids(2);
    let sent = bus.send_batch("inbound", &numbered(&ids)).await;
    sent.expect("accepted");
    let seen = double.only();
    assert_eq!(seen.target, "/inbound/messages");
    let content_type = "application/vnd.microsoft.servicebus.json";
    assert_eq!(seen.header("content-type"), content_type);
    assert_eq!(seen.header("brokerproperties"), "");
    let item = |id: &str| {
        let properties = json!({"SessionId": "chat-1", "MessageId": id, "CorrelationId": "c-1"});
        json!({"Body": format!("{{\"text\":\"Grüße \\\"{id}\\\"\"}}"), "BrokerProperties": properties})
    };
    assert_eq!(seen.json(), json!([item("m-1"), item("m-2")]));
}

#[tokio::test]
async fn what_no_batch_may_hold_goes_in_the_next() {
    let (double, bus) = bus((0..20).map(|_| Reply::new(201, ""))).await;
    let ids = ids(250);
    let mut messages = numbered(&ids);
    // A session of its own, a life of its own, and bytes for a batch of their own.
    messages[3].session_id = Some("chat-2");
    messages[6].time_to_live = Some(Duration::from_secs(5));
    messages[9].body = Bytes::from("\"".repeat(150 * 1024));
    messages[10].body = Bytes::from("x".repeat(150 * 1024));
    messages[11].body = Bytes::from("x".repeat(60 * 1024));
    let sent = bus.send_batch("inbound", &messages).await;
    sent.expect("accepted");
    let seen = double.seen();
    let size = |seen: &Seen| {
        if !seen.header("brokerproperties").is_empty() {
            return 1;
        }
        assert!(seen.body.len() <= BATCH_BYTES);
        let items = seen.json();
        let items = items.as_array().expect("a list");
        let session = |item: &Value| item["BrokerProperties"]["SessionId"].clone();
        assert!(items.iter().all(|it| session(it) == session(&items[0])));
        items.len()
    };
    let sizes: Vec<_> = seen.iter().map(size).collect();
    assert_eq!(sizes, [3, 1, 2, 1, 2, 1, 1, 100, 100, 39]);
}

#[tokio::test]
async fn a_refused_batch_stops_those_behind_it() {
    let (double, bus) = bus([Reply::new(201, ""), Reply::new(503, "")]).await;
    let ids = ids(250);
    let error = bus.send_batch("inbound", &numbered(&ids)).await;
    let error = error.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(double.seen().len(), 2);
    bus.send_batch("inbound", &[]).await.expect("nothing to do");
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_only_when_all_is_known_by_id() {
    let ids = ids(3);
    for (size, has_ids, attempts) in [(1, true, 2), (1, false, 1), (3, true, 2), (3, false, 1)] {
        let (base, count) = serve_broken("").await;
        let bus = ServiceBus::at(client(), &base, identity());
        let mut messages = numbered(&ids[..size]);
        if !has_ids {
            messages[size / 2].message_id = None;
        }
        let error = bus.send_batch("inbound", &messages).await;
        let error = error.expect_err("broken");
        assert!(error.is_broken_connection(), "{error:?}");
        assert_eq!(count.load(Ordering::SeqCst), attempts);
    }
}

#[tokio::test]
async fn a_batch_is_text() {
    let (double, bus) = bus([]).await;
    let ids = ids(2);
    let mut messages = numbered(&ids);
    messages[1].body = Bytes::from_static(b"\xff");
    let error = bus.send_batch("inbound", &messages).await;
    let error = error.expect_err("bytes");
    assert_eq!((error.kind, error.sent), (ErrorKind::Rejected, Sent::No));
    assert!(double.seen().is_empty());
}

proptest! {
    #[test]
    fn a_batch_is_never_larger_than_was_reckoned(texts in proptest::collection::vec(".{0,40}", 2..5)) {
        let long = "x".repeat(128);
        let messages: Vec<_> = texts.iter().map(|text| Outgoing {
            body: Bytes::from(text.clone()),
            session_id: Some(&long),
            message_id: Some(&long),
            correlation_id: &long,
            time_to_live: None,
        }).collect();
        let reckoned: usize = messages.iter().map(|it| PROPERTIES_BYTES + quoted_length(&it.body)).sum();
        prop_assert!(batch_body(&messages).expect("a body").len() <= reckoned);
    }
}
