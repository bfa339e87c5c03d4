//! The time by which secrets and subscriptions are renewed.
//!
//! It is the system's. The local platform alone can have it pass faster, so that somebody sees a year of renewals: it dates what it
//! keeps of secrets and subscriptions by the same clock. Everything else has another side whose time cannot be made to pass
//! faster, and goes by the system's clock: signed requests, tokens, links, leases, limits of a run, and what people write.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Variable by which the local platform says how fast its time passes, and since when: `{speed}@{time}`.
pub const VARIABLE: &str = "LOCAL_CLOCK";

/// What belongs there.
pub(crate) const EXPECTS: &str =
    "nothing (only the local platform sets it, for an app at a loopback address)";

/// Tells the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock(Option<Faster>);

/// Time passed as usual until `since`, and passes `speed` times as fast from then on.
#[derive(Debug, Clone, Copy)]
struct Faster {
    since: OffsetDateTime,
    speed: u32,
}

impl Clock {
    /// Reads the value of [`VARIABLE`] for an app at this address.
    ///
    /// # Errors
    /// It is not what the local platform writes, or the app is not at a loopback address: a deployed app would take its secrets for
    /// older than they are, and end them.
    pub(crate) fn read(value: &str, address: Option<&str>) -> Result<Self, String> {
        // Only the addresses of this machine are without TLS.
        if !address.is_some_and(|it| it.starts_with("http://")) {
            return Err("set although this is not the local platform".to_owned());
        }
        let faster = value.split_once('@').and_then(|(speed, since)| {
            let speed = speed.parse().ok()?;
            let since = OffsetDateTime::parse(since, &Rfc3339).ok()?;
            Some(Faster { since, speed })
        });
        let faster = faster.filter(|it| it.speed > 0);
        let faster = faster.ok_or_else(|| "not a speed and a time".to_owned())?;
        Ok(Self(Some(faster)))
    }

    /// The time now, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.shown_at(OffsetDateTime::now_utc())
    }

    fn shown_at(&self, system: OffsetDateTime) -> OffsetDateTime {
        match self.0 {
            None => system,
            Some(Faster { since, speed }) => since.saturating_add((system - since) * speed),
        }
    }

    /// Waits until so much of its time has passed.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let speed = self.0.map_or(1, |it| it.speed);
        tokio::time::sleep(duration / speed).await;
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use tokio::time::Instant;

    use super::*;

    const SINCE: OffsetDateTime = datetime!(2026-12-01 03:17:00 UTC);

    fn faster() -> Clock {
        let local = Some("http://127.0.0.1:7071");
        Clock::read("86400@2026-12-01T03:17:00Z", local).expect("the local platform's")
    }

    #[test]
    fn a_day_passes_in_a_second_where_the_local_platform_says_so() {
        let second = Duration::from_secs(1);
        let shown = faster().shown_at(SINCE + 365 * second);
        assert_eq!(shown, datetime!(2027-12-01 03:17:00 UTC));
        let ages = Duration::from_secs(100 * 365 * 24 * 3600);
        faster().shown_at(SINCE + ages);
        let usual = Clock::default();
        assert_eq!(usual.shown_at(SINCE + second), SINCE + second);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_as_much_shorter() {
        let day = Duration::from_secs(86_400);
        for (clock, waited) in [(Clock::default(), day), (faster(), Duration::from_secs(1))] {
            let begun = Instant::now();
            clock.sleep(day).await;
            assert_eq!(begun.elapsed(), waited);
        }
    }

    #[test]
    fn a_deployed_app_is_not_to_be_told_another_time() {
        let value = "2@2026-12-01T03:17:00Z";
        for address in [None, Some("https://app.example")] {
            let problem = Clock::read(value, address).expect_err("refused");
            assert!(problem.contains("not the local platform"), "{problem}");
        }
        for value in [
            "2",
            "0@2026-12-01T03:17:00Z",
            "2@noon",
            "-2@2026-12-01T03:17:00Z",
        ] {
            Clock::read(value, Some("http://localhost:7071")).expect_err(value);
        }
    }
}
