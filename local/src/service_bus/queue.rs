//! A queue to wait on: receivers of lanes, spread evenly over the hosts that ask.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::message::{DeadLetter, Delivery, Draft, QueueCounts, QueueSettings};
use super::store::{HostId, LaneLock, LockLost, Sent, Store};
use crate::shared::locked::Locked;

/// One queue.
#[derive(Debug)]
pub struct Queue {
    store: Locked<Store>,
    /// Hosts that wait for a lane.
    waiting: Locked<BTreeMap<HostId, usize>>,
    changed: Notify,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(settings: QueueSettings) -> Arc<Self> {
        Arc::new(Self {
            store: Locked::new(Store::new(settings)),
            waiting: Locked::default(),
            changed: Notify::new(),
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        let mut store = self.store.lock();
        store.advance(Instant::now());
        store
    }

    /// What it was created with.
    #[must_use]
    pub fn settings(&self) -> QueueSettings {
        self.store().settings.clone()
    }

    /// Takes all of these messages at once. `told` hears what became of each before anybody can receive it.
    pub fn send(&self, drafts: Vec<Draft>, mut told: impl FnMut(usize, Sent)) {
        let (now, clock) = (Instant::now(), OffsetDateTime::now_utc());
        {
            let mut store = self.store();
            for (position, draft) in drafts.into_iter().enumerate() {
                told(position, store.send(draft, now, clock));
            }
        }
        self.changed.notify_waiters();
    }

    /// Waits for a lane that has messages and no receiver, and locks it; the lock is renewed for `renewal` from then on, or
    /// without end. Among waiting hosts the one that holds the fewest lanes is served first.
    pub async fn accept(self: &Arc<Self>, host: HostId, renewal: Option<Duration>) -> Receiver {
        let _waiting = Waiting::new(self, host);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that no change in between is missed.
            changed.as_mut().enable();
            let next_change = {
                let mut store = self.store();
                if store.has_ready()
                    && self.is_next(&store, host)
                    && let Some(lock) = store.lock_next(host, renewal, Instant::now())
                {
                    drop(store);
                    self.changed.notify_waiters();
                    return Receiver {
                        queue: Arc::clone(self),
                        lock,
                    };
                }
                store.next_change()
            };
            wait(changed, next_change).await;
        }
    }

    fn is_next(&self, store: &Store, host: HostId) -> bool {
        let load = |host: HostId| (store.held_by(host), host);
        let mine = load(host);
        self.waiting.lock().keys().all(|&other| load(other) >= mine)
    }

    /// A host died without a word: its locks hold until they run out.
    pub fn host_died(&self, host: HostId) {
        self.store().host_died(host, Instant::now());
        self.changed.notify_waiters();
    }

    /// Numbers for the control interface.
    #[must_use]
    pub fn counts(&self) -> QueueCounts {
        self.store().counts()
    }

    /// The messages that were given up, oldest first.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.store().dead_letters.iter().cloned().collect()
    }
}

async fn wait(changed: impl Future<Output = ()>, next_change: Option<Instant>) {
    match next_change {
        Some(at) => {
            // Either end means only: look again.
            let _ = tokio::time::timeout_at(at, changed).await;
        }
        None => changed.await,
    }
}

/// Keeps a host on the list of those that wait.
struct Waiting<'queue> {
    queue: &'queue Queue,
    host: HostId,
}

impl<'queue> Waiting<'queue> {
    fn new(queue: &'queue Queue, host: HostId) -> Self {
        *queue.waiting.lock().entry(host).or_default() += 1;
        Self { queue, host }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.waiting.lock();
        if let Some(count) = waiting.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                waiting.remove(&self.host);
            }
        }
        drop(waiting);
        self.queue.changed.notify_waiters();
    }
}

/// The exclusive receiver of one lane; dropping it frees the lane.
#[derive(Debug)]
pub struct Receiver {
    queue: Arc<Queue>,
    lock: LaneLock,
}

impl Receiver {
    /// The session's id (of a queue without sessions: a made-up name).
    #[must_use]
    pub fn lane(&self) -> &str {
        &self.lock.lane
    }

    /// The lane's first message; waits up to `idle` for one. None when the lane stayed empty or the lock was lost.
    pub async fn receive(&self, idle: Duration) -> Option<Delivery> {
        let deadline = Instant::now() + idle;
        loop {
            let changed = self.queue.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let next_change = {
                let mut store = self.queue.store();
                let now = Instant::now();
                if let Some(delivery) = store.deliver(&self.lock, now) {
                    return Some(delivery);
                }
                if now >= deadline || !store.holds(&self.lock) {
                    return None;
                }
                store.next_change().map_or(deadline, |at| at.min(deadline))
            };
            wait(changed, Some(next_change)).await;
        }
    }

    /// The message was handled.
    ///
    /// # Errors
    /// When the lock was lost: the message has come again, or will.
    pub fn complete(&self) -> Result<(), LockLost> {
        let settled = self.queue.store().complete(&self.lock);
        self.queue.changed.notify_waiters();
        settled
    }

    /// The message was not handled: it comes again at once, first in its lane.
    ///
    /// # Errors
    /// When the lock was lost: the message has come again, or will.
    pub fn abandon(&self) -> Result<(), LockLost> {
        let settled = self.queue.store().abandon(&self.lock);
        self.queue.changed.notify_waiters();
        settled
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.queue.store().release(&self.lock);
        self.queue.changed.notify_waiters();
    }
}
