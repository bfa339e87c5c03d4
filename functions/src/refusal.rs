//! What a webhook route answers when it does not take a request: a status and a short reason, nothing about us.

use axum::Json;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};

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

/// Reads a JSON request's body as the raw bytes that were signed or encrypted.
///
/// # Errors
/// 415 for another content type, 413 above `limit` bytes, 400 when the body breaks off.
pub async fn read_json_body(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, Refusal> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refusal {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            reason: "the content type must be application/json",
        });
    }
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    let too_large = Refusal {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        reason: "the body is too large",
    };
    if declared.is_some_and(|length| length > limit as u64) {
        drain(body.into_data_stream()).await;
        return Err(too_large);
    }
    let mut taken = BytesMut::new();
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("the body did not arrive whole"))?;
        if taken.len() + chunk.len() > limit {
            drain(chunks).await;
            return Err(too_large);
        }
        taken.extend_from_slice(&chunk);
    }
    Ok(taken.freeze())
}

/// Reads the rest of a body that is not wanted: a connection closed in the middle of it would reach the sender as a failure of
/// ours, and be retried. The caller's deadline ends what never ends.
async fn drain(mut chunks: BodyDataStream) {
    while let Some(Ok(_)) = chunks.next().await {}
}
