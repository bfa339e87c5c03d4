//! Putting envelopes on a queue, through Blob when one is too large for a Service Bus message.

use bridge::ids::{CorrelationId, Digest};
use bridge::queue::envelope::{self, Content, Envelope};
use bridge::queue::route::Queue;
use bridge::state::blobs::{self, STATE};
use bytes::Bytes;
use services::error::ServiceError;
use services::service_bus::Outgoing;
use uuid::Uuid;

use crate::app::App;

/// Sends envelopes of one lane, in order; success means that all are durable. Tells the journey of each.
///
/// # Errors
/// Service Bus, or Blob for an envelope above the claim check threshold, refused or could not be reached. The envelopes
/// before the one that failed may be on the queue: the sender repeats them all, and duplicate detection knows them.
pub async fn enqueue(
    app: &App,
    envelopes: &[Envelope],
) -> Result<Vec<CorrelationId>, ServiceError> {
    let mut routed = Vec::with_capacity(envelopes.len());
    for envelope in envelopes {
        let route = envelope.route(|| Uuid::new_v4().into_bytes());
        routed.push((route, body(app, envelope).await?));
    }
    let outgoing = routed.iter().map(|(route, body)| Outgoing {
        body: body.clone(),
        session_id: route.lane.as_ref().map(|lane| lane.as_str()),
        message_id: route.message_id.as_ref().map(|id| id.as_str()),
        correlation_id: route.correlation.as_str(),
        time_to_live: route.time_to_live,
    });
    let outgoing: Vec<Outgoing<'_>> = outgoing.collect();
    if let Some((first, _)) = routed.first() {
        let queue = match first.queue {
            Queue::Inbound => &app.settings.inbound_queue,
            Queue::Outbound => &app.settings.outbound_queue,
            Queue::Typing => &app.settings.typing_queue,
        };
        app.bus.send_batch(queue, &outgoing).await?;
    }
    let journeys = routed.into_iter().map(|(route, _)| route.correlation);
    Ok(journeys.collect())
}

/// The envelope as it travels: itself, or a claim on the blob that holds it.
async fn body(app: &App, envelope: &Envelope) -> Result<Bytes, ServiceError> {
    let body = envelope.to_json();
    if body.len() <= envelope::CLAIM_CHECK_THRESHOLD {
        return Ok(Bytes::from(body));
    }
    // Named by its content, so that a sender's retry overwrites instead of piling up.
    let content = serde_json::to_vec(&envelope.content).unwrap_or_default();
    let blob = blobs::claim(&Digest::of_bytes("claim", &content));
    app.blobs.put(STATE, &blob, Bytes::from(body)).await?;
    let claim = Envelope::new(envelope.accepted_at, Content::Claim { blob });
    Ok(Bytes::from(claim.to_json()))
}
