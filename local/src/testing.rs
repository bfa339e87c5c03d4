//! What the simulators' own tests share: requests to a router, and our own side of their deliveries.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::shared::serve;
use crate::shared::tls::CertificateAuthority;
use crate::world::{Config, Endpoints, World};

/// Longest wait for a delivery.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer to a request; the body is null when it is no JSON.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    pub body: Value,
}

impl Answer {
    /// One of the body's fields as text.
    pub fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request.
pub async fn send(router: Router, request: Request<Body>) -> Answer {
    let answer = router.oneshot(request).await.expect("an answer");
    let (parts, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await;
    let bytes = bytes.unwrap_or_default();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
        bytes,
    }
}

/// A request with a JSON body unless that is null, and with a bearer token unless that is empty.
pub fn request(method: &str, path: &str, token: &str, body: &Value) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = if body.is_null() {
        Body::empty()
    } else {
        request = request.header(header::CONTENT_TYPE, "application/json");
        Body::from(body.to_string())
    };
    request.body(body).expect("a request")
}

/// Sends such a request.
pub async fn ask(router: Router, method: &str, path: &str, token: &str, body: Value) -> Answer {
    send(router, request(method, path, token, &body)).await
}

/// A world with this configuration, whose functions are at this address.
pub fn world(config: Config, functions: &str) -> Arc<World> {
    let endpoints = Endpoints {
        functions: functions.to_owned(),
        ..Endpoints::nowhere()
    };
    let authority = CertificateAuthority::new().expect("an authority");
    World::new(config, endpoints, authority)
}

/// What a handshake answers: a media type and a text.
pub type Handshake = fn(String) -> (&'static str, String);

/// Our own side: answers each delivery with the next status, then 202, and passes on what came.
pub struct OurSide {
    /// `http://127.0.0.1:port`.
    pub address: String,
    received: mpsc::UnboundedReceiver<Value>,
    desk: Arc<Desk>,
}

struct Desk {
    statuses: Mutex<Vec<u16>>,
    handshake: Handshake,
    /// Paths and queries of all handshakes.
    asked: Mutex<Vec<String>>,
    /// The `Authorization` of the last delivery, without `Bearer`.
    token: Mutex<String>,
    sender: mpsc::UnboundedSender<Value>,
}

impl OurSide {
    /// Starts it; it ends with the test's runtime.
    pub fn start(mut statuses: Vec<u16>, handshake: Handshake) -> Self {
        statuses.reverse();
        let (sender, received) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk {
            statuses: Mutex::new(statuses),
            handshake,
            asked: Mutex::default(),
            token: Mutex::default(),
            sender,
        });
        let listener = serve::bind(0).expect("a port");
        let address = format!("http://127.0.0.1:{}", serve::port(&listener).expect("one"));
        let router = Router::new()
            .route("/{*path}", post(take))
            .with_state(Arc::clone(&desk));
        serve::serve_plain(listener, router).expect("a server");
        Self {
            address,
            received,
            desk,
        }
    }

    /// Path and query of each handshake until now.
    pub fn asked(&self) -> Vec<String> {
        self.desk.asked.lock().expect("a lock").clone()
    }

    /// The token of the last delivery.
    pub fn token(&self) -> String {
        self.desk.token.lock().expect("a lock").clone()
    }

    /// The next delivery's body.
    pub async fn next(&mut self) -> Value {
        let next = timeout(PATIENCE, self.received.recv()).await;
        next.expect("in time").expect("a delivery")
    }

    /// The next delivery's body, when it is there already.
    pub fn here(&mut self) -> Option<Value> {
        self.received.try_recv().ok()
    }
}

async fn take(
    State(desk): State<Arc<Desk>>,
    Query(query): Query<Vec<(String, String)>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let token = headers.get(header::AUTHORIZATION);
    let token = token.and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
    *desk.token.lock().expect("a lock") = token.unwrap_or_default().to_owned();
    let mut query = query.into_iter();
    if let Some((_, token)) = query.find(|(name, _)| name == "validationToken") {
        desk.asked.lock().expect("a lock").push(uri.to_string());
        let (kind, text) = (desk.handshake)(token);
        return ([(header::CONTENT_TYPE, kind)], text).into_response();
    }
    let status = desk.statuses.lock().expect("a lock").pop().unwrap_or(202);
    let body = serde_json::from_slice(&body).expect("JSON");
    desk.sender.send(body).expect("a listener");
    let status = StatusCode::from_u16(status).expect("a status");
    status.into_response()
}
