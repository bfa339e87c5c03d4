//! How Genesys Cloud says no: one shape of body for every refusal, and a correlation id on every answer.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;
use uuid::Uuid;

/// The header that names an answer towards Genesys' support.
pub const CORRELATION: HeaderName = HeaderName::from_static("inin-correlation-id");

/// A refusal with Genesys' `ErrorBody` (Genesys Cloud Platform API, model `ErrorBody`).
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    /// Genesys' code, for example `bad.request`.
    pub code: &'static str,
    pub message: String,
    /// Seconds to wait, as `Retry-After`.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal without `Retry-After`.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 400: the request is not what the API takes.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad.request", message)
    }

    /// 403: the caller lacks a permission.
    pub fn forbidden(right: &str) -> Self {
        let message = format!(
            "Unable to perform the requested action. You are missing the following permission(s): {right}"
        );
        Self::new(StatusCode::FORBIDDEN, "missing.permissions", message)
    }

    /// 404: what the request is about does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not.found", message)
    }

    /// 429 as documented: too many requests of this client within a minute.
    pub fn too_many_requests(retry_after: u64) -> Self {
        let message = format!(
            "Rate limit exceeded the maximum. Retry the request in [{retry_after}] seconds"
        );
        Self {
            retry_after: Some(retry_after),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too.many.requests.retry.after",
                message,
            )
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let context = Uuid::new_v4().to_string();
        let body = json!({
            "message": self.message,
            "code": self.code,
            "status": self.status.as_u16(),
            "contextId": context,
            "details": [],
            "errors": [],
        });
        let mut answer = (self.status, Json(body)).into_response();
        name(&mut answer, &context);
        if let Some(seconds) = self.retry_after {
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// Names an answer that has no name yet.
pub async fn with_correlation(mut answer: Response) -> Response {
    if !answer.headers().contains_key(CORRELATION) {
        name(&mut answer, &Uuid::new_v4().to_string());
    }
    answer
}

fn name(answer: &mut Response, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        answer.headers_mut().insert(CORRELATION, value);
    }
}
