//! Which answers to the validation token count.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{StatusCode, header};
use tokio::time::Instant;

use super::*;
use crate::shared::serve;

/// An address for each way to answer.
fn desk() -> String {
    let listener = serve::bind(0).expect("a port");
    let address = format!("http://127.0.0.1:{}", serve::port(&listener).expect("one"));
    let router = Router::new().route("/{way}", post(answer));
    serve::serve_plain(listener, router).expect("a server");
    address
}

async fn answer(Path(way): Path<String>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let find = || url::form_urlencoded::parse(query.as_bytes()).into_owned();
    let token = find().find(|(name, _)| name == "validationToken");
    let token = token.expect("a token").1;
    let plain = |status: u16, text: String| {
        let status = StatusCode::from_u16(status).expect("a status");
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        (status, kind, text).into_response()
    };
    let typed =
        |kind: &'static str| ([(header::CONTENT_TYPE, kind)], token.clone()).into_response();
    match way.as_str() {
        "created" => plain(201, token),
        "accepted" => plain(202, token),
        "forbidden" => plain(403, token),
        "moved" => (StatusCode::FOUND, [(header::LOCATION, "/good")]).into_response(),
        "html" => typed("text/html"),
        "json" => typed("application/json"),
        "encoded" => plain(
            200,
            url::form_urlencoded::byte_serialize(token.as_bytes()).collect(),
        ),
        "more" => plain(200, format!("{token}\n")),
        "empty" => plain(200, String::new()),
        "never" => std::future::pending().await,
        _ => plain(200, token),
    }
}

#[tokio::test]
async fn both_addresses_have_to_say_the_token_back() {
    let (play, desk) = (Play::new(), desk());
    let good = format!("{desk}/good");
    let ways = [
        "created",
        "accepted",
        "forbidden",
        "moved",
        "html",
        "json",
        "encoded",
        "more",
        "empty",
    ];
    let elsewhere = ["https://bridge.example/good", "http://127.0.0.1:9/good"];
    let addresses = ways.iter().map(|way| format!("{desk}/{way}"));
    for bad in addresses.chain(elsewhere.map(str::to_owned)) {
        for (first, second) in [(&bad, &good), (&good, &bad)] {
            let urls = json!({ "notificationUrl": first, "lifecycleNotificationUrl": second });
            let answer = play.ask("POST", ALL, with(play.wanted(), urls)).await;
            assert_eq!(answer.status, 400, "{first} {second}");
            let error = &answer.body["error"];
            assert_eq!(error["code"], "ValidationError");
            let message = error["message"].as_str().expect("a message");
            assert!(message.starts_with("Subscription validation request failed."));
        }
    }
    assert!(play.seen().await.is_empty());
    let urls = json!({ "notificationUrl": good, "lifecycleNotificationUrl": good });
    let id = play.subscribed(urls).await;
    let worse = json!({ "notificationUrl": format!("{desk}/html") });
    assert_eq!(play.ask("PATCH", &one(&id), worse).await.status, 400);
    assert_eq!(play.seen().await[0]["notification_url"], good);
}

#[tokio::test]
async fn each_address_is_asked_and_keeps_its_query() {
    let play = Play::new();
    let same = format!("{}/notify?code=k%20y", play.ours.address);
    let urls = json!({ "notificationUrl": same, "lifecycleNotificationUrl": same });
    play.subscribed(urls).await;
    let asked = play.ours.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert!(
            asked.starts_with("/notify?code=k%20y&validationToken=Validation"),
            "{asked}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_ten_seconds_is_none() {
    let (play, desk) = (Play::new(), desk());
    let started = Instant::now();
    let urls = json!({ "notificationUrl": format!("{desk}/never") });
    let answer = play.ask("POST", ALL, with(play.wanted(), urls)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.body["error"]["message"],
        "Subscription validation request timed out."
    );
    assert_eq!(started.elapsed().as_secs(), 10);
}
