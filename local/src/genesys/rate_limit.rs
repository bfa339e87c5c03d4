//! The limit on requests of one client-credentials client: 300 in any minute unless Genesys raised it (Genesys Cloud
//! Developer Center, "Limits", `client.credentials.token.rate.per.minute`).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The window that slides.
const WINDOW: Duration = Duration::from_secs(60);

/// When the requests of the last minute came, and how many may.
#[derive(Debug)]
pub struct RateLimit {
    requests: usize,
    passed: Mutex<VecDeque<Instant>>,
}

impl RateLimit {
    /// Lets so many requests pass within a minute.
    pub fn new(requests: usize) -> Self {
        Self {
            requests,
            passed: Mutex::default(),
        }
    }

    /// Counts a request that passes; for one that does not, the whole seconds until the next would.
    pub fn admit(&self) -> Result<(), u64> {
        let now = Instant::now();
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        while passed
            .front()
            .is_some_and(|at| now.duration_since(*at) >= WINDOW)
        {
            passed.pop_front();
        }
        match passed.front() {
            Some(oldest) if passed.len() >= self.requests => {
                let left = WINDOW.saturating_sub(now.duration_since(*oldest));
                Err(left.as_secs_f64().ceil().max(1.0) as u64)
            }
            _ => {
                passed.push_back(now);
                Ok(())
            }
        }
    }
}
