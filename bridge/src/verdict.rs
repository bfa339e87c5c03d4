//! When a message that keeps failing is given up, so that the lane can move on.

use std::time::Duration;

/// What to do with a failing message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try it again.
    Retry,
    /// Put it into `failed`.
    GiveUp,
}

/// A message that failed at least once. Times are readings of a monotonic clock, as the time since some fixed start.
#[derive(Debug, Clone, Copy)]
pub struct FailingMessage {
    attempts: u32,
    first_failure: Duration,
}

impl FailingMessage {
    /// A message whose first failure was just seen, not counted yet.
    #[must_use]
    pub fn new(first_failure: Duration) -> Self {
        Self {
            attempts: 0,
            first_failure,
        }
    }

    /// Counts a failed attempt.
    pub fn failed(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
    }

    /// While everybody fails, the service is down and the message waits. When others succeed, it is given up after `limit`
    /// attempts or `patience`, whichever is first.
    #[must_use]
    pub fn decide(
        &self,
        now: Duration,
        others_succeed: bool,
        limit: u32,
        patience: Duration,
    ) -> Decision {
        let spent = self.attempts >= limit || now.saturating_sub(self.first_failure) >= patience;
        if others_succeed && spent {
            Decision::GiveUp
        } else {
            Decision::Retry
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(120);

    #[test]
    fn while_everybody_fails_the_message_waits() {
        let mut message = FailingMessage::new(Duration::ZERO);
        for _ in 0..1000 {
            message.failed();
        }
        assert_eq!(
            message.decide(Duration::from_secs(9999), false, 5, PATIENCE),
            Decision::Retry
        );
    }

    #[test]
    fn while_others_succeed_attempts_and_time_are_limited() {
        let mut message = FailingMessage::new(Duration::from_secs(10));
        for _ in 0..4 {
            message.failed();
        }
        let decide = |message: &FailingMessage, seconds| {
            message.decide(Duration::from_secs(seconds), true, 5, PATIENCE)
        };
        assert_eq!(decide(&message, 129), Decision::Retry);
        assert_eq!(decide(&message, 130), Decision::GiveUp);
        message.failed();
        assert_eq!(decide(&message, 11), Decision::GiveUp);
    }
}
