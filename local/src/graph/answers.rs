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
    /// 400 of the shares API.
    NoShare,
    /// 403 of OneDrive.
    AccessDenied,
    /// 404 of OneDrive.
    NoItem,
    /// 503
    Unavailable,
}

/// A JSON answer or a refusal with Graph's headers; `client-request-id` comes back as it was sent.
pub fn answer(headers: &HeaderMap, result: Result<(StatusCode, Value), Refusal>) -> Response {
    let ids = Ids::of(headers);
    let response = match result {
        Ok((status, body)) => (status, axum::Json(body)).into_response(),
        Err(refusal) => refusal.response(&ids),
    };
    ids.on(response)
}

/// An answer of another kind with Graph's headers.
pub fn with_headers(headers: &HeaderMap, response: Response) -> Response {
    Ids::of(headers).on(response)
}

/// What an answer is named by.
struct Ids {
    request: String,
    client_request: HeaderValue,
}

impl Ids {
    fn of(headers: &HeaderMap) -> Self {
        let request = Uuid::new_v4().to_string();
        let client_request = headers
            .get("client-request-id")
            .cloned()
            .unwrap_or_else(|| {
                HeaderValue::from_str(&request).unwrap_or(HeaderValue::from_static("none"))
            });
        Self {
            request,
            client_request,
        }
    }

    fn on(self, mut response: Response) -> Response {
        let answer = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&self.request) {
            answer.insert("request-id", value);
        }
        answer.insert("client-request-id", self.client_request);
        response
    }
}

impl Refusal {
    fn response(self, ids: &Ids) -> Response {
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
            Self::NoShare => (
                StatusCode::BAD_REQUEST,
                "invalidRequest",
                "The sharing URL is malformed.",
            ),
            Self::AccessDenied => (StatusCode::FORBIDDEN, "accessDenied", "Access denied"),
            Self::NoItem => (
                StatusCode::NOT_FOUND,
                "itemNotFound",
                "The resource could not be found.",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "serviceNotAvailable",
                "The service is not available. Try again later.",
            ),
        };
        let body = json!({ "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": views::time(OffsetDateTime::now_utc()),
                "request-id": ids.request,
                "client-request-id": ids.client_request.to_str().unwrap_or_default(),
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
            Self::TooMany | Self::Unavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
