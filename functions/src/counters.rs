//! What this process has done since it started, for the health route. The durable record is the log.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of what one webhook brought.
#[derive(Debug, Default)]
pub struct Tally {
    /// Put on a queue.
    pub enqueued: AtomicU64,
    /// Refused, forged, not understood or of no interest.
    pub dropped: AtomicU64,
}

/// Counts since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Graph's notifications.
    pub notifications: Tally,
    /// Calls of Genesys' webhook.
    pub webhooks: Tally,
    /// Requests answered with 503.
    pub deferred: AtomicU64,
    /// Queue messages that reached the other side.
    pub delivered: AtomicU64,
    /// Queue messages that had nothing left to do.
    pub skipped: AtomicU64,
    /// Queue messages put into `failed`.
    pub failed: AtomicU64,
    /// Queue messages handed back for another attempt.
    pub handed_back: AtomicU64,
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// The counts as a JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        serde_json::json!({
            "notifications_enqueued": read(&self.notifications.enqueued),
            "notifications_dropped": read(&self.notifications.dropped),
            "webhooks_enqueued": read(&self.webhooks.enqueued),
            "webhooks_dropped": read(&self.webhooks.dropped),
            "deferred": read(&self.deferred),
            "delivered": read(&self.delivered),
            "skipped": read(&self.skipped),
            "failed": read(&self.failed),
            "handed_back": read(&self.handed_back),
        })
    }
}
