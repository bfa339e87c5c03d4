use std::error::Error;

use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::testing::{Double, Reply, client, dead_base, serve_broken};

const CHAT: &str = "19:secret-chat@thread.v2";

async fn error_of(service: Service, reply: Reply) -> ServiceError {
    let double = Double::start([reply]).await;
    let url = format!("{}/chats/{CHAT}", double.base);
    send(service, client().get(url), 1024)
        .await
        .expect_err("a refusal")
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let now = datetime!(2026-11-03 10:00:00 UTC);
    assert_eq!(retry_after("17", now), Some(Duration::from_secs(17)));
    assert_eq!(retry_after(" 0 ", now), Some(Duration::ZERO));
    let date = "Tue, 03 Nov 2026 10:00:30 GMT";
    assert_eq!(retry_after(date, now), Some(Duration::from_secs(30)));
    assert_eq!(
        retry_after("Tue, 03 Nov 2026 09:00:00 GMT", now),
        Some(Duration::ZERO)
    );
    for bad in ["", "soon", "-4", "1.5"] {
        assert_eq!(retry_after(bad, now), None, "{bad}");
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
async fn a_refusal_of_graph_keeps_code_pause_and_ids() {
    let body = json!({"error": {"code": "TooManyRequests", "message": "the text of Anna"}});
    let reply = Reply::json(429, &body)
        .header("retry-after", "7")
        .header("request-id", "11111111-2222-3333-4444-555555555555")
        .header("client-request-id", "journey-1");
    let error = error_of(Service::Graph, reply).await;
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert_eq!(error.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(error.code.as_deref(), Some("TooManyRequests"));
    assert!(error.is_transient());
    insta::assert_snapshot!(error, @"graph: throttled, status 429, code TooManyRequests, request-id 11111111-2222-3333-4444-555555555555, client-request-id journey-1");
}

#[tokio::test]
async fn a_refusal_of_genesys_keeps_its_context() {
    let body = json!({"message": "bad", "code": "bad.request", "status": 400, "contextId": "c-1"});
    let reply = Reply::json(400, &body).header("ININ-Correlation-Id", "i-1");
    let error = error_of(Service::Genesys, reply).await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Rejected, Some("bad.request"))
    );
    let ids = [
        ("inin-correlation-id", "i-1".to_owned()),
        ("contextId", "c-1".to_owned()),
    ];
    assert_eq!(error.request_ids, ids);
}

#[tokio::test]
async fn a_refusal_of_entra_keeps_error_and_number() {
    let body = json!({
        "error": "invalid_grant", "error_description": "AADSTS50173: for anna@contoso.com",
        "error_codes": [50173], "trace_id": "t-1", "correlation_id": "k-1"
    });
    let error = error_of(Service::Entra, Reply::json(400, &body)).await;
    assert_eq!(error.code.as_deref(), Some("invalid_grant:50173"));
    let ids = [
        ("trace_id", "t-1".to_owned()),
        ("correlation_id", "k-1".to_owned()),
    ];
    assert_eq!(error.request_ids, ids);
}

#[tokio::test]
async fn a_full_queue_is_no_question_of_rights() {
    let full = "<Error><Code>403</Code><Detail>The maximum Quota of the entity has been reached</Detail></Error>";
    let error = error_of(Service::ServiceBus, Reply::new(403, full)).await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Unavailable, Some("quota"))
    );
    let refused = "<Error><Code>403</Code><Detail>SubCode=40300. no rights</Detail></Error>";
    let error = error_of(Service::ServiceBus, Reply::new(403, refused)).await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Forbidden, Some("40300"))
    );
}

#[tokio::test]
async fn sentences_are_no_codes() {
    let body = json!({"error": {"code": "Hello Anna, how are you?"}});
    let reply = Reply::json(400, &body).header("request-id", "two words");
    let error = error_of(Service::Graph, reply).await;
    assert_eq!((error.code, error.request_ids), (None, Vec::new()));
}

#[tokio::test]
async fn an_endless_error_body_is_cut() {
    let error = error_of(
        Service::Graph,
        Reply::new(500, vec![b'x'; 4 * ERROR_BODY_LIMIT]),
    )
    .await;
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn too_large_a_success_is_still_a_success_of_the_service() {
    let double = Double::start([Reply::new(200, vec![b'x'; 2048])]).await;
    let answer = send(Service::Graph, client().get(&double.base), 1024)
        .await
        .expect("a success");
    let error = answer.body.expect_err("too large");
    assert_eq!(
        (error.kind, error.sent, error.status),
        (ErrorKind::Malformed, Sent::Yes, Some(200))
    );
}

#[tokio::test]
async fn where_the_json_is_wrong_is_told_but_not_what_it_said() {
    let double = Double::start([Reply::new(200, r#"{"id": "text of Anna"}"#)]).await;
    let error = send_for_json::<u8>(Service::Graph, client().get(&double.base), 1024)
        .await
        .expect_err("no number");
    assert_eq!((error.kind, error.sent), (ErrorKind::Malformed, Sent::Yes));
    let cause = error.source().expect("a cause").to_string();
    assert_eq!(cause, "unexpected JSON in line 1, column 0");
}

#[tokio::test]
async fn a_refused_connection_was_never_sent() {
    let url = format!("{}/chats/{CHAT}", dead_base().await);
    let error = send(Service::Graph, client().get(url), 1024)
        .await
        .expect_err("nobody there");
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
    let error = send(Service::Graph, client().get(base), 1024)
        .await
        .expect_err("broken");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Connection, Sent::Maybe)
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_after_a_yes_is_a_yes() {
    let (base, _) = serve_broken("HTTP/1.1 201 Created\r\ncontent-length: 10\r\n\r\n{\"id\"").await;
    let answer = send(Service::Graph, client().get(base), 1024)
        .await
        .expect("a yes");
    assert_eq!(answer.status, StatusCode::CREATED);
    let error = answer.body.expect_err("half a body");
    assert_eq!((error.kind, error.sent), (ErrorKind::Connection, Sent::Yes));
}

#[tokio::test]
async fn silence_ends_with_the_time_limit() {
    // Bound but never accepted: the kernel completes the connection and nobody answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let request = client().get(url).timeout(Duration::from_millis(50));
    let error = send(Service::Graph, request, 1024)
        .await
        .expect_err("silence");
    assert_eq!((error.kind, error.sent), (ErrorKind::TimedOut, Sent::Maybe));
}
