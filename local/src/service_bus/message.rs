//! A message as Service Bus keeps it.

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
    /// Address to answer to.
    pub reply_to: Option<String>,
    /// Session to answer to.
    pub reply_to_session_id: Option<String>,
    /// Address it is meant for.
    pub to: Option<String>,
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
