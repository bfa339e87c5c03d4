//! A storage account with the two containers and the few rules that the client relies on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;

use crate::testing::Seen;

#[derive(Clone, Default)]
pub(super) struct Account(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    blobs: HashMap<String, (Bytes, u32)>,
    writes: u32,
    failure: Option<u16>,
    seen: Vec<Seen>,
}

impl Account {
    pub(super) fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.0.lock().expect("a lock").seen.clone()
    }

    /// Every answer from now on.
    pub(super) fn fails_with(&self, status: u16) {
        self.0.lock().expect("a lock").failure = Some(status);
    }
}

async fn answer(State(account): State<Account>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    let seen = Seen {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: parts.headers,
        body,
    };
    let mut contents = account.0.lock().expect("a lock");
    contents.seen.push(seen.clone());
    if let Some(status) = contents.failure {
        return refusal(status, "ServerBusy");
    }
    if seen.target.contains("comp=userdelegationkey") {
        return delegation_key();
    }
    if !seen.target.contains("/account/state/") {
        return refusal(404, "ContainerNotFound");
    }
    match seen.method.as_str() {
        "GET" => read(&contents, &seen),
        "PUT" => write(&mut contents, seen),
        _ => refusal(405, "UnsupportedHttpVerb"),
    }
}

fn read(contents: &Contents, seen: &Seen) -> Response {
    let Some((body, version)) = contents.blobs.get(&seen.target) else {
        return refusal(404, "BlobNotFound");
    };
    let last = body.len() - 1;
    Response::builder()
        .status(206)
        .header("etag", format!("\"0x{version}\""))
        .header("content-range", format!("bytes 0-{last}/{}", body.len()))
        .body(Body::from(body.clone()))
        .expect("a response")
}

fn write(contents: &mut Contents, seen: Seen) -> Response {
    let current = contents
        .blobs
        .get(&seen.target)
        .map(|(_, version)| format!("\"0x{version}\""));
    if seen.header("if-none-match") == "*" && current.is_some() {
        return refusal(409, "BlobAlreadyExists");
    }
    if seen.headers.contains_key("if-match") && current.as_deref() != Some(seen.header("if-match"))
    {
        return refusal(412, "ConditionNotMet");
    }
    contents.writes += 1;
    let version = contents.writes;
    contents.blobs.insert(seen.target, (seen.body, version));
    Response::builder()
        .status(201)
        .header("etag", format!("\"0x{version}\""))
        .body(Body::empty())
        .expect("a response")
}

fn delegation_key() -> Response {
    let key = "<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey><SignedOid>o</SignedOid>\
        <SignedTid>t</SignedTid><SignedStart>2026-11-03T00:00:00Z</SignedStart>\
        <SignedExpiry>2026-11-09T00:00:00Z</SignedExpiry><SignedService>b</SignedService>\
        <SignedVersion>2026-04-06</SignedVersion><Value>c2VjcmV0</Value></UserDelegationKey>";
    Response::builder()
        .header("content-type", "application/xml")
        .body(Body::from(key))
        .expect("a response")
}

fn refusal(status: u16, code: &str) -> Response {
    Response::builder()
        .status(status)
        .header("x-ms-error-code", code)
        .header("x-ms-request-id", "r-1")
        .header("retry-after", "4")
        .header("content-type", "application/xml")
        .body(Body::from(format!(
            "<Error><Code>{code}</Code><Message>no</Message></Error>"
        )))
        .expect("a response")
}
