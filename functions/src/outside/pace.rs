//! Whose call is next, and when: a line before each throttle key.
//!
//! Whoever waits for a key stands in its line ([`Line`]). A service with several clients has one line, and a key for each of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bridge::ids::Digest;
use bridge::pace::{Limit, Line, Place, Rank, Way, choose, home, limits};
use services::blob::Blobs;
use services::error::ServiceError;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::key::{Key, Leave};
use super::{Call, genesys_keys};
use crate::failure::Failure;
use crate::log::milliseconds;
use crate::store::bounded::Bounded;

/// A wait above this is told in the log.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// Lines that are remembered, and how long; a forgotten one starts over.
const REMEMBERED: usize = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// The throttle keys of one process.
#[derive(Debug)]
pub(super) struct Pace {
    blobs: Arc<Blobs>,
    /// The throttle keys of the Genesys clients, in the order of the setting.
    genesys: Vec<String>,
    genesys_limit: Limit,
    queues: Bounded<String, Arc<Queue>>,
}

/// Those who wait for the same keys.
#[derive(Debug)]
struct Queue {
    line: Mutex<Line>,
    /// Told whenever another may be the first, or a key may be used.
    moved: Arc<Notify>,
    /// One, or one for each client.
    keys: Vec<Arc<Key>>,
}

impl Pace {
    pub(super) fn new(
        blobs: Arc<Blobs>,
        genesys_clients: &[String],
        genesys_per_minute: u32,
    ) -> Self {
        Self {
            blobs,
            genesys: genesys_keys(genesys_clients),
            genesys_limit: limits::genesys(genesys_per_minute),
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
            key.refresh();
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
                let (way, leave) = queue.next(home);
                match leave {
                    Leave::Now => {
                        waiting.served();
                        return Ok(way);
                    }
                    Leave::In(wait) => {
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
                    Leave::Told => {}
                }
            }
            // Either is a reason to look again.
            let _ = timeout_at(wake, moved).await;
            if Instant::now() >= deadline {
                return Err(Failure::OutOfTime);
            }
        }
    }

    /// Notes that the service has too much of this client's calls.
    pub(super) async fn pause(&self, call: Call<'_>, way: usize, error: &ServiceError) {
        if let Some(key) = self.queue(call).keys.get(way) {
            key.pause(error).await;
        }
    }

    /// Notes that the service served a call.
    pub(super) fn served(&self, call: Call<'_>, way: usize) {
        if let Some(key) = self.queue(call).keys.get(way) {
            key.served();
        }
    }

    /// Notes that a client was refused where another may be taken. With one client there is nothing to choose.
    pub(super) fn doubt(&self, call: Call<'_>, way: usize) {
        let queue = self.queue(call);
        if let (Some(key), true) = (queue.keys.get(way), queue.keys.len() > 1) {
            key.doubt();
            tracing::error!(
                event = "genesys_client_refused",
                client = way + 1,
                "Genesys refuses this client of GENESYS_CLIENT_ID, so the others are used: check its secret and role"
            );
        }
    }

    fn queue(&self, call: Call<'_>) -> Arc<Queue> {
        let name = call.key();
        let begin = || {
            let moved = Arc::new(Notify::new());
            let limit = call.limit(self.genesys_limit);
            let key = |name: &String| Arc::new(Key::new(name, limit, &self.blobs, &moved));
            let keys = match call.is_of_genesys() && !self.genesys.is_empty() {
                true => self.genesys.iter().map(key).collect(),
                false => vec![key(&name)],
            };
            Arc::new(Queue {
                line: Mutex::default(),
                moved,
                keys,
            })
        };
        self.queues.update(&name, begin, |queue| Arc::clone(queue))
    }
}

impl Queue {
    /// The client for the first in the line, and when it may make the call.
    fn next(&self, home: usize) -> (usize, Leave) {
        let ways: Vec<Way> = self.keys.iter().map(|key| key.look()).collect();
        let way = choose(home, &ways);
        let waiting = self.line().len();
        (way, self.keys[way].take(waiting))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use services::error::{ErrorKind, Sent, Service};
    use tokio::sync::mpsc;

    use super::*;
    use crate::testing::app;

    const MINUTE: Duration = Duration::from_secs(60);

    fn chat(number: usize) -> Digest {
        Digest::of("chat", &number.to_string())
    }

    /// Lines of an instance that shares its limits with no other.
    fn pace(clients: usize, per_minute: u32) -> Arc<Pace> {
        let clients: Vec<String> = (0..clients).map(|it| format!("c{it}")).collect();
        let blobs = Arc::clone(&app(&[]).blobs);
        let mut pace = Pace::new(blobs, &clients, per_minute);
        pace.genesys_limit.is_shared = false;
        Arc::new(pace)
    }

    /// Waits for a turn in the background, and tells the label, the client and when it came.
    async fn waits<L: Send + 'static>(
        pace: &Arc<Pace>,
        call: Call<'static>,
        chat: Digest,
        label: L,
        came: &mpsc::UnboundedSender<(L, usize, Instant)>,
    ) {
        let (pace, came) = (Arc::clone(pace), came.clone());
        tokio::spawn(async move {
            let deadline = Instant::now() + 10 * MINUTE;
            let way = pace.turn(call, &chat, deadline).await.expect("a turn");
            came.send((label, way, Instant::now()))
                .expect("somebody listens");
        });
        tokio::task::yield_now().await;
    }

    async fn all<T>(mut came: mpsc::UnboundedReceiver<T>, count: usize) -> Vec<T> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(came.recv().await.expect("one more"));
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_first_is_served_first() {
        let pace = pace(1, 300);
        let (served, order) = mpsc::unbounded_channel();
        for number in 0..10 {
            waits(&pace, Call::GenesysMessage, chat(number), number, &served).await;
        }
        let order = all(order, 10).await;
        assert!(order.iter().map(|it| it.0).is_sorted());
        let mine = chat(0);
        let late = pace.turn(Call::GenesysMessage, &mine, Instant::now());
        assert!(matches!(late.await, Err(Failure::OutOfTime)));
    }

    #[tokio::test(start_paused = true)]
    async fn receipts_give_way_and_a_busy_chat_waits_for_the_others() {
        let pace = pace(1, 30);
        let (served, order) = mpsc::unbounded_channel();
        waits(&pace, Call::GenesysReceipt, chat(8), "receipt", &served).await;
        for label in ["busy 1", "busy 2", "busy 3"] {
            waits(&pace, Call::GenesysMessage, chat(0), label, &served).await;
        }
        waits(&pace, Call::GenesysMessage, chat(1), "other", &served).await;
        let order: Vec<&str> = all(order, 5).await.iter().map(|it| it.0).collect();
        assert_eq!(order, ["busy 1", "other", "busy 2", "busy 3", "receipt"]);
    }

    #[tokio::test(start_paused = true)]
    async fn several_clients_share_the_load_and_each_keeps_its_limit() {
        let pace = pace(2, 60);
        let (served, order) = mpsc::unbounded_channel();
        let start = Instant::now();
        for number in 0..120 {
            waits(&pace, Call::GenesysMessage, chat(number), (), &served).await;
        }
        let calls = all(order, 120).await;
        let each = limits::genesys(60).each();
        assert!(start.elapsed() <= each * 62, "{:?}", start.elapsed());
        for client in 0..2 {
            let times: Vec<Instant> = calls
                .iter()
                .filter(|it| it.1 == client)
                .map(|it| it.2)
                .collect();
            assert!((50..=70).contains(&times.len()), "{}", times.len());
            for (index, first) in times.iter().enumerate() {
                let within = times[index..].iter().filter(|at| **at - *first < MINUTE);
                assert!(within.count() <= 60);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn another_client_goes_while_one_is_paused_or_in_doubt() {
        let pace = pace(2, 300);
        let soon = || Instant::now() + Duration::from_secs(5);
        let mine = chat(0);
        let turn = || pace.turn(Call::GenesysMessage, &mine, soon());
        let at_home = turn().await.expect("a turn");
        assert_eq!(turn().await.expect("a turn"), 1 - at_home, "full");
        tokio::time::advance(MINUTE).await;
        assert_eq!(turn().await.expect("a turn"), at_home);
        let mut error = ServiceError::new(Service::Genesys, ErrorKind::Throttled, Sent::No);
        error.retry_after = Some(MINUTE);
        pace.pause(Call::GenesysMessage, at_home, &error).await;
        for _ in 0..5 {
            assert_eq!(turn().await.expect("a turn"), 1 - at_home);
        }
        tokio::time::advance(2 * MINUTE).await;
        assert_eq!(turn().await.expect("a turn"), at_home);
        pace.doubt(Call::GenesysMessage, at_home);
        pace.doubt(Call::GenesysReceipt, 1 - at_home);
        tokio::time::advance(MINUTE / 2).await;
        assert_eq!(turn().await.expect("a turn"), at_home, "both are in doubt");
        tokio::time::advance(2 * MINUTE).await;
        pace.doubt(Call::GenesysMessage, at_home);
        assert_eq!(turn().await.expect("a turn"), 1 - at_home);
    }
}
