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
#[derive(Clone, Copy)]
pub struct Refusal(u16, &'static str, &'static str);

impl Refusal {
    /// No token, or none of ours.
    pub const UNAUTHORIZED: Self = Self(
        401,
        "InvalidAuthenticationToken",
        "Access token is empty or invalid.",
    );
    /// What was asked for does not exist.
    pub const NOT_FOUND: Self = Self(404, "NotFound", "NotFound");
    /// A post or a hosted content above the limit.
    pub const TOO_LARGE: Self = Self(413, "RequestEntityTooLarge", "Request Entity Too Large");
    /// Above the published limits.
    pub const TOO_MANY: Self = Self(429, "TooManyRequests", "Too many requests");
    /// What the shares API says to an address that is none.
    pub const NO_SHARE: Self = Self(400, "invalidRequest", "The sharing URL is malformed.");
    /// What OneDrive says to somebody it does not let in.
    pub const ACCESS_DENIED: Self = Self(403, "accessDenied", "Access denied");
    /// What OneDrive says when there is no such file.
    pub const NO_ITEM: Self = Self(404, "itemNotFound", "The resource could not be found.");

    /// What the directory says to an app that may not change another one.
    pub const DENIED: Self = Self(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    );
    /// What the directory says when there is no such object.
    pub const NO_RESOURCE: Self = Self(
        404,
        "Request_ResourceNotFound",
        "Resource does not exist or one of its queried reference-property objects are not present.",
    );

    /// 400 with this message.
    pub const fn bad_request(message: &'static str) -> Self {
        Self(400, "BadRequest", message)
    }

    /// 403 with this message.
    pub const fn forbidden(message: &'static str) -> Self {
        Self(403, "Forbidden", message)
    }

    fn status(self) -> StatusCode {
        StatusCode::from_u16(self.0).expect("each of them is a status")
    }
}

/// The status alone; [`named`] writes the rest.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Extension(self)).into_response()
    }
}

/// Gives every answer Graph's headers, and every refusal its body; `client-request-id` comes back as it was sent.
pub async fn named(request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    let own = HeaderValue::from_str(&id).expect("a GUID is a header's value");
    let client = request.headers().get("client-request-id").unwrap_or(&own);
    let client = client.clone();
    let mut answer = next.run(request).await;
    if let Some(refusal) = answer.extensions().get::<Refusal>().copied() {
        let Refusal(status, code, message) = refusal;
        let body = json!({ "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": time_text(OffsetDateTime::now_utc()),
                "request-id": id,
                "client-request-id": client.to_str().unwrap_or_default(),
            },
        } });
        answer = (refusal.status(), axum::Json(body)).into_response();
        let headers = answer.headers_mut();
        if status == 401 {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(CHALLENGE),
            );
        }
        if status == 429 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
    }
    answer.headers_mut().insert("client-request-id", client);
    answer.headers_mut().insert("request-id", own);
    answer
}
