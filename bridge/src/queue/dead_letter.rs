//! What is kept of a message that its queue put aside: the host delivered it too often, or it outlived its time there.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::failed::{Direction, FailedMessage, kept};
use crate::genesys::receipt::ReasonCode;
use crate::ids::{CorrelationId, Digest, Lane};
use crate::state::blobs;

/// A message out of a queue's dead letters.
#[derive(Debug, Clone)]
pub struct DeadLetter<'a> {
    /// Which way it was going.
    pub direction: Direction,
    /// Its queue.
    pub queue: &'a str,
    /// Its session.
    pub session_id: Option<&'a str>,
    /// The sender's `MessageId`.
    pub message_id: Option<&'a str>,
    /// The sender's `CorrelationId`.
    pub correlation_id: Option<&'a str>,
    /// How often it was delivered.
    pub deliveries: u32,
    /// When the queue accepted it.
    pub enqueued_at: Option<OffsetDateTime>,
    /// Why it was put aside, in Service Bus' word.
    pub reason: Option<&'a str>,
    /// The envelope, read from its blob where it was too large for the queue.
    pub body: &'a [u8],
}

impl DeadLetter<'_> {
    /// The name of its blob and what the blob says: where a delivery stored its verdict, the name is that one's, so that the
    /// verdict is found.
    #[must_use]
    pub fn failed(&self, now: OffsetDateTime) -> (String, FailedMessage) {
        let lane = self
            .session_id
            .map_or_else(|| Lane::unroutable(""), Lane::from_session_id);
        let blob = blobs::failed(&lane, &Digest::of_bytes("failed", self.body));
        let correlation = match self.correlation_id {
            Some(correlation) => correlation.to_owned(),
            None => CorrelationId::of_unknown(self.body).to_string(),
        };
        // "Overview of Service Bus dead-letter queues": the reasons that Service Bus itself gives.
        let (kind, receipt) = match self.reason {
            Some("TTLExpiredException") => ("dead_letter_expired", ReasonCode::MessageExpired),
            Some("MaxDeliveryCountExceeded") => ("dead_letter_retried", ReasonCode::ServerError),
            _ => ("dead_letter", ReasonCode::ServerError),
        };
        let message = FailedMessage {
            direction: self.direction,
            queue: self.queue.to_owned(),
            lane: lane.as_str().to_owned(),
            message_id: self.message_id.map(str::to_owned),
            chat: None,
            correlation,
            kind: kind.to_owned(),
            reason: format!(
                "the queue put the message aside: {}",
                self.reason.unwrap_or("no reason is given")
            ),
            receipt,
            service: Some("service-bus".to_owned()),
            status: None,
            request_ids: BTreeMap::new(),
            first_attempt: self.enqueued_at.unwrap_or(now),
            last_attempt: now,
            attempts: self.deliveries,
            envelope: kept(self.body),
        };
        (blob, message)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_dead_letter_is_a_failed_message_with_its_reason() {
        let now = datetime!(2026-01-02 03:04:05 UTC);
        let letter = |reason, body| DeadLetter {
            direction: Direction::Outbound,
            queue: "outbound",
            session_id: Some("direct-0"),
            message_id: Some("agent-1"),
            correlation_id: None,
            deliveries: 7,
            enqueued_at: None,
            reason,
            body,
        };
        for (reason, kind, receipt) in [
            (
                Some("TTLExpiredException"),
                "dead_letter_expired",
                ReasonCode::MessageExpired,
            ),
            (
                Some("MaxDeliveryCountExceeded"),
                "dead_letter_retried",
                ReasonCode::ServerError,
            ),
            (Some("Other"), "dead_letter", ReasonCode::ServerError),
            (None, "dead_letter", ReasonCode::ServerError),
        ] {
            let (blob, message) = letter(reason, b"{}").failed(now);
            assert_eq!((message.kind.as_str(), message.receipt), (kind, receipt));
            assert!(reason.is_none_or(|reason| message.reason.contains(reason)));
            assert_eq!((message.first_attempt, message.attempts), (now, 7));
            // The name under which a delivery's verdict on the same message lies.
            let lane = Lane::from_session_id("direct-0");
            assert_eq!(
                blob,
                blobs::failed(&lane, &Digest::of_bytes("failed", b"{}"))
            );
            let read = FailedMessage::parse(&message.to_json()).expect("readable");
            assert_eq!(
                (read.lane.as_str(), read.message_id.as_deref()),
                ("direct-0", Some("agent-1"))
            );
        }
        let (_, message) = letter(None, b"\xff").failed(now);
        assert_eq!(message.envelope, "/w==");
    }
}
