//! How the control interface says no.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// An answer other than success, as `{"error": …}`.
pub struct Refused(pub StatusCode, pub String);

impl Refused {
    /// 404: there is none of this.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("there is no {what}"))
    }

    /// 400 for this reason.
    pub fn bad_request(why: impl std::fmt::Display) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self(StatusCode::BAD_GATEWAY, format!("{error:#}"))
    }
}
