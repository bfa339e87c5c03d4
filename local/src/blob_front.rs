//! A place in front of Azurite where ordered faults can strike: requests are passed on as they are, and answers passed back.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse, Response};
use http::uri::PathAndQuery;
use http::{HeaderMap, StatusCode, header};

/// Where Azurite is, and how it is reached.
struct Behind {
    client: reqwest::Client,
    /// Scheme, host and port.
    origin: String,
}

/// Passes every request on to the Azurite at this origin.
pub fn router(client: reqwest::Client, origin: &str) -> Router {
    let behind = Behind {
        client,
        origin: origin.to_owned(),
    };
    Router::new()
        .fallback(pass_on)
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::new(behind))
}

async fn pass_on(State(behind): State<Arc<Behind>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let url = format!("{}{target}", behind.origin);
    let is_empty = body.size_hint().exact() == Some(0);
    let request = behind.client.request(parts.method, url);
    let mut request = request.headers(end_to_end(parts.headers));
    if !is_empty {
        request = request.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }
    match request.send().await {
        Ok(answer) => {
            let (status, headers) = (answer.status(), end_to_end(answer.headers().clone()));
            let body = Body::from_stream(answer.bytes_stream());
            (status, headers, body).into_response()
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// Without what is between two neighbours only. The length of a body stays: Blob Storage wants to know it.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers
}
