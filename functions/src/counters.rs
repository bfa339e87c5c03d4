//! What this process has done since it started, for the health route. The durable record is the log.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counts since the start of the process, by the names that the health route gives them.
#[derive(Debug, Default, Serialize)]
pub struct Counters {
    /// Graph's notifications on a queue.
    pub notifications_enqueued: AtomicU64,
    /// Graph's notifications that were refused, forged, not understood or of no interest.
    pub notifications_dropped: AtomicU64,
    /// Calls of Genesys' webhook on a queue.
    pub webhooks_enqueued: AtomicU64,
    /// Calls of Genesys' webhook that were refused, forged, not understood or of no interest.
    pub webhooks_dropped: AtomicU64,
    /// The connector's activities on a queue.
    pub activities_enqueued: AtomicU64,
    /// The connector's activities that were refused, forged, not understood or of no interest.
    pub activities_dropped: AtomicU64,
    /// Requests answered with 503.
    pub deferred: AtomicU64,
    /// Queue messages that reached the other side.
    pub delivered: AtomicU64,
    /// Queue messages that had nothing left to do.
    pub skipped: AtomicU64,
    /// Customers' messages that were not passed on, because `CUSTOMER_TENANTS` does not let their sender write.
    pub turned_away: AtomicU64,
    /// Queue messages put into `failed`.
    pub failed: AtomicU64,
    /// Queue messages handed back for another attempt.
    pub handed_back: AtomicU64,
}

/// Adds some.
pub fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
