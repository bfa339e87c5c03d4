//! Tools that all parts of the platform use.

pub mod activity;
pub mod adaptive_card;
pub mod clock;
pub mod content;
pub mod correlation;
pub mod download;
pub mod kept;
pub mod limits;
pub mod locked;
pub mod picture;
pub mod refused;
pub mod serve;
pub mod tls;

use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

/// Text that nobody guesses.
#[must_use]
pub fn random_text() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// A time as Graph and Genesys write it: UTC with milliseconds.
#[must_use]
pub fn time_text(at: OffsetDateTime) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    // Formatting fails only for years outside 0..=9999, which no clock shows.
    let utc = at.to_offset(time::UtcOffset::UTC);
    utc.format(format).unwrap_or_default()
}
