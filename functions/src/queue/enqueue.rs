//! Putting envelopes on a queue, through Blob when one is too large for a Service Bus message.

use bridge::ids::{CorrelationId, Digest};
use bridge::queue::envelope::{self, Content, Envelope};
use bridge::queue::route::{Queue, Route};
use bridge::state::blobs::{self, STATE};
use bytes::Bytes;
use services::blob::Blobs;
use services::error::ServiceError;
use services::service_bus::{Outgoing, ServiceBus};
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
    let route = |envelope: &Envelope| envelope.route(|| Uuid::new_v4().into_bytes());
    let routes: Vec<Route> = envelopes.iter().map(route).collect();
    if let Some(first) = routes.first() {
        let queue = match first.queue {
            Queue::Inbound => &app.settings.inbound_queue,
            Queue::Outbound => &app.settings.outbound_queue,
            Queue::Typing => &app.settings.typing_queue,
        };
        send(&app.blobs, &app.bus, queue, envelopes, &routes).await?;
    }
    Ok(routes.into_iter().map(|route| route.correlation).collect())
}

/// Sends envelopes of one lane by these routes, as [`enqueue`] does.
///
/// # Errors
/// Those of [`enqueue`].
pub async fn send(
    blobs: &Blobs,
    bus: &ServiceBus,
    queue: &str,
    envelopes: &[Envelope],
    routes: &[Route],
) -> Result<(), ServiceError> {
    let mut bodies = Vec::with_capacity(envelopes.len());
    for envelope in envelopes {
        bodies.push(body(blobs, envelope).await?);
    }
    let outgoing = routes.iter().zip(bodies).map(|(route, body)| Outgoing {
        body,
        session_id: route.lane.as_ref().map(|lane| lane.as_str()),
        message_id: route.message_id.as_ref().map(|id| id.as_str()),
        correlation_id: route.correlation.as_str(),
        time_to_live: route.time_to_live,
    });
    let outgoing: Vec<Outgoing<'_>> = outgoing.collect();
    bus.send_batch(queue, &outgoing).await
}

/// The envelope as it travels: itself, or a claim on the blob that holds it.
async fn body(blobs: &Blobs, envelope: &Envelope) -> Result<Bytes, ServiceError> {
    let body = envelope.to_json();
    if body.len() <= envelope::CLAIM_CHECK_THRESHOLD {
        return Ok(Bytes::from(body));
    }
    // Named by its content, so that a sender's retry overwrites instead of piling up. A replay has a blob of its own: what it
    // repeats may still be on the queue.
    let content = serde_json::to_vec(&(&envelope.replay, &envelope.content)).unwrap_or_default();
    let blob = blobs::claim(&Digest::of_bytes("claim", &content));
    blobs.put(STATE, &blob, Bytes::from(body)).await?;
    let claim = Envelope::new(envelope.accepted_at, Content::Claim { blob });
    Ok(Bytes::from(claim.to_json()))
}
