//! What a webhook route answers when it does not take a request: a status and a short reason, nothing about us.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// A request that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// 4xx when the sender must change something, 503 when it should try again.
    pub status: StatusCode,
    /// A few words for the sender.
    pub reason: &'static str,
}

impl Refusal {
    /// The sender should try again: we could not tell, or could not store.
    pub const fn unavailable(reason: &'static str) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            reason,
        }
    }

    /// The request itself is wrong.
    pub const fn bad_request(reason: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            reason,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (
            self.status,
            Json(serde_json::json!({ "error": self.reason })),
        )
            .into_response()
    }
}
