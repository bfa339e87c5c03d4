//! Times and numbers for people.

use std::time::Duration;

use time::{OffsetDateTime, UtcOffset};

/// A length of time in its two largest units.
pub(super) fn span(length: Duration) -> String {
    let seconds = length.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// A time to the minute.
pub(super) fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (date, hour, minute) = (at.date(), at.hour(), at.minute());
    format!("{date} {hour:02}:{minute:02} UTC")
}

/// How long ago something was. Clocks differ, so what lies ahead was just now.
pub(super) fn ago(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let length = Duration::try_from(now - at).unwrap_or_default();
    format!("{} ago", span(length))
}

/// When something will be.
pub(super) fn until(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let length = Duration::try_from(at - now).unwrap_or_default();
    format!("{} (in {})", moment(at), span(length))
}

/// A number of things.
pub(super) fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}
