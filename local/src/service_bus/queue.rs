//! A queue to wait on: receivers of lanes, spread evenly over the hosts that ask.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::dead_letters::{DeadLetters, LockedLetter};
use super::message::{Draft, Message, QueueSettings, QueueView};
use super::store::{HostId, LaneLock, LockLost, Sent, Store};
use crate::shared::locked::Locked;

/// One queue.
#[derive(Debug)]
pub struct Queue {
    /// Whether every message must name a session.
    pub sessions: bool,
    store: Locked<Store>,
    /// Hosts that wait for a lane.
    waiting: Locked<Vec<HostId>>,
    changed: Notify,
}

impl Queue {
    /// An empty queue.
    pub fn new(settings: QueueSettings) -> Arc<Self> {
        Arc::new(Self {
            sessions: settings.sessions,
            store: Locked::new(Store::new(settings)),
            waiting: Locked::default(),
            changed: Notify::new(),
        })
    }

    fn look<T>(&self, look: impl FnOnce(&mut Store, Instant) -> T) -> T {
        let mut store = self.store.lock();
        let now = Instant::now();
        store.advance(now);
        look(&mut store, now)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Store, Instant) -> T) -> T {
        let outcome = self.look(change);
        self.changed.notify_waiters();
        outcome
    }

    /// Looks, and looks again whenever something may have changed, until there is what was looked for.
    async fn wait_for<T>(&self, mut find: impl FnMut(&mut Store, Instant) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that no change in between is missed.
            changed.as_mut().enable();
            let looked =
                self.look(|store, now| find(store, now).ok_or_else(|| store.next_change()));
            match looked {
                Ok(found) => return found,
                Err(None) => changed.await,
                // Either end means only: look again.
                Err(Some(at)) => drop(timeout_at(at, changed).await),
            }
        }
    }

    /// Takes all of these messages at once. `told` hears what became of those with a correlation before anybody can
    /// receive them.
    pub fn send(&self, drafts: Vec<Draft>, mut told: impl FnMut(&str, Sent)) {
        let clock = OffsetDateTime::now_utc();
        self.change(|store, now| {
            for draft in drafts {
                let correlation = draft.broker.correlation_id.clone();
                let sent = store.send(draft, now, clock);
                if let Some(correlation) = correlation {
                    told(&correlation, sent);
                }
            }
        });
    }

    /// Waits for a lane that has messages and no receiver, and locks it; the lock is renewed for `renewal` from then on, or
    /// without end. Among waiting hosts the one that holds the fewest lanes is served first.
    pub async fn accept(self: &Arc<Self>, host: HostId, renewal: Option<Duration>) -> Receiver {
        self.waiting.lock().push(host);
        let _waiting = Waiting { queue: self, host };
        let lock = self.wait_for(|store, now| {
            let load = |host: HostId| (store.held_by(host), host);
            let is_next = self.waiting.lock().iter().all(|&it| load(it) >= load(host));
            is_next.then(|| store.lock_next(host, renewal, now))?
        });
        Receiver {
            lock: lock.await,
            queue: Arc::clone(self),
        }
    }

    /// A host died without a word: its locks hold until they run out.
    pub fn host_died(&self, host: HostId) {
        self.change(|store, now| store.host_died(host, now));
    }

    /// Locks the next of its dead letters.
    pub(super) fn lock_dead_letter(&self) -> Option<LockedLetter> {
        self.change(|store, now| store.dead_letters.lock_next(now))
    }

    /// Settles one of its dead letters.
    pub(super) fn settle_dead_letter(
        &self,
        settle: impl FnOnce(&mut DeadLetters, Instant) -> bool,
    ) -> bool {
        self.change(|store, now| settle(&mut store.dead_letters, now))
    }

    /// Ends the time of all messages that wait in a lane, but for the one under way; how many there were.
    pub fn outlive(&self, lane: &str) -> usize {
        self.change(|store, now| store.outlive(lane, now))
    }

    /// What the control interface shows of it.
    pub fn view(&self) -> QueueView {
        self.look(|store, _| store.view())
    }
}

/// A host that is on the list of those that wait.
struct Waiting<'queue> {
    queue: &'queue Queue,
    host: HostId,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.waiting.lock();
        if let Some(place) = waiting.iter().position(|host| *host == self.host) {
            waiting.swap_remove(place);
        }
        drop(waiting);
        self.queue.changed.notify_waiters();
    }
}

/// The exclusive receiver of one lane; dropping it frees the lane.
#[derive(Debug)]
pub struct Receiver {
    queue: Arc<Queue>,
    pub(super) lock: LaneLock,
}

impl Receiver {
    /// The lane's first message; waits up to `idle` for one. None when the lane stayed empty or the lock was lost.
    pub async fn receive(&self, idle: Duration) -> Option<Message> {
        let next = self.queue.wait_for(|store, now| {
            let message = store.deliver(&self.lock, now);
            (message.is_some() || !store.holds(&self.lock)).then_some(message)
        });
        timeout_at(Instant::now() + idle, next).await.ok()?
    }

    /// The message was handled.
    ///
    /// # Errors
    /// When the lock was lost: the message has come again, or will.
    pub fn complete(&self) -> Result<(), LockLost> {
        self.queue.change(|store, _| store.complete(&self.lock))
    }

    /// The message was not handled: it comes again at once, first in its lane.
    ///
    /// # Errors
    /// When the lock was lost: the message has come again, or will.
    pub fn abandon(&self) -> Result<(), LockLost> {
        self.queue.change(|store, _| store.abandon(&self.lock))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.queue.change(|store, _| store.release(&self.lock));
    }
}
