//! Messages that a person must look at: one blob each in the container `failed`.

use bridge::ids::Digest;
use bridge::queue::failed::FailedMessage;
use bridge::state::blobs;
use bytes::Bytes;
use services::error::{Service, ServiceError};
use time::OffsetDateTime;

use crate::app::App;
use crate::failure::Rejection;
use crate::invocation::{Delivery, HandBack};

/// Container of the failed messages.
pub const FAILED: &str = "failed";

/// Stores the whole envelope with the reason. A repeated delivery writes the same blob again.
///
/// # Errors
/// Blob refused or could not be reached: the message must go back to the queue.
pub async fn store(
    app: &App,
    delivery: &Delivery,
    direction: &'static str,
    subject: &Digest,
    body: &[u8],
    rejection: &Rejection,
    attempts: u32,
) -> Result<(), ServiceError> {
    let now = OffsetDateTime::now_utc();
    let accepted = delivery.trigger.enqueued_at.unwrap_or(now);
    let envelope =
        serde_json::from_slice(body).unwrap_or_else(|_| serde_json::Value::String(base64_of(body)));
    let document = FailedMessage {
        direction: direction.to_owned(),
        correlation: delivery.correlation.to_string(),
        kind: rejection.kind.to_owned(),
        reason: rejection.explanation.clone(),
        receipt: rejection.receipt,
        service: rejection.service.map(|service| service.to_string()),
        status: rejection.status,
        request_ids: rejection.request_ids.iter().cloned().collect(),
        first_attempt: accepted,
        last_attempt: now,
        attempts: attempts.saturating_add(delivery.trigger.delivery_count.saturating_sub(1)),
        envelope,
    };
    let name = name(subject, accepted, body);
    app.blobs
        .put(FAILED, &name, Bytes::from(document.to_json()))
        .await?;
    let service = rejection.service.map(|service| service.to_string());
    tracing::error!(
        event = "message_failed",
        kind = rejection.kind,
        service,
        status = rejection.status,
        blob = name,
        "a message was put into the container failed"
    );
    Ok(())
}

fn name(subject: &Digest, accepted: OffsetDateTime, body: &[u8]) -> String {
    blobs::failed(subject, accepted, &Digest::of_bytes("failed", body))
}

/// The verdict of an earlier delivery of the same message, whose process ended before it was settled: a message that somebody
/// was told about as failed must not be delivered after all.
///
/// # Errors
/// Blob could not be read.
pub async fn earlier_verdict(
    app: &App,
    delivery: &Delivery,
    subject: &Digest,
    body: &[u8],
) -> Result<Option<Rejection>, HandBack> {
    let Some(accepted) = delivery
        .trigger
        .enqueued_at
        .filter(|_| delivery.trigger.delivery_count > 1)
    else {
        return Ok(None);
    };
    let stored = app
        .blobs
        .get(FAILED, &name(subject, accepted, body))
        .await
        .map_err(|error| report_not_stored(&error))?;
    let document = stored.and_then(|(body, _)| serde_json::from_slice::<FailedMessage>(&body).ok());
    Ok(document.map(|document| Rejection {
        service: (document.service.as_deref() == Some(Service::Genesys.label()))
            .then_some(Service::Genesys),
        ..Rejection::new("failed_before", document.reason, document.receipt)
    }))
}

/// An envelope that is not even JSON is kept as base64.
fn base64_of(body: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(body)
}

/// A failed message that cannot even be stored goes back to the queue.
pub fn report_not_stored(error: &ServiceError) -> HandBack {
    let service = error.service.to_string();
    tracing::error!(
        event = "failed_not_stored",
        service,
        kind = error.kind.label(),
        status = error.status
    );
    HandBack
}
