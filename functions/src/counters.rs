//! What this process has done since it started, for the health route. The durable record is the log.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start of the process.
#[derive(Debug, Default)]
pub struct Counters {
    /// Notifications put on the inbound queue.
    pub notifications_enqueued: AtomicU64,
    /// Notifications dropped as forged, foreign or not understood.
    pub notifications_dropped: AtomicU64,
    /// Agent messages put on the outbound queue.
    pub webhooks_enqueued: AtomicU64,
    /// Webhook calls refused or of no interest.
    pub webhooks_dropped: AtomicU64,
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
            "notifications_enqueued": read(&self.notifications_enqueued),
            "notifications_dropped": read(&self.notifications_dropped),
            "webhooks_enqueued": read(&self.webhooks_enqueued),
            "webhooks_dropped": read(&self.webhooks_dropped),
            "deferred": read(&self.deferred),
            "delivered": read(&self.delivered),
            "skipped": read(&self.skipped),
            "failed": read(&self.failed),
            "handed_back": read(&self.handed_back),
        })
    }
}
