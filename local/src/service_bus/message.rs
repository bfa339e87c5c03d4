//! A message as Service Bus keeps it, and how a queue was set up.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use time::OffsetDateTime;
use tokio::time::Instant;

/// A message on its way in.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// The payload, untouched.
    pub body: Bytes,
    /// `Content-Type` of the request.
    pub content_type: Option<String>,
    /// Sender-chosen id; Service Bus makes one when absent.
    pub message_id: Option<String>,
    /// The session; required on queues with sessions.
    pub session_id: Option<String>,
    /// Sender-chosen correlation.
    pub correlation_id: Option<String>,
    /// `Label`, nowadays called subject.
    pub label: Option<String>,
    /// Partition; equals the session when both are given.
    pub partition_key: Option<String>,
    /// How long it lives, counted from when it becomes active.
    pub time_to_live: Option<Duration>,
    /// Not active before.
    pub scheduled_at: Option<OffsetDateTime>,
    /// Custom properties.
    pub properties: BTreeMap<String, String>,
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
    /// Deliveries that ended without completion.
    pub failed_deliveries: u32,
    /// Everything else, as sent.
    pub draft: Draft,
}

/// A message handed to a receiver, locked until it is settled.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// 1 on the first delivery.
    pub delivery_count: u32,
}

/// A message that was given up.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The message.
    pub message: Message,
    /// `MaxDeliveryCountExceeded` or `TTLExpiredException`, as Service Bus spells them.
    pub reason: &'static str,
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

/// Numbers for `GET /local/queues`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueCounts {
    /// Messages that are or can be delivered.
    pub active: usize,
    /// Messages whose time has not come.
    pub scheduled: usize,
    /// Messages given up.
    pub dead_letters: u64,
    /// Sessions with messages or a receiver.
    pub sessions: usize,
    /// The ids of those with messages.
    pub lanes: Vec<String>,
}
