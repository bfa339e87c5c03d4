//! The bridge's OAuth client: its secret, its tokens, and how many requests it may send.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::shared::locked::Locked;
use crate::shared::random_text;

/// Life of a token in seconds: the default of an OAuth client.
pub const TOKEN_SECONDS: u64 = 86_400;
/// The window in which requests are counted: 300 in any minute unless Genesys raised it (Genesys Cloud Developer Center, "Limits",
/// `client.credentials.token.rate.per.minute`).
const WINDOW: Duration = Duration::from_secs(60);

pub struct Login {
    pub secret: String,
    /// When each token ends.
    tokens: Locked<HashMap<String, Instant>>,
    /// Requests that pass within the window.
    limit: usize,
    /// When those of the last window came.
    passed: Locked<VecDeque<Instant>>,
}

impl Login {
    /// A client with a new secret and without tokens, which may send so many requests a minute.
    pub fn new(limit: usize) -> Self {
        Self {
            secret: random_text(),
            tokens: Locked::default(),
            limit,
            passed: Locked::default(),
        }
    }

    pub fn issue(&self) -> String {
        let (token, now) = (random_text(), Instant::now());
        let mut tokens = self.tokens.lock();
        tokens.retain(|_, expires| *expires > now);
        tokens.insert(token.clone(), now + Duration::from_secs(TOKEN_SECONDS));
        token
    }

    /// Whether this is a token of the client that has not expired.
    pub fn knows(&self, token: &str) -> bool {
        let tokens = self.tokens.lock();
        tokens.get(token).is_some_and(|it| *it > Instant::now())
    }

    /// Counts a request that passes; for one that does not, the whole seconds until the next would.
    pub fn admit(&self) -> Result<(), u64> {
        let now = Instant::now();
        let mut passed = self.passed.lock();
        while passed.front().is_some_and(|at| now - *at >= WINDOW) {
            passed.pop_front();
        }
        match passed.front() {
            Some(oldest) if passed.len() >= self.limit => {
                let left = WINDOW.saturating_sub(now - *oldest);
                Err(left.as_secs_f64().ceil().max(1.0) as u64)
            }
            _ => {
                passed.push_back(now);
                Ok(())
            }
        }
    }
}
