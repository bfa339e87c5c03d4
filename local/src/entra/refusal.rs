//! How the token endpoint says no ("Microsoft identity platform and OAuth 2.0 authorization code flow", error response).

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

/// An OAuth error with the number of Entra ID's own error.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, &'static str, u32, &'static str);

impl Refusal {
    /// 400 `invalid_request`.
    pub(super) const fn request(number: u32, text: &'static str) -> Self {
        Self::bad_request("invalid_request", number, text)
    }

    /// 400 with another OAuth error.
    pub(super) const fn bad_request(error: &'static str, number: u32, text: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, error, number, text)
    }

    /// 401 `invalid_client`: the application did not prove itself.
    pub(super) const fn client(number: u32, text: &'static str) -> Self {
        Self(StatusCode::UNAUTHORIZED, "invalid_client", number, text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, error, number, text) = self;
        let timestamp = OffsetDateTime::now_utc()
            .format(format_description!(
                "[year]-[month]-[day] [hour]:[minute]:[second]Z"
            ))
            .unwrap_or_default();
        let trace = Uuid::new_v4().to_string();
        let correlation = Uuid::new_v4().to_string();
        let description = format!(
            "AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        let headers = [
            (header::CACHE_CONTROL.as_str(), "no-store, no-cache"),
            (header::PRAGMA.as_str(), "no-cache"),
            ("x-ms-request-id", trace.as_str()),
        ];
        (status, headers, Json(body)).into_response()
    }
}
