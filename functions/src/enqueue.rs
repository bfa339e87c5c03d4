//! Putting an envelope on a queue, through Blob when it is too large for one Service Bus message.

use std::time::Duration;

use bridge::ids::{BusMessageId, CorrelationId, Digest, Lane};
use bridge::queue::envelope::{self, Content, Envelope};
use bridge::state::blobs;
use bytes::Bytes;
use services::error::ServiceError;
use services::service_bus::Outgoing;
use time::OffsetDateTime;

use crate::app::App;

/// Container of everything the functions remember.
pub const STATE: &str = "state";

/// How an envelope travels: its lane, its identity for duplicate detection and how long it stays useful.
#[derive(Debug)]
pub struct Passage<'a> {
    /// Queue name.
    pub queue: &'a str,
    /// Session; `None` for queues without sessions.
    pub lane: Option<&'a Lane>,
    /// `MessageId` for duplicate detection; `None` where each message is one of its own.
    pub message_id: Option<&'a BusMessageId>,
    /// Journey that the message belongs to.
    pub correlation: &'a CorrelationId,
    /// `None` leaves it to the queue's own time to live.
    pub time_to_live: Option<Duration>,
}

/// Sends an envelope; success means that it is durable.
///
/// # Errors
/// Service Bus, or Blob for an envelope above the claim check threshold, refused or could not be reached.
pub async fn enqueue(
    app: &App,
    passage: Passage<'_>,
    envelope: &Envelope,
) -> Result<(), ServiceError> {
    let mut body = envelope.to_json();
    if body.len() > envelope::CLAIM_CHECK_THRESHOLD {
        // Named by its content, so that a sender's retry overwrites instead of piling up.
        let content = serde_json::to_vec(&envelope.content).unwrap_or_default();
        let digest = Digest::of_bytes("claim", &content);
        let blob = blobs::claim(&digest);
        app.blobs.put(STATE, &blob, Bytes::from(body)).await?;
        body = Envelope::new(OffsetDateTime::now_utc(), Content::Claim { blob }).to_json();
    }
    app.bus
        .send(
            passage.queue,
            &Outgoing {
                body: Bytes::from(body),
                session_id: passage.lane.map(|lane| lane.as_str()),
                message_id: passage.message_id.map(|id| id.as_str()),
                correlation_id: passage.correlation.as_str(),
                time_to_live: passage.time_to_live,
            },
        )
        .await
}
