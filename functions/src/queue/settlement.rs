//! The one settlement of a queue message: keep to an earlier verdict, keep trying, and when it is given up, store it in the
//! container `failed` and tell its sender.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::Digest;
use bridge::queue::failed::{Direction, FailedMessage, kept};
use bridge::state::blobs::{FAILED, failed};
use bytes::Bytes;
use services::error::{Service, ServiceError};
use time::OffsetDateTime;

use super::delivery::{Delivery, HandBack, Outcome};
use super::job::Job;
use super::keep_trying::{End, keep_trying};
use super::opening::Opened;
use crate::app::App;
use crate::failure::Rejection;

/// Settles a message.
///
/// # Errors
/// Nothing more can be done for it in this invocation.
pub async fn settle(
    app: &App,
    delivery: &Delivery,
    opened: &Opened,
    job: &impl Job,
) -> Result<Outcome, HandBack> {
    if let Some(verdict) = earlier_verdict(app, delivery, &opened.body).await? {
        job.tell(&verdict).await?;
        return Ok(Outcome::Failed);
    }
    let (rejection, attempts) = match keep_trying(app, delivery, job).await? {
        End::Done(outcome) => return Ok(outcome),
        End::GivenUp(rejection, attempts) => (rejection, attempts),
    };
    if job.arrived_after_all().await? {
        return Ok(Outcome::Delivered);
    }
    if !job.is_worth_storing() {
        let status = rejection.status;
        tracing::warn!(event = "dropped", kind = rejection.kind, status);
        return Ok(Outcome::Skipped("given up"));
    }
    let body = &opened.body;
    store(app, delivery, body, job.chat(), &rejection, attempts).await?;
    job.tell(&rejection).await?;
    Ok(Outcome::Failed)
}

/// Settles a message that cannot be read, or that belongs on another queue: nobody can be told.
///
/// # Errors
/// As [`settle`].
pub async fn refuse(app: &App, delivery: &Delivery, opened: &Opened) -> Result<Outcome, HandBack> {
    let body = &opened.body;
    if earlier_verdict(app, delivery, body).await?.is_none() {
        let misplaced = Rejection::new(
            "envelope_misplaced",
            "the envelope belongs on another queue",
            ReasonCode::InvalidMessageStructure,
        );
        let rejection = opened.envelope.as_ref().err().unwrap_or(&misplaced);
        store(app, delivery, body, None, rejection, 1).await?;
    }
    Ok(Outcome::Failed)
}

/// What was stored of the same message by an earlier delivery whose process ended before it was settled: a message that
/// somebody was told about as failed must not be delivered after all.
async fn earlier_verdict(
    app: &App,
    delivery: &Delivery,
    body: &[u8],
) -> Result<Option<Rejection>, HandBack> {
    if delivery.trigger.delivery_count <= 1 {
        return Ok(None);
    }
    let stored = app.blobs.get(FAILED, &name(delivery, body)).await;
    let stored = stored.map_err(|error| handed_back("failed_not_read", &error))?;
    let message = stored.and_then(|(body, _)| serde_json::from_slice::<FailedMessage>(&body).ok());
    Ok(message.map(|message| Rejection {
        service: message
            .service
            .filter(|service| service == Service::Genesys.label())
            .map(|_| Service::Genesys),
        ..Rejection::new("failed_before", message.reason, message.receipt)
    }))
}

async fn store(
    app: &App,
    delivery: &Delivery,
    body: &[u8],
    chat: Option<Digest>,
    rejection: &Rejection,
    attempts: u32,
) -> Result<(), HandBack> {
    let now = OffsetDateTime::now_utc();
    let trigger = &delivery.trigger;
    let queue = match delivery.direction {
        Direction::Inbound => &app.settings.inbound_queue,
        Direction::Outbound => &app.settings.outbound_queue,
    };
    let service = rejection.service.map(|service| service.label());
    let request_ids = rejection.request_ids.iter().cloned();
    let message = FailedMessage {
        direction: delivery.direction,
        queue: queue.clone(),
        lane: delivery.lane.as_str().to_owned(),
        message_id: trigger.message_id.clone(),
        chat,
        correlation: delivery.correlation.to_string(),
        kind: rejection.kind.to_owned(),
        reason: rejection.explanation.clone(),
        receipt: rejection.receipt,
        service: service.map(str::to_owned),
        status: rejection.status,
        request_ids: request_ids
            .map(|(name, id)| (name.to_owned(), id))
            .collect(),
        first_attempt: trigger.enqueued_at.unwrap_or(now),
        last_attempt: now,
        attempts: attempts.saturating_add(trigger.delivery_count.saturating_sub(1)),
        envelope: kept(body),
    };
    let blob = name(delivery, body);
    let stored = app.blobs.put(FAILED, &blob, Bytes::from(message.to_json()));
    let stored = stored.await;
    stored.map_err(|error| handed_back("failed_not_stored", &error))?;
    tracing::error!(
        event = "message_failed",
        kind = rejection.kind,
        service,
        status = rejection.status,
        blob,
        "a message was put into the container failed"
    );
    Ok(())
}

/// The name of a message's blob, which needs no look-up: a repetition finds, or writes, the same blob again.
fn name(delivery: &Delivery, body: &[u8]) -> String {
    failed(&delivery.lane, &Digest::of_bytes("failed", body))
}

/// Something that must be durable before the message is settled could not be done, so the message goes back.
pub fn handed_back(event: &'static str, error: &ServiceError) -> HandBack {
    let (service, kind) = (error.service.label(), error.kind.label());
    tracing::error!(event, service, kind, status = error.status);
    HandBack
}
