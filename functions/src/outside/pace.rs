//! Pace and pauses: how fast a throttle key may be used, and until when a service asked to be left alone.
//!
//! Whoever waits for a key stands in its line ([`Line`]). A service with several clients has one line and a key for each of them. A
//! pause that one instance was told (`Retry-After`) is written to Blob, where the other instances see it within [`REFRESH`]. Pauses
//! are advice: a lost one costs another 429, so errors are not passed on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bridge::ids::Digest;
use bridge::pace::{Line, Place, Rank, TokenBucket, Way, choose, home};
use bridge::state::blobs::{self, STATE};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use services::blob::Blobs;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::Call;
use crate::failure::Failure;
use crate::log::milliseconds;
use crate::store::bounded::Bounded;

/// How old another instance's pause may be before it is looked up again.
const REFRESH: Duration = Duration::from_secs(5);

/// Longest pause that is believed; a service that asks for more is asked again after it.
const LONGEST: Duration = Duration::from_secs(600);

/// How long a client that was refused is used only when all others were too.
const DOUBTED_FOR: Duration = Duration::from_secs(60);

/// A wait above this is told in the log.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// Lines that are remembered, and how long; a forgotten one starts over with empty buckets.
const REMEMBERED: usize = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// The throttle keys of one process.
#[derive(Debug)]
pub(super) struct Pace {
    blobs: Arc<Blobs>,
    /// The throttle keys of the Genesys clients, in the order of the setting.
    genesys: Vec<String>,
    started: Instant,
    queues: Bounded<String, Arc<Queue>>,
}

/// Those who wait for the same keys.
#[derive(Debug)]
struct Queue {
    line: Mutex<Line>,
    /// Told whenever another may be the first.
    moved: Notify,
    /// One, or one for each client.
    keys: Vec<Arc<Key>>,
}

#[derive(Debug)]
struct Key {
    name: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    bucket: TokenBucket,
    paused_until: Option<Instant>,
    looked_up: Option<Instant>,
    doubted_until: Option<Instant>,
}

/// A pause as the other instances read it.
#[derive(Debug, Serialize, Deserialize)]
struct SharedPause {
    #[serde(with = "time::serde::rfc3339")]
    until: OffsetDateTime,
}

impl Pace {
    pub(super) fn new(blobs: Arc<Blobs>, genesys_clients: &[String]) -> Self {
        // The first keeps its key when others come.
        let key = |(number, id): (usize, &String)| match number {
            0 => "genesys-client".to_owned(),
            _ => format!("genesys-client-{id}"),
        };
        Self {
            blobs,
            genesys: genesys_clients.iter().enumerate().map(key).collect(),
            started: Instant::now(),
            queues: Bounded::new(REMEMBERED, REMEMBERED_FOR),
        }
    }

    /// Waits until a call for this chat may be made; the number of the client that is to make it.
    pub(super) async fn turn(
        &self,
        call: Call<'_>,
        chat: &Digest,
        deadline: Instant,
    ) -> Result<usize, Failure> {
        let queue = self.queue(call);
        for key in &queue.keys {
            self.refresh(key);
        }
        let home = home(chat, queue.keys.len());
        let waiting = Waiting::join(&queue, call.rank(), chat);
        let mut is_told = false;
        loop {
            let moved = queue.moved.notified();
            tokio::pin!(moved);
            // Whatever moves from here on is told.
            moved.as_mut().enable();
            let mut wake = deadline;
            if waiting.is_first() {
                let (way, wait) = self.next(&queue, home);
                if wait.is_zero() {
                    waiting.served();
                    return Ok(way);
                }
                wake = Instant::now() + wait;
                if wake >= deadline {
                    return Err(Failure::OutOfTime);
                }
                if wait > LONG_WAIT && !is_told {
                    is_told = true;
                    let (key, wait_ms) = (&queue.keys[way].name, milliseconds(wait));
                    tracing::info!(event = "paused", key, wait_ms);
                }
            }
            let _ = timeout_at(wake, moved).await;
            if Instant::now() >= deadline {
                return Err(Failure::OutOfTime);
            }
        }
    }

    /// The client that is next to be used, and how long to wait for it; without a wait it counts as used.
    fn next(&self, queue: &Queue, home: usize) -> (usize, Duration) {
        let now = Instant::now();
        let keys = queue.keys.iter();
        let ways: Vec<Way> = keys.map(|key| key.look(now, self.started)).collect();
        let way = choose(home, &ways);
        let wait = match ways[way].wait {
            // Somebody more urgent may have come first meanwhile.
            Duration::ZERO => queue.keys[way].lock().bucket.take(now - self.started),
            wait => wait,
        };
        (way, wait)
    }

    /// Notes that the service wants a client left alone for `pause`, here and in the other instances.
    pub(super) async fn pause(&self, call: Call<'_>, way: usize, pause: Duration) {
        let pause = pause.min(LONGEST);
        let queue = self.queue(call);
        let Some(key) = queue.keys.get(way) else {
            return;
        };
        key.pause_until(Instant::now() + pause);
        // Whoever waits may go another way now.
        queue.moved.notify_waiters();
        let until = OffsetDateTime::now_utc() + pause;
        let body = serde_json::to_vec(&SharedPause { until }).unwrap_or_default();
        let blob = blobs::pause(&key.name);
        if let Err(error) = self.blobs.put(STATE, &blob, Bytes::from(body)).await {
            tracing::warn!(event = "pause_not_shared", %error, "the other instances do not know of a pause");
        }
    }

    /// Notes that a client was refused where another may be taken. With one client there is nothing to choose.
    pub(super) fn doubt(&self, call: Call<'_>, way: usize) {
        let queue = self.queue(call);
        if let (Some(key), true) = (queue.keys.get(way), queue.keys.len() > 1) {
            key.lock().doubted_until = Some(Instant::now() + DOUBTED_FOR);
            tracing::error!(
                event = "genesys_client_refused",
                client = way + 1,
                "Genesys refuses this client of GENESYS_CLIENT_ID, so the others are used: check its secret and role"
            );
        }
    }

    /// Looks for other instances' pauses, without keeping the caller waiting.
    fn refresh(&self, key: &Arc<Key>) {
        let now = Instant::now();
        {
            let mut state = key.lock();
            if state.looked_up.is_some_and(|at| now < at + REFRESH) {
                return;
            }
            state.looked_up = Some(now);
        }
        let (blobs, key) = (Arc::clone(&self.blobs), Arc::clone(key));
        tokio::spawn(async move {
            let Ok(Some((body, _))) = blobs.get(STATE, &blobs::pause(&key.name)).await else {
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

    fn queue(&self, call: Call<'_>) -> Arc<Queue> {
        // Empty when the process starts; since then nobody here has used these keys.
        let key = |name: &String| {
            Arc::new(Key {
                name: name.clone(),
                state: Mutex::new(State {
                    bucket: call.bucket(),
                    paused_until: None,
                    looked_up: None,
                    doubted_until: None,
                }),
            })
        };
        let name = call.key();
        let begin = || {
            let keys = match call.is_of_genesys() && !self.genesys.is_empty() {
                true => self.genesys.iter().map(key).collect(),
                false => vec![key(&name)],
            };
            Arc::new(Queue {
                line: Mutex::default(),
                moved: Notify::new(),
                keys,
            })
        };
        self.queues.update(&name, begin, |queue| Arc::clone(queue))
    }
}

/// A place in a queue's line, which is left when it is dropped.
struct Waiting<'a> {
    queue: &'a Queue,
    place: Place,
    is_served: bool,
}

impl<'a> Waiting<'a> {
    fn join(queue: &'a Queue, rank: Rank, chat: &Digest) -> Self {
        let place = queue.line().join(rank, chat);
        Self {
            queue,
            place,
            is_served: false,
        }
    }

    fn is_first(&self) -> bool {
        self.queue.line().is_first(self.place)
    }

    fn served(mut self) {
        self.is_served = true;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.queue.line().leave(self.place, self.is_served);
        self.queue.moved.notify_waiters();
    }
}

impl Queue {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands now.
    fn look(&self, now: Instant, started: Instant) -> Way {
        let mut state = self.lock();
        let paused = state.paused_until;
        let paused = paused.map_or(Duration::ZERO, |until| until.duration_since(now));
        Way {
            wait: paused.max(state.bucket.wait(now - started)),
            is_doubted: state.doubted_until.is_some_and(|until| now < until),
        }
    }

    fn pause_until(&self, until: Instant) {
        let mut state = self.lock();
        state.paused_until = state.paused_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::app;

    #[tokio::test(start_paused = true)]
    async fn who_comes_first_is_served_first() {
        let app = app(&[]);
        let pace = Arc::new(Pace::new(Arc::clone(&app.blobs), &[]));
        let chat = Digest::of("chat", "one");
        let account = &app.settings.support_accounts[0].name;
        let (served, mut order) = tokio::sync::mpsc::unbounded_channel();
        let deadline = Instant::now() + Duration::from_secs(60);
        for number in 0..10 {
            let (pace, served) = (Arc::clone(&pace), served.clone());
            let (account, chat) = (account.clone(), Digest::of("chat", &number.to_string()));
            tokio::spawn(async move {
                let turn = pace.turn(Call::GraphPost(&account), &chat, deadline);
                turn.await.expect("a turn");
                served.send(number).expect("somebody listens");
            });
            tokio::task::yield_now().await;
        }
        for expected in 0..10 {
            assert_eq!(order.recv().await, Some(expected));
        }
        assert!(matches!(
            pace.turn(Call::GraphPost(account), &chat, Instant::now())
                .await,
            Err(Failure::OutOfTime)
        ));
    }
}
