use std::error::Error;

use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::testing::{
    Double, Reply, client, client_of, dead_base, endless, serve_broken, serve_tls,
};

const CHAT: &str = "19:secret-chat@thread.v2";

async fn error_at(service: Service, base: &str) -> ServiceError {
    let request = client().get(format!("{base}/chats/{CHAT}"));
    send(service, request, 1024).await.expect_err("an error")
}

async fn error_of(service: Service, reply: Reply) -> ServiceError {
    let double = Double::start([reply]).await;
    error_at(service, &double.base).await
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let now = datetime!(2026-11-03 10:00:00 UTC);
    for (text, seconds) in [
        ("17", Some(17)),
        (" 0 ", Some(0)),
        ("Tue, 03 Nov 2026 10:00:30 GMT", Some(30)),
        ("Tue, 03 Nov 2026 09:00:00 GMT", Some(0)),
        ("", None),
        ("soon", None),
        ("-4", None),
        ("1.5", None),
    ] {
        let expected = seconds.map(Duration::from_secs);
        assert_eq!(retry_after(text, now), expected, "{text}");
    }
}

#[test]
fn each_status_has_a_meaning() {
    use ErrorKind::*;
    let table = [
        (302, Malformed, Sent::Maybe),
        (400, Rejected, Sent::No),
        (401, Unauthorized, Sent::No),
        (403, Forbidden, Sent::No),
        (404, NotFound, Sent::No),
        (408, TimedOut, Sent::Maybe),
        (409, Conflict, Sent::No),
        (410, NotFound, Sent::No),
        (412, Precondition, Sent::No),
        (413, TooLarge, Sent::No),
        (422, Rejected, Sent::No),
        (429, Throttled, Sent::No),
        (500, Unavailable, Sent::Maybe),
        (503, Unavailable, Sent::Maybe),
        (504, Unavailable, Sent::Maybe),
    ];
    for (status, kind, sent) in table {
        assert_eq!(meaning(status), (kind, sent), "{status}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_the_service_s_code_and_ids_but_no_sentence() {
    let throttled = json!({"error": {"code": "TooManyRequests", "message": "the text of Anna"}});
    let throttled = Reply::json(429, &throttled)
        .header("retry-after", "7")
        .header("request-id", "11111111-2222-3333-4444-555555555555")
        .header("client-request-id", "journey-1");
    let talkative = json!({"error": {"code": "Hello Anna, how are you?"}});
    let talkative = Reply::json(400, &talkative).header("request-id", "two words");
    let bad = json!({"message": "bad", "code": "bad.request", "status": 400, "contextId": "c-1"});
    let bad = Reply::json(400, &bad).header("ININ-Correlation-Id", "i-1");
    let revoked = json!({
        "error": "invalid_grant", "error_description": "AADSTS50173: for anna@contoso.com",
        "error_codes": [50173], "trace_id": "t-1", "correlation_id": "k-1"
    });
    let detail = |text: &str| {
        let body = format!("<Error><Code>403</Code><Detail>{text}</Detail></Error>");
        Reply::new(403, body)
    };
    for (service, reply, text) in [
        (
            Service::Graph,
            throttled.clone(),
            "graph: throttled, status 429, code TooManyRequests, request-id 11111111-2222-3333-4444-555555555555, client-request-id journey-1",
        ),
        (Service::Graph, talkative, "graph: rejected, status 400"),
        (
            Service::Genesys,
            bad,
            "genesys: rejected, status 400, code bad.request, inin-correlation-id i-1, contextId c-1",
        ),
        (
            Service::Entra,
            Reply::json(400, &revoked),
            "entra: rejected, status 400, code invalid_grant:50173, trace_id t-1, correlation_id k-1",
        ),
        (
            Service::ServiceBus,
            detail("The maximum Quota of the entity has been reached"),
            "service-bus: unavailable, status 403, code quota",
        ),
        (
            Service::ServiceBus,
            detail("SubCode=40300. no rights"),
            "service-bus: forbidden, status 403, code 40300",
        ),
    ] {
        assert_eq!(error_of(service, reply).await.to_string(), text);
    }
    let error = error_of(Service::Graph, throttled).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_endless_error_body_is_cut() {
    let (base, authority) = serve_tls(axum::Router::new().fallback(endless)).await;
    let request = client_of(&authority).get(base);
    let sent = send(Service::Graph, request, 1024);
    let sent = tokio::time::timeout(Duration::from_secs(10), sent).await;
    let error = sent.expect("its end is not waited for");
    let text = "graph: unavailable, status 500";
    assert_eq!(error.expect_err("a refusal").to_string(), text);
}

#[tokio::test]
async fn too_large_a_success_is_still_a_success_of_the_service() {
    let double = Double::start([Reply::new(200, vec![b'x'; 2048])]).await;
    let answer = send(Service::Graph, client().get(&double.base), 1024).await;
    let error = answer.expect("a success").body.expect_err("too large");
    assert_eq!((error.kind, error.sent), (ErrorKind::Malformed, Sent::Yes));
    assert_eq!(error.status, Some(200));
}

#[tokio::test]
async fn where_the_json_is_wrong_is_told_but_not_what_it_said() {
    let double = Double::start([Reply::new(200, r#"{"id": "text of Anna"}"#)]).await;
    let answer = send_for_json::<u8>(Service::Graph, client().get(&double.base), 1024).await;
    let error = answer.expect_err("no number");
    assert_eq!((error.kind, error.sent), (ErrorKind::Malformed, Sent::Yes));
    let cause = error.source().expect("a cause").to_string();
    assert_eq!(cause, "unexpected JSON in line 1, column 0");
}

#[tokio::test]
async fn a_refused_connection_was_never_sent() {
    let error = error_at(Service::Graph, &dead_base().await).await;
    assert_eq!((error.kind, error.sent), (ErrorKind::Connection, Sent::No));
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    assert!(cause.is_some());
    while let Some(error) = cause {
        text += &format!(" {error} {error:?}");
        cause = error.source();
    }
    assert!(!text.contains("secret-chat"), "{text}");
}

#[tokio::test]
async fn a_broken_connection_may_have_been_sent() {
    let (base, _) = serve_broken("").await;
    let error = error_at(Service::Graph, &base).await;
    assert!(error.is_broken_connection(), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_after_a_yes_is_a_yes() {
    let (base, _) = serve_broken("HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{\"id\"").await;
    let answer = send(Service::Graph, client().get(base), 1024).await;
    let answer = answer.expect("a yes");
    assert_eq!(answer.status, StatusCode::CREATED);
    let error = answer.body.expect_err("half a body");
    assert_eq!((error.kind, error.sent), (ErrorKind::Connection, Sent::Yes));
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    // Bound but never accepted: the kernel completes the connection and nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let request = client().get(url).timeout(Duration::from_millis(50));
    let error = send(Service::Graph, request, 1024).await;
    let error = error.expect_err("silence");
    assert_eq!((error.kind, error.sent), (ErrorKind::TimedOut, Sent::Maybe));
}
