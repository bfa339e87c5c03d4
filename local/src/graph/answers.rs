//! Graph's answers: error bodies, and the headers that every answer carries.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::views;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 400
    BadRequest(&'static str),
    /// 401
    Unauthorized,
    /// 403
    Forbidden(&'static str),
    /// 404
    NotFound,
    /// 413
    TooLarge,
    /// 429
    TooMany,
}

/// A JSON answer or a refusal with Graph's headers; `client-request-id` comes back as it was sent.
pub fn answer(headers: &HeaderMap, result: Result<(StatusCode, Value), Refusal>) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let client_request_id = headers
        .get("client-request-id")
        .cloned()
        .unwrap_or_else(|| {
            HeaderValue::from_str(&request_id).unwrap_or(HeaderValue::from_static("none"))
        });
    let mut response = match result {
        Ok((status, body)) => (status, axum::Json(body)).into_response(),
        Err(refusal) => {
            refusal.response(&request_id, client_request_id.to_str().unwrap_or_default())
        }
    };
    let answer = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        answer.insert("request-id", value);
    }
    answer.insert("client-request-id", client_request_id);
    response
}

impl Refusal {
    fn response(self, request_id: &str, client_request_id: &str) -> Response {
        let (status, code, message) = match self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, "BadRequest", message),
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "InvalidAuthenticationToken",
                "Access token is empty or invalid.",
            ),
            Self::Forbidden(message) => (StatusCode::FORBIDDEN, "Forbidden", message),
            Self::NotFound => (StatusCode::NOT_FOUND, "NotFound", "NotFound"),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestEntityTooLarge",
                "Request Entity Too Large",
            ),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequests",
                "Too many requests",
            ),
        };
        let body = json!({ "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": views::time(OffsetDateTime::now_utc()),
                "request-id": request_id,
                "client-request-id": client_request_id,
            },
        } });
        let mut response = (status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized => {
                let challenge = HeaderValue::from_static(
                    "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
                );
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            Self::TooMany => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
