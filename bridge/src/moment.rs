//! Times as documents and services write them (RFC 3339), kept away from the ends of the calendar: beyond the year 9999 there is no
//! [`OffsetDateTime`], and a reckoning that leads there panics.

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

pub use time::serde::rfc3339::serialize;

const EARLIEST: OffsetDateTime = datetime!(1000-01-01 00:00 UTC);
const LATEST: OffsetDateTime = datetime!(9000-01-01 00:00 UTC);

/// Reads a time; the nearest that is kept apart from the ends.
#[must_use]
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(within(time))
}

fn within(time: OffsetDateTime) -> OffsetDateTime {
    time.clamp(EARLIEST, LATEST)
}

/// As [`parse`], for `#[serde(with = …)]`.
///
/// # Errors
/// It is no such time.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    time::serde::rfc3339::deserialize(deserializer).map(within)
}

/// The same of a time that may be absent.
pub mod option {
    use super::{Deserialize, Deserializer, OffsetDateTime, within};

    pub use time::serde::rfc3339::option::serialize;

    #[derive(Deserialize)]
    struct Moment(#[serde(with = "time::serde::rfc3339::option")] Option<OffsetDateTime>);

    /// As [`super::deserialize`].
    ///
    /// # Errors
    /// It is there, and no time.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        let Moment(time) = Moment::deserialize(deserializer)?;
        Ok(time.map(within))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pace::Bookings;
    use crate::rotation::{Found, Noted, next_step};
    use crate::state::timer::TimerState;

    const CENTURIES: Duration = Duration::from_secs(500 * 365 * 24 * 3600);

    #[test]
    fn whatever_is_written_there_is_room_to_reckon() {
        for (text, expected) in [
            ("9999-12-31T23:59:59.999999999Z", LATEST),
            ("9999-12-31T23:59:59-23:59", LATEST),
            ("0000-01-01T00:00:00+23:59", EARLIEST),
            (
                "2026-01-02T03:04:05+01:00",
                datetime!(2026-01-02 02:04:05 UTC),
            ),
        ] {
            let time = parse(text).expect("a time");
            assert_eq!(time, expected, "{text}");
            let (later, earlier) = (time + CENTURIES, time - CENTURIES);
            for one in [time, later, earlier] {
                assert!(one.to_offset(time::UtcOffset::UTC).format(&Rfc3339).is_ok());
            }
        }
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn documents_of_any_time_are_worked_with() {
        let last = "9999-12-31T23:59:59-23:59";
        let noted = format!(
            r#"{{"current":{{"key":"k","since":"{last}","ends":"{last}"}},"claim":{{"key":"a","run":"r","since":"{last}"}}}}"#
        );
        let noted: Noted = serde_json::from_str(&noted).expect("readable");
        let now = datetime!(2026-01-02 03:04:05 UTC);
        let _ = next_step(&noted, &Found::default(), now, false);
        assert!(noted.claim.is_some_and(|claim| claim.since == LATEST));
        let state: TimerState =
            serde_json::from_str(&format!(r#"{{"lastSuccess":"{last}"}}"#)).expect("readable");
        assert_eq!(state.last_success, Some(LATEST));
        let absent: TimerState = serde_json::from_str(r#"{"lastSuccess":null}"#).expect("readable");
        assert_eq!(absent.last_success, None);
        let bookings = format!(r#"{{"full_at":"{last}"}}"#);
        assert!(serde_json::from_str::<Bookings>(&bookings).is_ok());
    }
}
