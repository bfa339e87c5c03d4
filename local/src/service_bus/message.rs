//! A message as Service Bus keeps it, and how a queue was set up.

use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::broker_properties::BrokerProperties;

/// A message on its way in.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The payload, untouched.
    pub body: Bytes,
    /// `Content-Type` of the request.
    pub content_type: Option<String>,
    /// What Service Bus itself understands.
    pub broker: BrokerProperties,
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// Number in the queue, from 1.
    pub sequence: u64,
    /// Id, chosen or made.
    pub message_id: String,
    /// When the queue took it (or when its schedule made it active).
    pub enqueued_at: OffsetDateTime,
    /// How long it lives from then on.
    pub time_to_live: Duration,
    /// Monotonic end of its life.
    pub(super) expires: Instant,
    /// The number of this delivery, or of the next one, from 1.
    pub delivery_count: u32,
    /// Everything else, as sent.
    pub draft: Draft,
}

/// What a queue was created with.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// Name in the URL.
    pub name: String,
    /// Whether every message must name a session.
    pub sessions: bool,
    /// How long a `MessageId` is remembered; none means no duplicate detection.
    pub duplicate_window: Option<Duration>,
    /// How long a lock lasts that nobody renews.
    pub lock: Duration,
    /// Deliveries before a message is dead-lettered.
    pub max_delivery_count: u32,
    /// Life of a message that names none, and the longest any may have.
    pub time_to_live: Duration,
    /// Whether an expired message is dead-lettered rather than dropped.
    pub dead_letter_on_expiry: bool,
}

/// A queue in `GET /local/queues`.
#[derive(Debug, Serialize)]
pub struct QueueView {
    /// Its name.
    pub name: String,
    /// Messages that are or can be delivered.
    pub active: usize,
    /// Messages whose time has not come.
    pub scheduled: usize,
    /// Messages given up.
    pub dead_letters: usize,
    /// Sessions with messages or a receiver.
    pub sessions: usize,
    /// The ids of those with messages, scheduled ones included.
    pub lanes: Vec<String>,
}
