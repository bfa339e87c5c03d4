//! The contents of one queue: lanes, locks, schedule, duplicate detection. No waiting in here; time is passed in.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use thiserror::Error;
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use super::dead_letters::{DeadLetters, Reason};
use super::message::{Draft, Message, QueueSettings, QueueView};

/// Expired messages, and ids to forget, are looked for this often.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

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
    in_flight: bool,
}

#[derive(Debug)]
pub(super) struct Store {
    settings: QueueSettings,
    last_sequence: u64,
    last_token: u64,
    /// Lanes with messages or a receiver. Without sessions every message is a lane of its own.
    lanes: HashMap<String, VecDeque<Message>>,
    /// Lanes with a receiver.
    held: HashMap<String, Held>,
    /// Lanes that wait for a receiver, by the number of their first message.
    ready: BTreeMap<u64, String>,
    scheduled: BTreeMap<(Instant, u64), Message>,
    /// When each `MessageId` was seen; a repeated one does not prolong its own memory.
    seen: HashMap<String, Instant>,
    pub(super) dead_letters: DeadLetters,
    next_sweep: Instant,
}

impl Store {
    pub(super) fn new(settings: QueueSettings) -> Self {
        Self {
            dead_letters: DeadLetters::new(settings.lock),
            settings,
            last_sequence: 0,
            last_token: 0,
            lanes: HashMap::new(),
            held: HashMap::new(),
            ready: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            seen: HashMap::new(),
            next_sweep: Instant::now(),
        }
    }

    pub(super) fn send(&mut self, draft: Draft, now: Instant, clock: OffsetDateTime) -> Sent {
        let broker = &draft.broker;
        let message_id = broker.message_id.clone();
        let message_id = message_id.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        if let Some(window) = self.settings.duplicate_window {
            let seen = self.seen.get(&message_id);
            if seen.is_some_and(|at| now < *at + window) {
                return Sent::Duplicate;
            }
            self.seen.insert(message_id.clone(), now);
        }
        let scheduled = broker.scheduled_at;
        let wait = scheduled.and_then(|at| Duration::try_from(at - clock).ok());
        let wait = wait.unwrap_or_default();
        let longest = self.settings.time_to_live;
        let time_to_live = broker.time_to_live.unwrap_or(longest).min(longest);
        self.last_sequence += 1;
        let message = Message {
            sequence: self.last_sequence,
            message_id,
            enqueued_at: clock + wait,
            time_to_live,
            expires: now + wait + time_to_live,
            delivery_count: 1,
            draft,
        };
        if wait.is_zero() {
            self.activate(message);
        } else {
            self.scheduled
                .insert((now + wait, message.sequence), message);
        }
        Sent::Accepted
    }

    fn activate(&mut self, message: Message) {
        let key = match &message.draft.broker.session_id {
            Some(session) if self.settings.sessions => session.clone(),
            _ => format!("#{}", message.sequence),
        };
        let lane = self.lanes.entry(key.clone()).or_default();
        if lane.is_empty() && !self.held.contains_key(&key) {
            self.ready.insert(message.sequence, key);
        }
        lane.push_back(message);
    }

    /// Lets time do its work: schedules fall due, locks end, messages expire.
    pub(super) fn advance(&mut self, now: Instant) {
        while let Some(entry) = self.scheduled.first_entry()
            && entry.key().0 <= now
        {
            let message = entry.remove();
            self.activate(message);
        }
        let has_ended = |held: &Held| held.until.is_some_and(|until| until <= now);
        let held = self.held.iter().filter(|(_, held)| has_ended(held));
        let ended: Vec<LaneLock> = held
            .map(|(lane, held)| LaneLock {
                lane: lane.clone(),
                token: held.token,
            })
            .collect();
        for lock in ended {
            // A message under way counts as a delivery.
            let _ = self.abandon(&lock);
            self.release(&lock);
        }
        if self.next_sweep <= now {
            self.next_sweep = now + SWEEP_INTERVAL;
            self.sweep(now);
        }
    }

    fn sweep(&mut self, now: Instant) {
        if let Some(window) = self.settings.duplicate_window {
            self.seen.retain(|_, at| now < *at + window);
        }
        for lane in self.lanes.keys().cloned().collect::<Vec<_>>() {
            self.expire(&lane, now);
        }
        let held = &self.held;
        self.lanes
            .retain(|key, lane| !lane.is_empty() || held.contains_key(key));
        let free = self
            .lanes
            .iter()
            .filter(|(key, _)| !held.contains_key(*key));
        let first = |(key, lane): (&String, &VecDeque<Message>)| {
            lane.front().map(|first| (first.sequence, key.clone()))
        };
        self.ready = free.filter_map(first).collect();
    }

    /// Takes what has outlived its time out of a lane, but for the message under way.
    fn expire(&mut self, key: &str, now: Instant) {
        let Some(lane) = self.lanes.get_mut(key) else {
            return;
        };
        let in_flight = self.held.get(key).is_some_and(|held| held.in_flight);
        let under_way = lane.front().map(|first| first.sequence);
        let under_way = under_way.filter(|_| in_flight);
        let lives =
            |message: &Message| message.expires > now || Some(message.sequence) == under_way;
        let (alive, expired) = std::mem::take(lane).into_iter().partition(lives);
        *lane = alive;
        if self.settings.dead_letter_on_expiry {
            self.dead_letters.add(expired, Reason::Expired);
        }
    }

    /// Ends the time of all messages that wait in a lane, but for the one under way; how many there were.
    pub(super) fn outlive(&mut self, key: &str, now: Instant) -> usize {
        let Some(lane) = self.lanes.get_mut(key) else {
            return 0;
        };
        let before = lane.len();
        for message in lane.iter_mut() {
            message.expires = now;
        }
        self.expire(key, now);
        before - self.lanes.get(key).map_or(0, VecDeque::len)
    }

    /// When time will next change something that a receiver may wait for.
    pub(super) fn next_change(&self) -> Option<Instant> {
        let due = self.scheduled.keys().next().map(|(at, _)| *at);
        let freed = self.held.values().filter_map(|held| held.until).min();
        due.into_iter().chain(freed).min()
    }

    /// Lanes a host holds.
    pub(super) fn held_by(&self, host: HostId) -> usize {
        self.held.values().filter(|held| held.host == host).count()
    }

    /// Locks the lane whose first message has waited longest. The lock is renewed for so long, or without end.
    pub(super) fn lock_next(
        &mut self,
        host: HostId,
        renewal: Option<Duration>,
        now: Instant,
    ) -> Option<LaneLock> {
        let (_, lane) = self.ready.pop_first()?;
        self.last_token += 1;
        let token = self.last_token;
        let held = Held {
            host,
            token,
            until: renewal.map(|renewal| now + held_for(self.settings.lock, renewal)),
            in_flight: false,
        };
        self.held.insert(lane.clone(), held);
        Some(LaneLock { lane, token })
    }

    fn held(&mut self, lock: &LaneLock) -> Option<&mut Held> {
        let held = self.held.get_mut(&lock.lane);
        held.filter(|held| held.token == lock.token)
    }

    /// Whether the lane is still held with this lock.
    pub(super) fn holds(&mut self, lock: &LaneLock) -> bool {
        self.held(lock).is_some()
    }

    /// The lane's first message, now locked. None when the lane is empty or no longer held.
    pub(super) fn deliver(&mut self, lock: &LaneLock, now: Instant) -> Option<Message> {
        self.held(lock)?;
        self.expire(&lock.lane, now);
        let first = self.lanes.get(&lock.lane)?.front().cloned();
        self.held(lock)?.in_flight = first.is_some();
        first
    }

    /// The lane whose first message was delivered under this lock; it is in flight no longer.
    fn settled(&mut self, lock: &LaneLock) -> Result<&mut VecDeque<Message>, LockLost> {
        let held = self.held(lock).ok_or(LockLost)?;
        if !std::mem::take(&mut held.in_flight) {
            return Err(LockLost);
        }
        self.lanes.get_mut(&lock.lane).ok_or(LockLost)
    }

    /// Removes the delivered message.
    pub(super) fn complete(&mut self, lock: &LaneLock) -> Result<(), LockLost> {
        self.settled(lock)?.pop_front();
        Ok(())
    }

    /// Gives the delivered message back, first in its lane, or dead-letters it.
    pub(super) fn abandon(&mut self, lock: &LaneLock) -> Result<(), LockLost> {
        let limit = self.settings.max_delivery_count;
        let lane = self.settled(lock)?;
        if let Some(first) = lane.front_mut() {
            first.delivery_count += 1;
            if first.delivery_count > limit {
                let dead = lane.pop_front();
                self.dead_letters.add(dead, Reason::Retried);
            }
        }
        Ok(())
    }

    /// Ends a lock. What was not settled is no failed delivery ("Message sessions", impact of delivery count).
    pub(super) fn release(&mut self, lock: &LaneLock) {
        if !self.holds(lock) {
            return;
        }
        self.held.remove(&lock.lane);
        match self.lanes.get(&lock.lane).and_then(VecDeque::front) {
            Some(first) => {
                self.ready.insert(first.sequence, lock.lane.clone());
            }
            None => {
                self.lanes.remove(&lock.lane);
            }
        }
    }

    /// The host died without a word: nobody settles anything or lets go, and its locks hold until they run out.
    pub(super) fn host_died(&mut self, host: HostId, now: Instant) {
        let until = now + self.settings.lock;
        for held in self.held.values_mut().filter(|held| held.host == host) {
            held.until = Some(held.until.map_or(until, |own| own.min(until)));
            self.last_token += 1;
            held.token = self.last_token;
        }
    }

    pub(super) fn view(&self) -> QueueView {
        let sessions = self.settings.sessions;
        let busy = self.lanes.iter().filter(|(_, lane)| !lane.is_empty());
        let waiting = self.scheduled.values();
        let waiting = waiting.filter_map(|message| message.draft.broker.session_id.as_ref());
        let lanes = busy.map(|(key, _)| key).chain(waiting);
        let lanes: BTreeSet<&String> = lanes.filter(|_| sessions).collect();
        QueueView {
            name: self.settings.name.clone(),
            active: self.lanes.values().map(VecDeque::len).sum(),
            scheduled: self.scheduled.len(),
            dead_letters: self.dead_letters.len(),
            sessions: if sessions { self.lanes.len() } else { 0 },
            lanes: lanes.into_iter().cloned().collect(),
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
