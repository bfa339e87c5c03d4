//! Payloads of Genesys Cloud Open Messaging (Genesys Developer Center, "Open Messaging"; field names and enumerations as in the
//! JavaScript and Python platform SDKs).

pub mod ended;
pub mod inbound;
pub mod receipt;
pub mod signature;
pub mod speaker;
pub mod webhook;

use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// A time as Genesys' own payloads show it: UTC, with milliseconds.
fn time_text(time: OffsetDateTime) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    time.to_offset(UtcOffset::UTC)
        .format(format)
        .unwrap_or_default()
}
