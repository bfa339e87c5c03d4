//! A token bucket: how fast a throttle key may be used.

use std::time::Duration;

/// A bucket that is empty when the process starts, because what another instance used just before is not known. Times are
/// readings of a monotonic clock, as the time since that start.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    updated: Duration,
}

impl TokenBucket {
    /// A bucket for a sustained rate and a burst of at least one use.
    #[must_use]
    pub fn new(per_second: f64, burst: f64) -> Self {
        Self {
            per_second: per_second.max(0.001),
            burst: burst.max(1.0),
            tokens: 0.0,
            updated: Duration::ZERO,
        }
    }

    /// Uses one token; or, when there is none, says how long to wait before asking again.
    pub fn take(&mut self, now: Duration) -> Duration {
        let wait = self.wait(now);
        if wait.is_zero() {
            self.tokens = (self.tokens - 1.0).max(0.0);
        }
        wait
    }

    /// How long to wait for a token; nothing when there is one.
    pub fn wait(&mut self, now: Duration) -> Duration {
        let since = now.saturating_sub(self.updated);
        self.tokens = (self.tokens + since.as_secs_f64() * self.per_second).min(self.burst);
        self.updated = self.updated.max(now);
        // What rounding left away must not cost another wait.
        if self.tokens >= 1.0 - 1e-9 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64((1.0 - self.tokens) / self.per_second).max(Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_starts_empty_and_fills_to_its_burst() {
        let mut bucket = TokenBucket::new(2.0, 3.0);
        let half_a_second = Duration::from_millis(500);
        assert_eq!(bucket.take(Duration::ZERO), half_a_second);
        assert_eq!(bucket.take(half_a_second), Duration::ZERO);
        for _ in 0..3 {
            assert_eq!(bucket.take(Duration::from_secs(200)), Duration::ZERO);
        }
        assert!(bucket.take(Duration::from_secs(200)) > Duration::ZERO);
    }

    proptest! {
        #[test]
        fn no_span_sees_more_than_burst_and_rate_allow(steps in proptest::collection::vec(0u64..2000, 1..200)) {
            let mut bucket = TokenBucket::new(0.83, 2.0);
            let mut now = Duration::ZERO;
            let mut used = 0.0;
            for step in steps {
                now += Duration::from_millis(step);
                if bucket.take(now).is_zero() {
                    used += 1.0;
                }
                prop_assert!(used <= now.as_secs_f64() * 0.83 + 1e-6);
            }
        }

        #[test]
        fn who_waits_as_told_is_served(start in 0u64..10_000) {
            let mut bucket = TokenBucket::new(0.83, 1.0);
            let now = Duration::from_millis(start);
            bucket.take(now);
            let wait = bucket.take(now);
            prop_assert_eq!(bucket.take(now + wait), Duration::ZERO);
        }
    }
}
