//! A token bucket that several instances share: calls are booked ahead.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::limits::Limit;

/// Longest time ahead that is believed, which is longer than any pause: a clock that was wrong must not stop the calls for good.
const FURTHEST: Duration = Duration::from_secs(15 * 60);

/// What is booked of a throttle key: the generic cell rate algorithm, whose one number says when the bucket will be full again.
/// Whoever books gets times of its own, so instances that write one after the other never use the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookings {
    #[serde(with = "crate::moment")]
    full_at: OffsetDateTime,
}

impl Bookings {
    /// A bucket of whose use just before nothing is known: empty but for what the limit allows at first.
    #[must_use]
    pub fn empty(limit: &Limit, now: OffsetDateTime) -> Self {
        let missing = (limit.burst.max(1.0) - limit.at_first).max(0.0);
        Self {
            full_at: now + limit.each().mul_f64(missing),
        }
    }

    /// How long the next call has to wait.
    #[must_use]
    pub fn wait(&self, limit: &Limit, now: OffsetDateTime) -> Duration {
        let left = self.full_at.min(now + FURTHEST) - now;
        let left = Duration::try_from(left).unwrap_or_default();
        let wait = left.saturating_sub(reach(limit));
        // What rounding left away must not cost another wait.
        if wait < Duration::from_micros(10) {
            Duration::ZERO
        } else {
            wait
        }
    }

    /// Books this many calls, each for the earliest time that is free.
    pub fn book(
        &mut self,
        limit: &Limit,
        now: OffsetDateTime,
        calls: usize,
    ) -> Vec<OffsetDateTime> {
        let mut times = Vec::with_capacity(calls);
        for _ in 0..calls {
            times.push(now + self.wait(limit, now));
            self.full_at = self.full_at.clamp(now, now + FURTHEST) + limit.each();
        }
        times
    }

    /// How many of the calls that are `expected` beyond those that wait may be booked with them, so that each needs no booking of its
    /// own: half of what may come at once is left to the other instances, which lose nothing then should these calls not come.
    #[must_use]
    pub fn spare(&self, limit: &Limit, now: OffsetDateTime, expected: usize) -> usize {
        let ahead = Duration::try_from(self.full_at - now).unwrap_or_default();
        let used = ahead.as_secs_f64() / limit.each().as_secs_f64();
        let left = limit.burst / 2.0 - used;
        expected.min(left.max(0.0) as usize)
    }

    /// Leaves the key alone until then. What comes after begins slowly: the service said that it had too much.
    pub fn pause(&mut self, limit: &Limit, until: OffsetDateTime) {
        self.full_at = self.full_at.max(until + reach(limit));
    }
}

/// How long to leave a service alone that has too much and does not say for how long: exponential back-off with full jitter, so
/// that the instances do not come back together. `times` are those in a row, `random` is in 0..1.
#[must_use]
pub fn pause_unasked(times: u32, random: f64) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(250);
    const FIRST: Duration = Duration::from_secs(2);
    const LONGEST: Duration = Duration::from_secs(60);
    let span = FIRST.saturating_mul(2u32.saturating_pow(times.saturating_sub(1)));
    let pause = span.min(LONGEST).mul_f64(random.clamp(0.0, 1.0));
    pause.max(SHORTEST)
}

/// How far ahead of the sustained rate calls may be.
fn reach(limit: &Limit) -> Duration {
    limit.each().mul_f64(limit.burst.max(1.0) - 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::limits::{GRAPH_POSTS, genesys};
    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn seconds(times: &[OffsetDateTime]) -> Vec<f64> {
        times
            .iter()
            .map(|at| ((*at - START).as_seconds_f64() * 100.0).round() / 100.0)
            .collect()
    }

    #[test]
    fn it_starts_empty_and_fills_to_its_burst() {
        let limit = Limit {
            per_second: 2.0,
            burst: 3.0,
            ..GRAPH_POSTS
        };
        let mut bookings = Bookings::empty(&limit, START);
        assert_eq!(seconds(&bookings.book(&limit, START, 3)), [0.5, 1.0, 1.5]);
        let later = START + Duration::from_secs(100);
        assert_eq!(
            seconds(&bookings.book(&limit, later, 5)),
            [100.0, 100.0, 100.0, 100.5, 101.0]
        );
        bookings.pause(&limit, START + Duration::from_secs(110));
        assert_eq!(seconds(&bookings.book(&limit, later, 2)), [110.0, 110.5]);
    }

    #[test]
    fn what_is_only_expected_leaves_half_of_the_burst_and_waits_for_nothing() {
        let limit = genesys(300);
        let mut bookings = Bookings::empty(&limit, START);
        assert_eq!(bookings.spare(&limit, START, 5), 0, "nothing is known yet");
        let later = START + Duration::from_secs(100);
        assert_eq!(bookings.spare(&limit, later, 5), 5);
        assert_eq!(bookings.spare(&limit, later, 50), 10);
        let times = bookings.book(&limit, later, 10);
        assert!(times.iter().all(|at| *at == later));
        assert_eq!(bookings.spare(&limit, later, 5), 0);
        // Where only one call may come at a time there is nothing to spare.
        assert_eq!(
            Bookings::empty(&GRAPH_POSTS, START).spare(&GRAPH_POSTS, later, 5),
            0
        );
    }

    #[test]
    fn a_clock_that_was_wrong_stops_nobody_for_good() {
        let limit = genesys(300);
        let mut bookings = Bookings::empty(&limit, START + Duration::from_secs(1_000_000));
        assert!(bookings.wait(&limit, START) <= FURTHEST);
        bookings.book(&limit, START, 1);
        assert!(bookings.wait(&limit, START + FURTHEST).is_zero());
    }

    #[test]
    fn a_service_that_does_not_say_is_left_alone_for_longer_each_time() {
        for (times, random, milliseconds) in [
            (1, 0.0, 250),
            (1, 0.5, 1_000),
            (1, 1.0, 2_000),
            (2, 1.0, 4_000),
            (4, 0.25, 4_000),
            (6, 1.0, 60_000),
            (u32::MAX, 1.0, 60_000),
        ] {
            let pause = pause_unasked(times, random);
            assert_eq!(pause.as_millis(), milliseconds, "{times} {random}");
        }
    }

    #[test]
    fn what_is_kept_is_one_time() {
        let bookings = Bookings::empty(&GRAPH_POSTS, START);
        let json = serde_json::to_string(&bookings).expect("JSON");
        assert_eq!(json, r#"{"full_at":"1970-01-01T00:00:01.204819277Z"}"#);
        assert_eq!(
            serde_json::from_str::<Bookings>(&json).expect("the same"),
            bookings
        );
    }

    proptest! {
        /// Whoever books whenever: any span holds no more calls than burst and rate allow.
        #[test]
        fn no_span_sees_more_than_burst_and_rate_allow(steps in proptest::collection::vec((0u64..2_000, 1usize..6), 1..60)) {
            let limit = genesys(60);
            let mut bookings = Bookings::empty(&limit, START);
            let mut now = START;
            let mut times = Vec::new();
            for (step, calls) in steps {
                now += Duration::from_millis(step);
                times.extend(bookings.book(&limit, now, calls));
            }
            prop_assert!(times.is_sorted());
            for (index, first) in times.iter().enumerate() {
                for (further, last) in times[index..].iter().enumerate() {
                    let span = (*last - *first).as_seconds_f64();
                    let most = limit.burst + span * limit.per_second + 1e-3;
                    prop_assert!((further + 1) as f64 <= most, "{further} in {span}");
                }
            }
        }
    }
}
