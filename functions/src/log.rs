//! Forms in which values stand in log lines.

use std::time::Duration;

/// Milliseconds of a duration.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
