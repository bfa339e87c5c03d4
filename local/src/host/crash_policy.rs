//! What the host does when the handler process ends.
//!
//! Source: Azure/azure-functions-host, `Workers/Http/HttpFunctionInvocationDispatcher.cs` and
//! `Workers/ProcessManagement/WorkerProcess.cs`.

use std::time::Duration;

use tokio::time::Instant;

/// Errors within this time of each other add up.
const WINDOW: Duration = Duration::from_secs(30 * 60);
/// The error that stops the host.
const LIMIT: u32 = 3;
/// An exit code by which a handler asks to be started again.
const RESTART_CODE: i32 = 200;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: the host believes the handler is there, and every call fails.
    Nothing,
    /// Start it again.
    Restart,
    /// Stop the host.
    Stop,
}

/// Counts errors.
#[derive(Debug, Default)]
pub struct CrashPolicy {
    errors: u32,
    last: Option<Instant>,
}

impl CrashPolicy {
    /// The handler ended by itself, with this code; none when a signal ended it.
    pub fn exited(&mut self, code: Option<i32>, now: Instant) -> Next {
        match code {
            Some(0) => Next::Nothing,
            Some(RESTART_CODE) => Next::Restart,
            _ => self.error(now),
        }
    }

    /// The handler did not become ready in time, or ended with an error.
    pub fn error(&mut self, now: Instant) -> Next {
        if self.last.is_some_and(|last| now - last > WINDOW) {
            self.errors = 0;
        }
        self.last = Some(now);
        self.errors += 1;
        if self.errors >= LIMIT {
            Next::Stop
        } else {
            Next::Restart
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_error_within_half_an_hour_stops_the_host() {
        let mut policy = CrashPolicy::default();
        let start = Instant::now();
        let half_an_hour_of_peace = start + WINDOW + Duration::from_secs(1);
        for (next, code, at) in [
            (Next::Restart, Some(1), start),
            (Next::Restart, None, start),
            (Next::Restart, Some(1), half_an_hour_of_peace),
            (Next::Restart, None, half_an_hour_of_peace),
            (Next::Restart, Some(200), half_an_hour_of_peace),
            (Next::Nothing, Some(0), half_an_hour_of_peace),
            (Next::Stop, Some(101), half_an_hour_of_peace),
        ] {
            assert_eq!(policy.exited(code, at), next, "{code:?}");
        }
    }
}
