//! A custom handler that behaves as badly as its tests ask it to: what a message's body says, it does.

use std::net::Ipv4Addr;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::watch;

#[tokio::main]
async fn main() {
    if let Ok(code) = std::env::var("EXIT_AT_START") {
        exit(code.parse().expect("a code"));
    }
    let port: u16 = std::env::var("FUNCTIONS_CUSTOMHANDLER_PORT")
        .expect("started by a host")
        .parse()
        .expect("a port");
    println!("started {port}");
    eprintln!("to standard error");
    let router = Router::new()
        .route("/", get(|| async { "ready" }))
        .route("/work", post(work))
        .route("/clock", post(clock))
        .route("/api/echo", any(echo))
        .with_state(Arc::new(Work::default()));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .expect("the port is free");
    axum::serve(listener, router).await.expect("serving");
}

/// The calls at work, and the most that ever were.
#[derive(Default)]
struct Work {
    now: AtomicU32,
    most: watch::Sender<u32>,
}

async fn work(State(at_work): State<Arc<Work>>, headers: HeaderMap, body: Bytes) -> Response {
    let chunked = !headers.contains_key(header::CONTENT_LENGTH);
    let call: Value = serde_json::from_slice(&body).expect("JSON");
    let metadata = |name: &str| call["Metadata"][name].as_str().unwrap_or("null");
    let attempt = metadata("DeliveryCount");
    let message: Value = serde_json::from_str(metadata("MessageId")).expect("JSON");
    let body = call["Data"]["message"].as_str().expect("a body");
    let body = STANDARD.decode(body).expect("base64");
    let order = String::from_utf8_lossy(&body);
    let together = at_work.now.fetch_add(1, Ordering::SeqCst) + 1;
    at_work.most.send_modify(|most| *most = together.max(*most));
    println!(
        "call {}",
        json!({ "message": message, "attempt": attempt, "order": order, "together": together,
                "chunked": chunked, "envelope": call })
    );
    let answer = obey(&order, attempt, &at_work).await;
    at_work.now.fetch_sub(1, Ordering::SeqCst);
    answer
}

/// How long "slow once" takes: it outlives a lock of 1 s that nobody renews.
const SLOW: Duration = Duration::from_secs(3);

async fn obey(order: &str, attempt: &str, at_work: &Work) -> Response {
    let first_time = attempt == "1";
    if let Some(calls) = order.strip_prefix("wait for calls at work: ") {
        let calls: u32 = calls.parse().expect("a number");
        let mut most = at_work.most.subscribe();
        let _ = most.wait_for(|most| *most >= calls).await;
    }
    if order == "slow once" && first_time {
        tokio::time::sleep(SLOW).await;
    }
    match order {
        "fail once" if first_time => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        "empty once" if first_time => StatusCode::OK.into_response(),
        "null once" if first_time => json("null"),
        "text once" if first_time => "done".into_response(),
        "array once" if first_time => json("[]"),
        "hang once" if first_time => std::future::pending().await,
        "crash once" if first_time => exit(3),
        "leave with 200 once" if first_time => exit(200),
        "leave with 0" => exit(0),
        _ => json("{}"),
    }
}

/// How long the timer function takes.
const TICK: Duration = Duration::from_millis(20);

async fn clock(body: String) -> Response {
    println!("clock {body}");
    tokio::time::sleep(TICK).await;
    println!("ticked");
    json(r#"{"Outputs":{},"Logs":["ticked"],"ReturnValue":null}"#)
}

fn json(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// Tells what arrived and sends the body back.
async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |name: &str| {
        let values = parts.headers.get_all(name).iter();
        let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
        values.join(" and ")
    };
    let seen = json!({
        "method": parts.method.as_str(),
        "path": parts.uri.to_string(),
        "invocation": header("x-azure-functions-invocationid"),
        "version": header("x-azure-functions-hostversion"),
        "other": header("x-other"),
    });
    (
        StatusCode::IM_A_TEAPOT,
        [("x-seen", seen.to_string())],
        body,
    )
        .into_response()
}
