//! The time of what is renewed: timers, secrets and subscriptions. It may pass faster than that of this machine (`--speed`).
//!
//! The handler gets the same clock in a variable. Tokens, messages, queues and Azurite stay on the machine's time, as does the
//! handler in all that concerns them.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Name of the variable with which the handler gets this clock.
pub const VARIABLE: &str = "LOCAL_CLOCK";

/// Tells the time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    since: OffsetDateTime,
    speed: u32,
}

impl Clock {
    /// A clock that passes so many times as fast as the machine's from now on.
    #[must_use]
    pub fn new(speed: u32) -> Self {
        Self {
            since: OffsetDateTime::now_utc(),
            speed,
        }
    }

    /// The time now, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        let passed = OffsetDateTime::now_utc() - self.since;
        self.since.saturating_add(passed * self.speed)
    }

    /// How long this machine waits until then.
    #[must_use]
    pub fn wait_until(&self, then: OffsetDateTime) -> Duration {
        let wait = Duration::try_from(then - self.now()).unwrap_or_default();
        wait / self.speed
    }

    /// How many times as fast as the machine's it passes.
    #[must_use]
    pub const fn speed(&self) -> u32 {
        self.speed
    }

    /// The value of [`VARIABLE`]; none where time passes as usual.
    #[must_use]
    pub fn variable(&self) -> Option<String> {
        let since = self.since.format(&Rfc3339).ok()?;
        (self.speed > 1).then(|| format!("{}@{since}", self.speed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_passes_in_a_second_and_both_sides_agree_on_it() {
        const DAY: Duration = Duration::from_secs(86_400);
        let clock = Clock::new(86_400);
        let tomorrow = clock.now() + DAY;
        let wait = clock.wait_until(tomorrow);
        assert!(wait <= Duration::from_secs(1) && wait > Duration::from_millis(500));
        assert_eq!(clock.wait_until(tomorrow - 2 * DAY), Duration::ZERO);
        let variable = clock.variable().expect("told to the handler");
        let (speed, since) = variable.split_once('@').expect("two parts");
        let since = OffsetDateTime::parse(since, &Rfc3339);
        assert_eq!((speed, since), ("86400", Ok(clock.since)));
        assert_eq!(Clock::new(1).variable(), None);
    }
}
