//! Exponential back-off with full jitter.

use std::time::Duration;

/// The wait before another attempt: a random part of `floor` × 2^attempt, at most `ceiling`, at least `floor`. `random`
/// lies between 0 and 1; attempts count from 1.
pub(super) fn backoff(attempt: u32, random: f64, floor: Duration, ceiling: Duration) -> Duration {
    let doubled = floor.as_secs_f64() * 2f64.powi(i32::try_from(attempt.min(40)).unwrap_or(40));
    let span = doubled.min(ceiling.as_secs_f64());
    Duration::from_secs_f64(span * random.clamp(0.0, 1.0)).clamp(floor, ceiling.max(floor))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_stays_between_floor_and_ceiling(attempt in any::<u32>(), random in 0.0f64..1.0) {
            let (floor, ceiling) = (Duration::from_millis(250), Duration::from_secs(20));
            let wait = backoff(attempt, random, floor, ceiling);
            prop_assert!(wait >= floor && wait <= ceiling);
        }
    }

    #[test]
    fn it_grows() {
        let wait = |attempt| {
            backoff(
                attempt,
                1.0,
                Duration::from_secs(1),
                Duration::from_secs(60),
            )
        };
        assert_eq!(
            [wait(1), wait(2), wait(5), wait(9)].map(|wait| wait.as_secs()),
            [2, 4, 32, 60]
        );
    }
}
