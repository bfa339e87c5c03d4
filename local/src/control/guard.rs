//! Keeps other web sites away from the control interface and the page.
//!
//! The port is bound to the loopback address only, but any site a developer visits can make the browser call it, and
//! one that points its own name at 127.0.0.1 could even read the answers.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

/// The names under which this interface may be called.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    hosts: [String; 3],
}

impl Guard {
    pub(super) fn new(port: u16) -> Self {
        Self {
            hosts: ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}")),
        }
    }

    fn refusal(&self, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        let host = text(header::HOST).unwrap_or_default();
        if !self.hosts.iter().any(|own| own == host) {
            return Some((StatusCode::MISDIRECTED_REQUEST, "foreign Host\n"));
        }
        let origin = text(header::ORIGIN)?;
        let own = origin
            .strip_prefix("http://")
            .is_some_and(|origin| self.hosts.iter().any(|own| own == origin));
        (!own).then_some((StatusCode::FORBIDDEN, "foreign Origin\n"))
    }
}

/// The middleware.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    match guard.refusal(request.headers()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_served() {
        for (status, host, origin) in [
            (None, "127.0.0.1:7071", None),
            (None, "localhost:7071", Some("http://localhost:7071")),
            (Some(421), "evil.example:7071", None),
            (Some(403), "127.0.0.1:7071", Some("https://evil.example")),
            (Some(403), "127.0.0.1:7071", Some("null")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().expect("a value"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().expect("a value"));
            }
            let refusal = Guard::new(7071).refusal(&headers);
            let refused = refusal.map(|(status, _)| status.as_u16());
            assert_eq!(refused, status, "{host} {origin:?}");
        }
    }
}
