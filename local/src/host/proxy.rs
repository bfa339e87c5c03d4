//! HTTP functions: requests passed on to the handler, byte for byte.
//!
//! Source: Azure/azure-functions-host, `Workers/Http/HttpProxyService/*` and `DefaultHttpWorkerService.cs`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{RequestExt as _, Router};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::instances::Host;
use super::invoke::HOST_VERSION;

/// Largest request body in bytes (`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`'s default).
const BODY_LIMIT: usize = 104_857_600;
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
    Router::new()
        .fallback(pass_on)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(host)
}

async fn pass_on(State(host): State<Arc<Host>>, request: Request) -> Response {
    let (method, path) = (request.method().as_str(), request.uri().path());
    if !host.routes.matches(method, path) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if request.body().size_hint().lower() > BODY_LIMIT as u64 {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let (parts, body) = request.with_limited_body().into_parts();
    let sent = send(&host, parts, body).await;
    sent.unwrap_or_else(IntoResponse::into_response)
}

async fn send(host: &Host, parts: Parts, body: Body) -> Result<Response, StatusCode> {
    let instance = host.pick().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
    let ready = instance.worker.ready().await;
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
        Some(0) => with_retries(|| request().send(), reqwest::Error::is_connect).await,
        Some(_) => {
            let body = axum::body::to_bytes(body, usize::MAX).await;
            let body = body.map_err(|_| StatusCode::BAD_REQUEST)?;
            let send = || request().body(body.clone()).send();
            with_retries(send, reqwest::Error::is_connect).await
        }
        // A stream can be sent only once, so the trying comes first.
        None => {
            let connect = || TcpStream::connect(("127.0.0.1", port));
            let connected = with_retries(connect, |_| true).await;
            connected.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
            let body = reqwest::Body::wrap_stream(body.into_data_stream());
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

/// Tries as often as the host tries to connect; whatever is no failure to connect counts.
async fn with_retries<T, E, F: Future<Output = Result<T, E>>>(
    attempt: impl Fn() -> F,
    is_connect: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut wait = FIRST_WAIT;
    for _ in 1..CONNECTS {
        match attempt().await {
            Err(error) if is_connect(&error) => tokio::time::sleep(wait).await,
            outcome => return outcome,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    attempt().await
}

fn request_headers(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    let invocation = Uuid::new_v4().to_string();
    for (name, value) in [
        ("x-azure-functions-invocationid", invocation.as_str()),
        ("x-ms-invocation-id", &invocation),
        ("x-azure-functions-hostversion", HOST_VERSION),
    ] {
        // Overwrites what the client may have sent under this name.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn passed_back(answer: reqwest::Response) -> Response {
    let mut passed = http::Response::from(answer).map(Body::new);
    for name in HOP_BY_HOP {
        passed.headers_mut().remove(name);
    }
    passed
}
