//! Pace and pauses: how fast a throttle key may be used, and until when a service asked to be left alone.
//!
//! Who comes first is served first. A pause that one instance was told (`Retry-After`) is written to Blob, where the other
//! instances see it within [`REFRESH`]. Pauses are advice: a lost one costs another 429, so errors are not passed on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bridge::pace::TokenBucket;
use bridge::state::blobs::{self, STATE};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use services::blob::Blobs;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout_at};

use super::Call;
use crate::failure::Failure;
use crate::log::milliseconds;
use crate::store::bounded::Bounded;

/// How old another instance's pause may be before it is looked up again.
const REFRESH: Duration = Duration::from_secs(5);

/// Longest pause that is believed; a service that asks for more is asked again after it.
const LONGEST: Duration = Duration::from_secs(600);

/// A wait above this is told in the log.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// Throttle keys that are remembered, and how long; a forgotten one starts over with an empty bucket.
const REMEMBERED: usize = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// The throttle keys of one process.
#[derive(Debug)]
pub(super) struct Pace {
    blobs: Arc<Blobs>,
    started: Instant,
    keys: Bounded<String, Arc<Key>>,
}

#[derive(Debug)]
struct Key {
    /// Whoever holds it is the next one; the mutex is fair, so the others follow in the order of their coming.
    bucket: tokio::sync::Mutex<TokenBucket>,
    pause: Mutex<Pause>,
}

#[derive(Debug, Default)]
struct Pause {
    until: Option<Instant>,
    looked_up: Option<Instant>,
}

/// A pause as the other instances read it.
#[derive(Debug, Serialize, Deserialize)]
struct SharedPause {
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
}

impl Pace {
    pub(super) fn new(blobs: Arc<Blobs>) -> Self {
        Self {
            blobs,
            started: Instant::now(),
            keys: Bounded::new(REMEMBERED, REMEMBERED_FOR),
        }
    }

    /// Waits until the key may be used once.
    pub(super) async fn turn(&self, call: Call<'_>, deadline: Instant) -> Result<(), Failure> {
        let (name, key) = self.key(call);
        self.refresh(&name, &key);
        let mut bucket = timeout_at(deadline, key.bucket.lock())
            .await
            .map_err(|_| Failure::OutOfTime)?;
        loop {
            let now = Instant::now();
            let wait = match key.paused_until() {
                Some(until) if until > now => until - now,
                _ => bucket.take(now - self.started),
            };
            if wait.is_zero() {
                return Ok(());
            }
            if now + wait >= deadline {
                return Err(Failure::OutOfTime);
            }
            if wait > LONG_WAIT {
                let wait_ms = milliseconds(wait);
                tracing::info!(event = "paused", key = name, wait_ms);
            }
            sleep(wait).await;
        }
    }

    /// Notes that the service wants the key left alone for `pause`, here and in the other instances.
    pub(super) async fn pause(&self, call: Call<'_>, pause: Duration) {
        let pause = pause.min(LONGEST);
        let (name, key) = self.key(call);
        key.pause_until(Instant::now() + pause);
        let until = OffsetDateTime::now_utc() + pause;
        let body = serde_json::to_vec(&SharedPause { until }).unwrap_or_default();
        let blob = blobs::pause(&name);
        if let Err(error) = self.blobs.put(STATE, &blob, Bytes::from(body)).await {
            tracing::warn!(event = "pause_not_shared", %error, "the other instances do not know of a pause");
        }
    }

    /// Looks for other instances' pauses, without keeping the caller waiting.
    fn refresh(&self, name: &str, key: &Arc<Key>) {
        let now = Instant::now();
        {
            let mut pause = key.lock();
            if pause.looked_up.is_some_and(|at| now < at + REFRESH) {
                return;
            }
            pause.looked_up = Some(now);
        }
        let (blobs, blob, key) = (Arc::clone(&self.blobs), blobs::pause(name), Arc::clone(key));
        tokio::spawn(async move {
            let Ok(Some((body, _))) = blobs.get(STATE, &blob).await else {
                return;
            };
            let left = serde_json::from_slice::<SharedPause>(&body)
                .ok()
                .and_then(|pause| Duration::try_from(pause.until - OffsetDateTime::now_utc()).ok());
            if let Some(left) = left {
                key.pause_until(Instant::now() + left.min(LONGEST));
            }
        });
    }

    fn key(&self, call: Call<'_>) -> (String, Arc<Key>) {
        let name = call.key();
        let begin = || {
            // Empty when the process starts; since then nobody here has used this key.
            let bucket = call.bucket();
            Arc::new(Key {
                bucket: tokio::sync::Mutex::new(bucket),
                pause: Mutex::default(),
            })
        };
        let key = self.keys.update(&name, begin, |key| Arc::clone(key));
        (name, key)
    }
}

impl Key {
    fn lock(&self) -> std::sync::MutexGuard<'_, Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn paused_until(&self) -> Option<Instant> {
        self.lock().until
    }

    fn pause_until(&self, until: Instant) {
        let mut pause = self.lock();
        pause.until = pause.until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::app;

    #[tokio::test(start_paused = true)]
    async fn who_comes_first_is_served_first() {
        let app = app(&[]);
        let pace = Arc::new(Pace::new(Arc::clone(&app.blobs)));
        let account = &app.settings.support_accounts[0].name;
        let (served, mut order) = tokio::sync::mpsc::unbounded_channel();
        let deadline = Instant::now() + Duration::from_secs(60);
        for number in 0..10 {
            let (pace, served, account) = (Arc::clone(&pace), served.clone(), account.clone());
            tokio::spawn(async move {
                let turn = pace.turn(Call::GraphPost(&account), deadline);
                turn.await.expect("a turn");
                served.send(number).expect("somebody listens");
            });
            tokio::task::yield_now().await;
        }
        for expected in 0..10 {
            assert_eq!(order.recv().await, Some(expected));
        }
        assert!(matches!(
            pace.turn(Call::GraphPost(account), Instant::now()).await,
            Err(Failure::OutOfTime)
        ));
    }
}
