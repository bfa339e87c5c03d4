//! A timer function (`timers/{name}.json`): who does its work at the moment, and how it went the last times.
//!
//! The host fires a timer on one instance of the app only. But an operator can run the same work by hand, and a host that lost
//! its own lease does not know that its last invocation still runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// What is remembered of a timer function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TimerState {
    /// Who works, until when at the latest.
    pub lease: Option<Lease>,
    /// End of the last run that succeeded.
    #[serde(with = "crate::moment::option")]
    pub last_success: Option<OffsetDateTime>,
    /// The last run that did not.
    pub last_failure: Option<Failed>,
}

/// The right to work alone. Nobody needs to take it from a holder that died: it ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// A name that nobody else has.
    pub holder: String,
    /// After this it counts no more.
    #[serde(with = "crate::moment")]
    pub until: OffsetDateTime,
}

/// A run that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Its end.
    #[serde(with = "crate::moment")]
    pub at: OffsetDateTime,
    /// Why, in a word or two.
    pub reason: String,
}

/// Somebody else works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl TimerState {
    /// Takes the lease for so long. It counts once this state is stored in the version that was read.
    ///
    /// # Errors
    /// Somebody else's has not ended.
    pub fn take(&mut self, holder: &str, now: OffsetDateTime, life: Duration) -> Result<(), Busy> {
        if self.lease.as_ref().is_some_and(|lease| now < lease.until) {
            return Err(Busy);
        }
        self.lease = Some(Lease {
            holder: holder.to_owned(),
            until: now + life,
        });
        Ok(())
    }

    /// Makes the lease that is held last for so long from now.
    pub fn renew(&mut self, now: OffsetDateTime, life: Duration) {
        if let Some(lease) = &mut self.lease {
            lease.until = now + life;
        }
    }

    /// Whether this holder has the lease.
    #[must_use]
    pub fn is_held_by(&self, holder: &str) -> bool {
        self.lease.as_ref().is_some_and(|it| it.holder == holder)
    }

    /// Notes how a run ended, and gives its lease back.
    pub fn end(&mut self, now: OffsetDateTime, result: Result<(), String>) {
        self.lease = None;
        match result {
            Ok(()) => self.last_success = Some(now),
            Err(reason) => self.last_failure = Some(Failed { at: now, reason }),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-12-01 03:00:00 UTC);
    const LIFE: Duration = Duration::from_secs(600);

    #[test]
    fn one_works_at_a_time_and_a_dead_holders_lease_runs_out() {
        let mut state = TimerState::default();
        assert_eq!(state.take("one", NOW, LIFE), Ok(()));
        assert!(state.is_held_by("one") && !state.is_held_by("two"));
        for later in [Duration::ZERO, LIFE - Duration::from_millis(1)] {
            assert_eq!(state.take("two", NOW + later, LIFE), Err(Busy));
        }
        assert_eq!(state.take("two", NOW + LIFE, LIFE), Ok(()));
        assert!(state.is_held_by("two"));
        state.end(NOW, Ok(()));
        assert_eq!(state.take("three", NOW, LIFE), Ok(()));
    }

    #[test]
    fn the_last_success_and_the_last_failure_are_kept_side_by_side() {
        let mut state = TimerState::default();
        state.end(NOW, Err("blob: unavailable".to_owned()));
        state.end(NOW + LIFE, Ok(()));
        let text = serde_json::to_string(&state).expect("JSON");
        assert_eq!(
            text,
            r#"{"lease":null,"lastSuccess":"2026-12-01T03:10:00Z","lastFailure":{"at":"2026-12-01T03:00:00Z","reason":"blob: unavailable"}}"#
        );
        let read: TimerState = serde_json::from_str(&text).expect("readable");
        assert_eq!(read, state);
        let empty: TimerState = serde_json::from_str("{}").expect("readable");
        assert_eq!(empty, TimerState::default());
    }
}
