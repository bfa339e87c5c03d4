//! HTTP functions: requests passed on to the handler, byte for byte.
//!
//! Source: Azure/azure-functions-host, `Workers/Http/HttpProxyService/*` and `DefaultHttpWorkerService.cs`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::StreamExt as _;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::instances::Host;
use super::invoke::HOST_VERSION;

/// Largest request body in bytes (`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`'s default).
const BODY_LIMIT: u64 = 104_857_600;
/// Bodies of a known length up to this, in bytes, are held so that they can be sent again.
const REPEATABLE: u64 = 1024 * 1024;
/// Attempts to connect, and the waits between them.
const CONNECTS: usize = 10;
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(250);
/// Headers between two neighbours, never passed on.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The routes of the HTTP functions; what fits none is answered 404.
pub fn router(host: Arc<Host>) -> Router {
    Router::new().fallback(pass_on).with_state(host)
}

async fn pass_on(State(host): State<Arc<Host>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if !host.routes.matches(parts.method.as_str(), parts.uri.path()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let declared = parts.headers.get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > BODY_LIMIT) {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let sent = send(&host, parts, body).await;
    sent.unwrap_or_else(IntoResponse::into_response)
}

async fn send(host: &Host, parts: Parts, body: Body) -> Result<Response, StatusCode> {
    let ready = host.pick().worker.ready().await;
    let port = ready.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?.port;
    let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let url = format!("http://127.0.0.1:{port}{path}");
    let headers = request_headers(parts.headers);
    let request = || {
        let request = host.proxy_client.request(parts.method.clone(), &url);
        request.headers(headers.clone())
    };
    let small = body.size_hint().exact().filter(|&size| size <= REPEATABLE);
    let answer = match small {
        Some(0) => with_retries(request).await,
        Some(_) => {
            let body = axum::body::to_bytes(body, usize::MAX).await;
            let body = body.map_err(|_| StatusCode::BAD_REQUEST)?;
            with_retries(|| request().body(body.clone())).await
        }
        // A stream can be sent only once, so the trying comes first.
        None => {
            connectable(port).await?;
            let body = reqwest::Body::wrap_stream(limited(body));
            request().body(body).send().await
        }
    };
    match answer {
        Ok(answer) => Ok(passed_back(answer)),
        Err(error) if error.is_timeout() => Err(StatusCode::GATEWAY_TIMEOUT),
        // A handler that dies during a request.
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// The waits between attempts to connect.
fn waits() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(FIRST_WAIT), |wait| Some((*wait * 2).min(LONGEST_WAIT)))
        .take(CONNECTS)
}

/// Sends as often as the host tries to connect; whatever happens after that counts.
async fn with_retries(
    request: impl Fn() -> reqwest::RequestBuilder,
) -> reqwest::Result<reqwest::Response> {
    for wait in waits() {
        match request().send().await {
            Err(error) if error.is_connect() => tokio::time::sleep(wait).await,
            outcome => return outcome,
        }
    }
    request().send().await
}

/// Waits until a connection is accepted.
async fn connectable(port: u16) -> Result<(), StatusCode> {
    for wait in waits() {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(wait).await;
    }
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}

fn limited(body: Body) -> impl futures::Stream<Item = Result<Bytes, axum::Error>> {
    let mut left = BODY_LIMIT;
    body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        left = left
            .checked_sub(chunk.len() as u64)
            .ok_or_else(|| axum::Error::new(std::io::Error::other("the body is too large")))?;
        Ok(chunk)
    })
}

fn request_headers(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    let invocation = Uuid::new_v4().to_string();
    if let Ok(value) = HeaderValue::from_str(&invocation) {
        // Overwrites what the client may have sent under these names.
        headers.insert("x-azure-functions-invocationid", value.clone());
        headers.insert("x-ms-invocation-id", value);
    }
    headers.insert(
        "x-azure-functions-hostversion",
        HeaderValue::from_static(HOST_VERSION),
    );
    headers
}

fn passed_back(answer: reqwest::Response) -> Response {
    let mut passed = Response::new(Body::empty());
    *passed.status_mut() = answer.status();
    for (name, value) in answer.headers() {
        if !HOP_BY_HOP.contains(name) {
            passed.headers_mut().append(name, value.clone());
        }
    }
    *passed.body_mut() = Body::from_stream(answer.bytes_stream());
    passed
}
