//! Graph's answers: error bodies, and the headers that every answer carries.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::views;

/// What a 401 asks for.
const CHALLENGE: &str = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";

/// Why a request is refused: status, code and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(StatusCode, &'static str, &'static str);

impl Refusal {
    /// No token, or none of ours.
    pub const UNAUTHORIZED: Self = Self(
        StatusCode::UNAUTHORIZED,
        "InvalidAuthenticationToken",
        "Access token is empty or invalid.",
    );
    /// What was asked for does not exist.
    pub const NOT_FOUND: Self = Self(StatusCode::NOT_FOUND, "NotFound", "NotFound");
    /// A post or a hosted content above the limit.
    pub const TOO_LARGE: Self = Self(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        "Request Entity Too Large",
    );
    /// Above the published limits.
    pub const TOO_MANY: Self = Self(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequests",
        "Too many requests",
    );
    /// What the shares API says to an address that is none.
    pub const NO_SHARE: Self = Self(
        StatusCode::BAD_REQUEST,
        "invalidRequest",
        "The sharing URL is malformed.",
    );
    /// What OneDrive says to somebody it does not let in.
    pub const ACCESS_DENIED: Self = Self(StatusCode::FORBIDDEN, "accessDenied", "Access denied");
    /// What OneDrive says when there is no such file.
    pub const NO_ITEM: Self = Self(
        StatusCode::NOT_FOUND,
        "itemNotFound",
        "The resource could not be found.",
    );
    /// For a while.
    pub const UNAVAILABLE: Self = Self(
        StatusCode::SERVICE_UNAVAILABLE,
        "serviceNotAvailable",
        "The service is not available. Try again later.",
    );

    /// 400 with this message.
    pub const fn bad_request(message: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 403 with this message.
    pub const fn forbidden(message: &'static str) -> Self {
        Self(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    fn response(self, request: &str, client_request: &HeaderValue) -> Response {
        let Self(status, code, message) = self;
        let body = json!({ "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": views::time(OffsetDateTime::now_utc()),
                "request-id": request,
                "client-request-id": client_request.to_str().unwrap_or_default(),
            },
        } });
        let mut response = (status, axum::Json(body)).into_response();
        let told = match status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, CHALLENGE)),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Some((header::RETRY_AFTER, "1"))
            }
            _ => None,
        };
        if let Some((name, value)) = told {
            let headers = response.headers_mut();
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// A JSON answer or a refusal.
pub fn answer(headers: &HeaderMap, result: Result<(StatusCode, Value), Refusal>) -> Response {
    let json = |(status, body)| (status, axum::Json(body)).into_response();
    with_headers(headers, result.map(json))
}

/// Any answer or a refusal with Graph's headers; `client-request-id` comes back as it was sent.
pub fn with_headers(headers: &HeaderMap, result: Result<Response, Refusal>) -> Response {
    let request = Uuid::new_v4().to_string();
    let own = HeaderValue::from_str(&request).unwrap_or(HeaderValue::from_static("none"));
    let client_request = headers.get("client-request-id").unwrap_or(&own);
    let mut response = result.unwrap_or_else(|refusal| refusal.response(&request, client_request));
    let answer = response.headers_mut();
    answer.insert("client-request-id", client_request.clone());
    answer.insert("request-id", own);
    response
}
