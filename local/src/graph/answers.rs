//! Graph's answers: error bodies, and the headers that every answer carries.

use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::time_text;

/// What a 401 asks for.
const CHALLENGE: &str = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";

/// Why a request is refused: status, code and message.
#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// 400 with this message.
    pub const fn bad_request(message: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 403 with this message.
    pub const fn forbidden(message: &'static str) -> Self {
        Self(StatusCode::FORBIDDEN, "Forbidden", message)
    }
}

/// The status alone; [`named`] writes the rest.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Extension(self)).into_response()
    }
}

/// Gives every answer Graph's headers, and every refusal its body; `client-request-id` comes back as it was sent.
pub async fn named(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    let own = HeaderValue::from_str(&id).expect("a GUID is a header's value");
    let client = request.headers().get("client-request-id").unwrap_or(&own);
    let client = client.clone();
    let mut answer = next.run(request).await;
    if let Some(Refusal(status, code, message)) = answer.extensions().get().copied() {
        let body = json!({ "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": time_text(OffsetDateTime::now_utc()),
                "request-id": id,
                "client-request-id": client.to_str().unwrap_or_default(),
            },
        } });
        answer = (status, axum::Json(body)).into_response();
        let told = match status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, CHALLENGE)),
            StatusCode::TOO_MANY_REQUESTS => Some((header::RETRY_AFTER, "1")),
            _ => None,
        };
        if let Some((name, value)) = told {
            let value = HeaderValue::from_static(value);
            answer.headers_mut().insert(name, value);
        }
    }
    answer.headers_mut().insert("client-request-id", client);
    answer.headers_mut().insert("request-id", own);
    answer
}
