//! What the bridge remembers, as JSON blobs guarded by their ETags; each has one writer.

pub mod blobs;
pub mod customer;
pub mod inbound;
pub mod outbound;
pub mod question;
pub mod thread;
pub mod timer;

use std::time::Duration;

/// How long carried messages and posts are kept: longer than any retry, re-delivery or overlap of a catch-up.
pub const KEPT: Duration = Duration::from_secs(48 * 3600);
