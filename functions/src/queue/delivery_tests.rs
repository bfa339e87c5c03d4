use serde_json::{Value, json};

use super::*;
use crate::testing::app;

fn request(body: &str) -> Request {
    Request::builder()
        .method("POST")
        .header(INVOCATION_HEADER, "invocation-1")
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

fn payload() -> String {
    json!({
        "Data": { "message": "e30=" },
        "Metadata": { "SessionId": "\"chat-1\"", "DeliveryCount": "1" },
    })
    .to_string()
}

async fn answer_of<F>(body: &str, work: impl FnOnce(Delivery) -> F) -> (StatusCode, Value)
where
    F: Future<Output = Result<Outcome, HandBack>>,
{
    let app = app(&[("RETRY_FLOOR_SECONDS", "7")]);
    let response = run(&app, "function", Direction::Inbound, request(body), work).await;
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    (
        status,
        serde_json::from_slice(&body).expect("always JSON, never empty"),
    )
}

#[tokio::test(start_paused = true)]
async fn a_settled_message_is_completed_with_json() {
    let (status, body) = answer_of(&payload(), |delivery| async move {
        assert_eq!(delivery.lane.as_str(), "chat-1");
        assert_eq!(delivery.trigger.body, b"{}");
        Ok(Outcome::Delivered)
    })
    .await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.is_object());
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_back_waits_out_the_floor_and_a_panic_is_no_exception() {
    for panics in [false, true] {
        let started = Instant::now();
        let work = |_| async move {
            assert!(!panics, "on purpose");
            Err(HandBack)
        };
        let (status, _) = answer_of(&payload(), work).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(started.elapsed() >= Duration::from_secs(7));
    }
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_not_the_host_s_is_handed_back() {
    for body in ["", "{}", "{\"Data\":{\"other\":\"e30=\"}}"] {
        let (status, _) = answer_of(body, |_| async { Ok(Outcome::Delivered) }).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_end_is_handed_back_before_the_host_gives_up() {
    let started = Instant::now();
    let (status, _) = answer_of(&payload(), |_| std::future::pending()).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(started.elapsed() < Duration::from_secs(600));
}
