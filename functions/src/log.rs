//! Forms in which values stand in log lines.

use std::time::Duration;

use services::error::ServiceError;

/// Milliseconds of a duration.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The ids that a service's support asks for.
pub fn request_ids(error: &ServiceError) -> String {
    let ids: Vec<&str> = error
        .request_ids
        .iter()
        .map(|(_, id)| id.as_str())
        .collect();
    ids.join(",")
}
