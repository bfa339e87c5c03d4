//! The contents of one queue: lanes, locks, schedule, duplicate detection, dead letters. No waiting in here; time is
//! passed in.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use thiserror::Error;
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use super::duplicates::Duplicates;
use super::message::{DeadLetter, Delivery, Draft, Message, QueueCounts, QueueSettings};

/// Expired messages are looked for this often.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Dead letters kept for inspection; counted beyond that.
const DEAD_LETTERS_KEPT: usize = 1_000;

/// One incarnation of a host instance, the owner of locks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(pub u64);

/// What became of a send; both are answered 201.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// In the queue.
    Accepted,
    /// Dropped: its `MessageId` was seen within the window.
    Duplicate,
}

/// A message cannot be settled: the lane's lock ended, and the message belongs to whoever holds the lane next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("SessionLockLost: the lock has expired")]
pub struct LockLost;

/// Proof of holding a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LaneLock {
    pub(super) lane: String,
    token: u64,
}

#[derive(Debug)]
struct Held {
    host: HostId,
    token: u64,
    /// The end of the lock; none while it is renewed without end.
    until: Option<Instant>,
    /// The host died: nobody will settle anything or let go.
    orphaned: bool,
    in_flight: bool,
}

#[derive(Debug, Default)]
struct Lane {
    messages: VecDeque<Message>,
    held: Option<Held>,
    /// Its key in `ready`.
    ready_at: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) settings: QueueSettings,
    next_sequence: u64,
    next_token: u64,
    lanes: HashMap<String, Lane>,
    /// Lanes that wait for a receiver, by the number of their first message.
    ready: BTreeMap<u64, String>,
    scheduled: BTreeMap<(Instant, u64), Message>,
    duplicates: Option<Duplicates>,
    pub(super) dead_letters: VecDeque<DeadLetter>,
    dead_letter_count: u64,
    next_sweep: Instant,
}

impl Store {
    pub(super) fn new(settings: QueueSettings) -> Self {
        let duplicates = settings.duplicate_window.map(Duplicates::new);
        Self {
            settings,
            next_sequence: 1,
            next_token: 1,
            lanes: HashMap::new(),
            ready: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            duplicates,
            dead_letters: VecDeque::new(),
            dead_letter_count: 0,
            next_sweep: Instant::now(),
        }
    }

    pub(super) fn send(&mut self, draft: Draft, now: Instant, clock: OffsetDateTime) -> Sent {
        let message_id = draft
            .message_id
            .clone()
            .unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        if let Some(duplicates) = &mut self.duplicates
            && duplicates.is_repeated(&message_id, now)
        {
            return Sent::Duplicate;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let wait = draft
            .scheduled_at
            .and_then(|at| Duration::try_from(at - clock).ok())
            .unwrap_or_default();
        let time_to_live = draft
            .time_to_live
            .unwrap_or(self.settings.time_to_live)
            .min(self.settings.time_to_live);
        let active_at = now + wait;
        let message = Message {
            sequence,
            message_id,
            enqueued_at: clock + wait,
            time_to_live,
            expires: active_at + time_to_live,
            failed_deliveries: 0,
            draft,
        };
        if wait.is_zero() {
            self.activate(message);
        } else {
            self.scheduled.insert((active_at, sequence), message);
        }
        Sent::Accepted
    }

    fn activate(&mut self, message: Message) {
        // Without sessions every message is a lane of its own.
        let lane = match &message.draft.session_id {
            Some(session) if self.settings.sessions => session.clone(),
            _ => format!("#{}", message.sequence),
        };
        self.lanes
            .entry(lane.clone())
            .or_default()
            .messages
            .push_back(message);
        self.index(&lane);
    }

    /// Brings `ready` in line with the lane and forgets a lane that is empty and free.
    fn index(&mut self, key: &str) {
        let Some(lane) = self.lanes.get_mut(key) else {
            return;
        };
        if let Some(old) = lane.ready_at.take() {
            self.ready.remove(&old);
        }
        match (lane.messages.front(), &lane.held) {
            (Some(first), None) => {
                lane.ready_at = Some(first.sequence);
                self.ready.insert(first.sequence, key.to_owned());
            }
            (None, None) => {
                self.lanes.remove(key);
            }
            _ => {}
        }
    }

    /// Lets time do its work: schedules fall due, locks end, messages expire.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(entry) = self.scheduled.first_entry()
            && entry.key().0 <= now
        {
            let message = entry.remove();
            self.activate(message);
        }
        let freed: Vec<LaneLock> = self
            .locks()
            .filter(|(_, held)| held.until.is_some_and(|until| until <= now))
            .map(|(lane, held)| LaneLock {
                lane: lane.clone(),
                token: held.token,
            })
            .collect();
        for lock in freed {
            // A message under way counts as a delivery.
            let _ = self.abandon(&lock);
            self.free(&lock);
        }
        if self.next_sweep <= now {
            self.next_sweep = now + SWEEP_INTERVAL;
            self.sweep(now);
        }
    }

    fn sweep(&mut self, now: Instant) {
        let keys: Vec<String> = self.lanes.keys().cloned().collect();
        for key in keys {
            let Some(lane) = self.lanes.get_mut(&key) else {
                continue;
            };
            let in_flight = usize::from(lane.held.as_ref().is_some_and(|held| held.in_flight));
            let mut expired = Vec::new();
            let mut position = 0;
            lane.messages.retain(|message| {
                let stays = position < in_flight || message.expires > now;
                position += 1;
                if !stays {
                    expired.push(message.clone());
                }
                stays
            });
            if !expired.is_empty() {
                self.index(&key);
            }
            if self.settings.dead_letter_on_expiry {
                for message in expired {
                    self.bury(message, "TTLExpiredException");
                }
            }
        }
    }

    fn bury(&mut self, message: Message, reason: &'static str) {
        if self.dead_letters.len() == DEAD_LETTERS_KEPT {
            self.dead_letters.pop_front();
        }
        self.dead_letter_count += 1;
        self.dead_letters.push_back(DeadLetter { message, reason });
    }

    /// When time will next change something that a receiver may wait for.
    pub(super) fn next_change(&self) -> Option<Instant> {
        let due = self.scheduled.keys().next().map(|(at, _)| *at);
        let freed = self.locks().filter_map(|(_, held)| held.until).min();
        due.into_iter().chain(freed).min()
    }

    fn locks(&self) -> impl Iterator<Item = (&String, &Held)> {
        self.lanes
            .iter()
            .filter_map(|(key, lane)| lane.held.as_ref().map(|held| (key, held)))
    }

    /// Lanes a host holds.
    pub(super) fn held_by(&self, host: HostId) -> usize {
        self.locks().filter(|(_, held)| held.host == host).count()
    }

    /// Whether a lane waits for a receiver.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Locks the lane whose first message has waited longest. The lock is renewed for so long, or without end.
    pub(super) fn lock_next(
        &mut self,
        host: HostId,
        renewal: Option<Duration>,
        now: Instant,
    ) -> Option<LaneLock> {
        let (_, key) = self.ready.pop_first()?;
        let token = self.next_token;
        self.next_token += 1;
        let lane = self.lanes.get_mut(&key)?;
        lane.ready_at = None;
        lane.held = Some(Held {
            host,
            token,
            until: renewal.map(|renewal| now + held_for(self.settings.lock, renewal)),
            orphaned: false,
            in_flight: false,
        });
        Some(LaneLock { lane: key, token })
    }

    fn lane(&mut self, lock: &LaneLock) -> Option<&mut Lane> {
        self.lanes.get_mut(&lock.lane).filter(|lane| {
            lane.held
                .as_ref()
                .is_some_and(|held| held.token == lock.token)
        })
    }

    /// The lane's first message, now locked. None when the lane is empty or no longer held.
    pub(super) fn deliver(&mut self, lock: &LaneLock, now: Instant) -> Option<Delivery> {
        let bury = self.settings.dead_letter_on_expiry;
        let mut expired = Vec::new();
        let lane = self.lane(lock)?;
        while let Some(first) = lane.messages.front()
            && first.expires <= now
        {
            expired.extend(lane.messages.pop_front());
        }
        let delivery = lane.messages.front().map(|message| Delivery {
            message: message.clone(),
            delivery_count: message.failed_deliveries + 1,
        });
        if let Some(held) = &mut lane.held {
            held.in_flight = delivery.is_some();
        }
        if bury {
            for message in expired {
                self.bury(message, "TTLExpiredException");
            }
        }
        delivery
    }

    /// Whether the lane is still held with this lock.
    pub(super) fn holds(&mut self, lock: &LaneLock) -> bool {
        self.lane(lock).is_some()
    }

    /// The lane whose first message was delivered under this lock; it is in flight no longer.
    fn settled(&mut self, lock: &LaneLock) -> Result<&mut Lane, LockLost> {
        let lane = self.lane(lock).ok_or(LockLost)?;
        let held = lane.held.as_mut().ok_or(LockLost)?;
        if std::mem::take(&mut held.in_flight) {
            Ok(lane)
        } else {
            Err(LockLost)
        }
    }

    /// Removes the delivered message.
    pub(super) fn complete(&mut self, lock: &LaneLock) -> Result<(), LockLost> {
        self.settled(lock)?.messages.pop_front();
        Ok(())
    }

    /// Gives the delivered message back, first in its lane, or dead-letters it.
    pub(super) fn abandon(&mut self, lock: &LaneLock) -> Result<(), LockLost> {
        let limit = self.settings.max_delivery_count;
        let messages = &mut self.settled(lock)?.messages;
        if let Some(first) = messages.front_mut() {
            first.failed_deliveries += 1;
            if first.failed_deliveries >= limit
                && let Some(message) = messages.pop_front()
            {
                self.bury(message, "MaxDeliveryCountExceeded");
            }
        }
        Ok(())
    }

    /// Ends a lock.
    fn free(&mut self, lock: &LaneLock) {
        if let Some(lane) = self.lane(lock) {
            lane.held = None;
            self.index(&lock.lane);
        }
    }

    /// A receiver let go; what it did not settle is no failed delivery ("Message sessions", impact of delivery count). The
    /// lock of a host that died holds on all the same.
    pub(super) fn release(&mut self, lock: &LaneLock) {
        let orphaned = self
            .lane(lock)
            .and_then(|lane| lane.held.as_ref())
            .is_some_and(|held| held.orphaned);
        if !orphaned {
            self.free(lock);
        }
    }

    /// The host died without a word: its locks hold until they run out.
    pub(super) fn host_died(&mut self, host: HostId, now: Instant) {
        let until = now + self.settings.lock;
        for lane in self.lanes.values_mut() {
            if let Some(held) = lane.held.as_mut().filter(|held| held.host == host) {
                held.until = Some(held.until.map_or(until, |own| own.min(until)));
                held.orphaned = true;
            }
        }
    }

    pub(super) fn counts(&self) -> QueueCounts {
        let busy = |(_, lane): &(&String, &Lane)| !lane.messages.is_empty();
        let waiting = self.scheduled.values();
        let mut lanes: Vec<String> = if self.settings.sessions {
            let busy = self.lanes.iter().filter(busy).map(|(id, _)| id);
            let waiting = waiting.filter_map(|message| message.draft.session_id.as_ref());
            busy.chain(waiting).cloned().collect()
        } else {
            Vec::new()
        };
        lanes.sort_unstable();
        lanes.dedup();
        QueueCounts {
            active: self.lanes.values().map(|lane| lane.messages.len()).sum(),
            scheduled: self.scheduled.len(),
            dead_letters: self.dead_letter_count,
            sessions: if self.settings.sessions {
                self.lanes.len()
            } else {
                0
            },
            lanes,
        }
    }
}

/// How long a lane is held when its lock is renewed for so long, counted from its acceptance, whatever message is under way:
/// the renewals come a while before each end of the lock, and the last one lasts (azure-sdk-for-net,
/// `SessionReceiverManager.RenewSessionLock` and `ReceiverManager.CalculateRenewDelay`).
fn held_for(lock: Duration, renewal: Duration) -> Duration {
    /// A renewal comes this long before the end of the lock, or at half of its life.
    const AHEAD: Duration = Duration::from_secs(10);
    let every = lock - AHEAD.min(lock / 2);
    let mut last = Duration::ZERO;
    while !every.is_zero() && last + every < renewal {
        last += every;
    }
    last + lock
}
