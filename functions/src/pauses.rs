//! Pace and pauses: how fast a throttle key may be used, and until when a service asked to be left alone.
//!
//! A pause that one instance was told (`Retry-After`) is written to Blob, where the other instances see it within
//! [`REFRESH`]. Pauses are advice: a lost one costs another 429, so errors are not passed on.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bridge::pace::TokenBucket;
use bridge::state::blobs;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use services::blob::Blobs;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep};

use crate::enqueue::STATE;
use crate::failure::Failure;
use crate::invocation::milliseconds;

/// How old another instance's pause may be before it is looked up again.
const REFRESH: Duration = Duration::from_secs(5);

/// Longest pause that is believed; a service that asks for more is asked again after it.
const LONGEST: Duration = Duration::from_secs(600);

/// A wait above this is told in the log.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// A rate and its burst.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Sustained uses a second.
    pub per_second: f64,
    /// Uses that may come at once after a quiet time.
    pub burst: f64,
}

/// Posts of one Support User: 1 a second in a short window, 83 % of it sustained
/// (Microsoft Graph service-specific throttling limits, Teams).
pub const GRAPH_POSTS: Rate = Rate {
    per_second: 0.83,
    burst: 1.0,
};

/// Calls of one Genesys client: 300 a minute (Genesys Cloud limits, `client.credentials.token.rate.per.minute`), with a
/// fifth left for other instances' bursts and for receipts of other tools that share the client.
pub const GENESYS_CALLS: Rate = Rate {
    per_second: 4.0,
    burst: 40.0,
};

/// Reads of one Support User: the published limits differ by call and chat, so this only keeps bursts apart from each other
/// and obeys what Graph asked for.
pub const GRAPH_READS: Rate = Rate {
    per_second: 5.0,
    burst: 10.0,
};

/// Hosted contents of one chat: 1 a second in a short window, 83 % of it sustained (Microsoft Graph service-specific throttling
/// limits, Teams).
pub const GRAPH_HOSTED: Rate = Rate {
    per_second: 0.83,
    burst: 1.0,
};

/// Throttle keys that are remembered; beyond that those without a pause start over, with an empty bucket.
const REMEMBERED: usize = 10_000;

/// The throttle keys of one process.
#[derive(Debug)]
pub struct Pauses {
    started: Instant,
    keys: Mutex<HashMap<String, Key>>,
}

#[derive(Debug)]
struct Key {
    bucket: TokenBucket,
    paused_until: Option<Instant>,
    looked_up: Option<Instant>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Pause {
    until: String,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            keys: Mutex::default(),
        }
    }
}

impl Pauses {
    /// Waits until the key may be used once.
    ///
    /// # Errors
    /// That would be after the deadline.
    pub async fn turn(
        &self,
        blobs: &Blobs,
        key: &str,
        rate: Rate,
        deadline: Instant,
    ) -> Result<(), Failure> {
        self.look_up(blobs, key, rate).await;
        loop {
            let now = Instant::now();
            let wait = self.with(key, rate, |entry| match entry.paused_until {
                Some(until) if until > now => until - now,
                _ => entry.bucket.take(now - self.started),
            });
            if wait.is_zero() {
                return Ok(());
            }
            if now + wait >= deadline {
                return Err(Failure::OutOfTime);
            }
            if wait > LONG_WAIT {
                let wait_ms = milliseconds(wait);
                tracing::info!(
                    event = "paused",
                    key,
                    wait_ms,
                    "a service asked to be left alone"
                );
            }
            sleep(wait).await;
        }
    }

    /// Notes that the service wants the key left alone for `pause`, here and in the other instances.
    pub async fn pause(&self, blobs: &Blobs, key: &str, rate: Rate, pause: Duration) {
        let pause = pause.min(LONGEST);
        let until = Instant::now() + pause;
        self.with(key, rate, |entry| {
            entry.paused_until = entry.paused_until.max(Some(until));
        });
        let until = OffsetDateTime::now_utc() + pause;
        let Ok(until) = until.format(&Rfc3339) else {
            return;
        };
        let body = serde_json::to_vec(&Pause { until }).unwrap_or_default();
        if let Err(error) = blobs
            .put(STATE, &blobs::pause(key), Bytes::from(body))
            .await
        {
            tracing::warn!(event = "pause_not_shared", %error, "the other instances do not know of a pause");
        }
    }

    async fn look_up(&self, blobs: &Blobs, key: &str, rate: Rate) {
        let now = Instant::now();
        let due = self.with(key, rate, |entry| {
            let due = entry.looked_up.is_none_or(|at| at + REFRESH <= now);
            if due {
                entry.looked_up = Some(now);
            }
            due
        });
        if !due {
            return;
        }
        let Ok(Some((body, _))) = blobs.get(STATE, &blobs::pause(key)).await else {
            return;
        };
        let until = serde_json::from_slice::<Pause>(&body)
            .ok()
            .and_then(|pause| OffsetDateTime::parse(&pause.until, &Rfc3339).ok());
        let Some(left) = until
            .map(|until| until - OffsetDateTime::now_utc())
            .and_then(|left| Duration::try_from(left).ok())
        else {
            return;
        };
        self.with(key, rate, |entry| {
            entry.paused_until = entry.paused_until.max(Some(now + left.min(LONGEST)));
        });
    }

    fn with<R>(&self, key: &str, rate: Rate, action: impl FnOnce(&mut Key) -> R) -> R {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= REMEMBERED && !keys.contains_key(key) {
            let now = Instant::now();
            keys.retain(|_, entry| entry.paused_until.is_some_and(|until| until > now));
        }
        let entry = keys.entry(key.to_owned()).or_insert_with(|| {
            let mut bucket = TokenBucket::new(rate.per_second, rate.burst);
            // Empty when the process starts; since then nobody here has used this key.
            bucket.start(Duration::ZERO);
            Key {
                bucket,
                paused_until: None,
                looked_up: None,
            }
        });
        action(entry)
    }
}
