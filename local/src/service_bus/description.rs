//! How a queue was set up, and how it is.

use std::time::Duration;

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
