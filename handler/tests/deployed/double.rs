//! A Function App with answers to order. Left alone it answers as the handler does when all is well.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::tls::Authority;

/// The calls that `handler check --deployed` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Handshake,
    Health,
    Notification,
    Unsigned,
    WronglySigned,
}

/// An answer to give.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.to_string().into_bytes(),
        }
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain",
            body: body.as_bytes().to_vec(),
        }
    }

    /// What the handler answers when it does not take a request.
    pub fn refusal(status: u16, reason: &str) -> Self {
        Self::json(status, &json!({ "error": reason }))
    }
}

/// A call as it arrived.
#[derive(Clone)]
pub struct Seen {
    pub call: Call,
    pub headers: HeaderMap,
    /// The raw query.
    pub query: String,
    pub body: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    ordered: Mutex<HashMap<Call, VecDeque<Reply>>>,
    seen: Mutex<Vec<Seen>>,
}

/// The app; what it saw can be asked for.
pub struct Double {
    pub base: String,
    shared: Arc<Shared>,
}

impl Double {
    /// Starts it with these answers; the last of a call is given again and again.
    pub async fn start(authority: &Authority, ordered: &[(Call, Reply)]) -> Self {
        let shared = Arc::new(Shared::default());
        for (call, reply) in ordered {
            let mut answers = shared.ordered.lock().expect("a lock");
            answers.entry(*call).or_default().push_back(reply.clone());
        }
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        Self {
            base: authority.serve(router).await,
            shared,
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("a lock").clone()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    let query = head.uri.query().unwrap_or_default().to_owned();
    let call = match (head.method.as_str(), head.uri.path()) {
        ("GET", "/api/health") => Call::Health,
        ("POST", "/api/graph/notifications") if !query.is_empty() => Call::Handshake,
        ("POST", "/api/graph/notifications") => Call::Notification,
        ("POST", "/api/genesys/webhook") => match head.headers.get("x-hub-signature-256") {
            Some(_) => Call::WronglySigned,
            None => Call::Unsigned,
        },
        (method, path) => panic!("{method} {path} belongs to no function"),
    };
    shared.seen.lock().expect("a lock").push(Seen {
        call,
        headers: head.headers,
        query: query.clone(),
        body: body.to_vec(),
    });
    let reply = ordered(&shared, call).unwrap_or_else(|| well(call, &query));
    Response::builder()
        .status(reply.status)
        .header("content-type", reply.content_type)
        .body(Body::from(reply.body))
        .expect("a response")
}

fn ordered(shared: &Shared, call: Call) -> Option<Reply> {
    let mut ordered = shared.ordered.lock().expect("a lock");
    let replies = ordered.get_mut(&call)?;
    if replies.len() > 1 {
        replies.pop_front()
    } else {
        replies.front().cloned()
    }
}

fn well(call: Call, query: &str) -> Reply {
    match call {
        Call::Handshake => Reply::text(200, &decoded(query)),
        Call::Health => Reply::json(
            200,
            &json!({"status": "ok", "reasons": [], "version": "9.8.7", "counters": {}}),
        ),
        Call::Notification => Reply::text(202, ""),
        Call::Unsigned | Call::WronglySigned => Reply::refusal(401, "the signature does not match"),
    }
}

/// The validation token as Graph means it.
pub fn decoded(query: &str) -> String {
    let query = reqwest::Url::parse(&format!("https://app.example/?{query}")).expect("a query");
    let (_, token) = query
        .query_pairs()
        .find(|(name, _)| name == "validationToken")
        .expect("a validation token");
    token.into_owned()
}
