//! A service with scripted answers on a loopback port, and a credential.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use http::HeaderMap;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use crate::managed_identity::ManagedIdentity;

/// A request as a double saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its method.
    pub method: String,
    /// Path and query as they came over the wire.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Seen {
    pub(super) async fn read(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await;
        Self {
            method: parts.method.to_string(),
            target: parts.uri.to_string(),
            headers: parts.headers,
            body: body.expect("a body"),
        }
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header as text; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The fields of a form.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body)
            .into_owned()
            .collect()
    }
}

/// An answer to give.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// A status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// A status and JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string())
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from(self.body)).expect("a response")
    }
}

/// A service that gives its answers in order, then 500, and keeps what it saw.
#[derive(Clone)]
pub struct Double {
    /// Its address, without a slash at the end.
    pub base: String,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
}

impl Double {
    /// Listens on a free loopback port.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let script = Arc::new(Script {
            replies: Mutex::new(replies.into_iter().collect()),
            seen: Mutex::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        Self {
            base: serve(router).await,
            script,
        }
    }

    /// Adds an answer to the script.
    pub fn push(&self, reply: Reply) {
        self.script.replies.lock().expect("a lock").push_back(reply);
    }

    /// The requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.script.seen.lock().expect("a lock").clone()
    }

    /// The only request so far.
    #[must_use]
    pub fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "one request: {seen:?}");
        seen[0].clone()
    }
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let seen = Seen::read(request).await;
    script.seen.lock().expect("a lock").push(seen);
    let reply = script.replies.lock().expect("a lock").pop_front();
    let reply = reply.unwrap_or_else(|| Reply::new(500, "the script is over"));
    reply.into_response()
}

/// Serves a router on a free loopback port and returns its base URL.
pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

/// Gives tokens `{scope}#{number}` and counts them.
#[derive(Debug, Default)]
pub(crate) struct Credential {
    pub(crate) calls: AtomicUsize,
    pub(crate) life: Duration,
}

impl TokenCredential for Credential {
    fn get_token<'this, 'scopes, 'scope, 'options, 'call>(
        &'this self,
        scopes: &'scopes [&'scope str],
        _options: Option<TokenRequestOptions<'options>>,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AccessToken>> + Send + 'call>>
    where
        'this: 'call,
        'scopes: 'call,
        'scope: 'call,
        'options: 'call,
        Self: 'call,
    {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let token = format!("{}#{number}", scopes[0]);
        let ends = OffsetDateTime::now_utc() + self.life;
        Box::pin(async move { Ok(AccessToken::new(token, ends)) })
    }
}

/// An identity whose tokens are `{scope}#{number}`.
#[must_use]
pub fn identity() -> Arc<ManagedIdentity> {
    Arc::new(ManagedIdentity::from_credential(Arc::new(Credential {
        calls: AtomicUsize::new(0),
        life: Duration::from_secs(3600),
    })))
}
