//! One throttle key: when it may be used next, until when the service wants it left alone, and whether it is in doubt.
//!
//! A key that several instances use has its calls booked in Blob ([`Bookings`]), about two seconds' at a time, so that together they
//! keep the limit. Beyond the calls that wait, as many are booked as came lately, where the limit has them to spare: a write for each
//! call would be most of what an installation writes. The first call after a quiet time is made at once and booked with the next ones, so that a quiet chat waits for
//! nothing: should there be no next ones, that is a call in [`QUIET`] at most, which the limits leave room for. While Blob cannot be asked
//! each instance keeps to a part of the limit.
//!
//! A pause that one instance was told (`Retry-After`) is passed on with the bookings; of other keys it is written to a blob of its
//! own, where the other instances see it within [`REFRESH`]. Pauses are advice: a lost one costs another 429.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bridge::pace::{Bookings, Limit, Way, pause_unasked};
use bridge::state::blobs::{self, STATE};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use services::blob::Blobs;
use services::error::{ErrorKind, ServiceError};
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::failure::Failure;
use crate::queue::keep_trying::random;
use crate::store::document::Document;

/// How long an instance must not have used a key to use it once without booking.
const QUIET: Duration = Duration::from_secs(20);

/// How long after its time a booked call may be made: later it would add to those of the time that it is made in.
const USABLE_FOR: Duration = Duration::from_secs(2);

/// How far ahead calls are expected, and so how long one that was booked for that reason may be made. The limits have room for as many
/// as can lie unused: half of what may come at once is left when they are booked.
const EXPECTED_FOR: Duration = Duration::from_secs(5);

/// How long a booking may take.
const BOOKING_LIMIT: Duration = Duration::from_secs(3);

/// Attempts at one booking while others book too.
const ATTEMPTS: usize = 10;

/// How old another instance's pause may be before it is looked up again.
const REFRESH: Duration = Duration::from_secs(5);

/// Longest pause that is believed; a service that asks for more is asked again after it.
const LONGEST: Duration = Duration::from_secs(600);

/// How long a client that was refused is used only when all others were too.
const DOUBTED_FOR: Duration = Duration::from_secs(60);

/// A throttle key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    limit: Limit,
    blobs: Arc<Blobs>,
    /// Told when the key may be used, or no more.
    moved: Arc<Notify>,
    /// The clock of the bookings that are not shared.
    began: (OffsetDateTime, Instant),
    state: Mutex<State>,
    /// The shared bookings, as this instance wrote them last.
    shared: tokio::sync::Mutex<Option<Document<Bookings>>>,
}

#[derive(Debug)]
struct State {
    /// What this instance books by itself.
    own: Bookings,
    /// Calls that are booked in Blob and not made yet.
    booked: VecDeque<Booked>,
    is_booking: bool,
    /// Calls that were made without booking since then: they are booked with the next ones.
    unpaid: usize,
    /// Before this time there is nothing to book, as far as is known.
    free_at: Instant,
    used: Option<Instant>,
    /// The calls of the last [`EXPECTED_FOR`]: as many are expected in the next.
    lately: VecDeque<Instant>,
    paused_until: Option<Instant>,
    looked_up: Option<Instant>,
    doubted_until: Option<Instant>,
    /// Times in a row that the service had too much.
    throttled: u32,
}

/// A call that is booked.
#[derive(Debug, Clone, Copy)]
struct Booked {
    at: Instant,
    until: Instant,
}

/// When a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// Now; it counts as made.
    Now,
    /// After this time.
    In(Duration),
    /// When the booking that is under way is done.
    Told,
}

/// A pause as the other instances, and people, read it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SharedPause {
    /// Its end.
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) until: OffsetDateTime,
}

impl Key {
    pub(super) fn new(name: &str, limit: Limit, blobs: &Arc<Blobs>, moved: &Arc<Notify>) -> Self {
        let began = (OffsetDateTime::now_utc(), Instant::now());
        Self {
            name: name.to_owned(),
            limit,
            blobs: Arc::clone(blobs),
            moved: Arc::clone(moved),
            began,
            state: Mutex::new(State {
                own: Bookings::empty(&limit, began.0),
                booked: VecDeque::new(),
                is_booking: false,
                unpaid: 0,
                free_at: began.1,
                used: None,
                lately: VecDeque::new(),
                paused_until: None,
                looked_up: None,
                doubted_until: None,
                throttled: 0,
            }),
            shared: tokio::sync::Mutex::default(),
        }
    }

    /// How it stands now.
    pub(super) fn look(&self) -> Way {
        let now = Instant::now();
        let mut state = self.lock();
        let wait = match state.next_booked(now) {
            Some(at) => at.duration_since(now),
            None if self.limit.is_shared => state.free_at.duration_since(now),
            None => state.own.wait(&self.limit, self.time(now)),
        };
        Way {
            wait: wait.max(state.paused_for(now)),
            is_doubted: state.doubted_until.is_some_and(|until| now < until),
        }
    }

    /// Uses it once, or says when that is possible. `waiting` are the calls that would book.
    pub(super) fn take(self: &Arc<Self>, waiting: usize) -> Leave {
        let now = Instant::now();
        let mut state = self.lock();
        let paused = state.paused_for(now);
        if !paused.is_zero() {
            return Leave::In(paused);
        }
        if !self.limit.is_shared {
            let time = self.time(now);
            let wait = state.own.wait(&self.limit, time);
            if !wait.is_zero() {
                return Leave::In(wait);
            }
            state.own.book(&self.limit, time, 1);
            return Leave::Now;
        }
        match state.next_booked(now) {
            Some(at) if at > now => return Leave::In(at - now),
            Some(_) => {
                state.booked.pop_front();
                state.uses(now);
                return Leave::Now;
            }
            None => {}
        }
        if state.used.is_none_or(|at| now >= at + QUIET) && state.free_at <= now {
            state.uses(now);
            // One before it is long made up for.
            state.unpaid = 1;
            return Leave::Now;
        }
        if !state.is_booking {
            state.is_booking = true;
            let most = self.limit.most_at_once();
            let calls = waiting.clamp(1, most);
            let expected = state.lately.len().min(most).saturating_sub(calls);
            let unpaid = std::mem::take(&mut state.unpaid);
            tokio::spawn(Arc::clone(self).book(calls, expected, unpaid));
        }
        Leave::Told
    }

    /// Books calls that are to be made, before them those that were made already, and after them what is expected.
    async fn book(self: Arc<Self>, calls: usize, expected: usize, unpaid: usize) {
        let limit = &self.limit;
        let change = |bookings: &mut Bookings, now| {
            let mut times = bookings.book(limit, now, unpaid + calls);
            let spare = bookings.spare(limit, now, expected);
            times.extend(bookings.book(limit, now, spare));
            // Pauses that others were told stand before what is booked next.
            (now, times, bookings.wait(limit, now))
        };
        let booked = timeout(BOOKING_LIMIT, self.change(change)).await;
        let now = Instant::now();
        let mut state = self.lock();
        state.is_booking = false;
        let (time, times) = match booked.unwrap_or(Err(Failure::OutOfTime)) {
            Ok((time, times, free_in)) => {
                state.free_at = now + free_in;
                (time, times)
            }
            Err(failure) => {
                let reason = failure.label();
                tracing::warn!(
                    event = "calls_not_booked",
                    reason,
                    "each instance keeps a part of the limit alone"
                );
                let time = self.time(now);
                (time, state.own.book(&limit.alone(), time, unpaid + calls))
            }
        };
        let wait = |at: OffsetDateTime| Duration::try_from(at - time).unwrap_or_default();
        let times = times.into_iter().enumerate().skip(unpaid);
        state.booked.extend(times.map(|(place, time)| {
            let at = now + wait(time);
            let usable = match place < unpaid + calls {
                true => USABLE_FOR,
                false => EXPECTED_FOR,
            };
            Booked {
                at,
                until: at + usable,
            }
        }));
        drop(state);
        self.moved.notify_waiters();
    }

    /// Changes the shared bookings, again when others wrote meanwhile.
    async fn change<R>(
        &self,
        change: impl Fn(&mut Bookings, OffsetDateTime) -> R,
    ) -> Result<R, Failure> {
        let mut held = self.shared.lock().await;
        for _ in 0..ATTEMPTS {
            let mut document = match held.take() {
                Some(document) => document,
                None => {
                    let absent = || Bookings::empty(&self.limit, OffsetDateTime::now_utc());
                    Document::load(&self.blobs, blobs::bookings(&self.name), absent).await?
                }
            };
            let result = change(&mut document.value, OffsetDateTime::now_utc());
            match document.save(&self.blobs).await {
                Ok(()) => {
                    *held = Some(document);
                    return Ok(result);
                }
                Err(Failure::Service(error)) if error.kind == ErrorKind::Precondition => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::OutOfTime)
    }

    /// Notes that the service has too much and wants the key left alone, here and in the other instances.
    pub(super) async fn pause(&self, error: &ServiceError) {
        let pause = {
            let mut state = self.lock();
            state.throttled = state.throttled.saturating_add(1);
            let asked = error.retry_after;
            let pause = asked.unwrap_or_else(|| pause_unasked(state.throttled, random()));
            let pause = pause.min(LONGEST);
            state.pause_until(Instant::now() + pause);
            // Their times are within the pause.
            state.booked.clear();
            pause
        };
        // Whoever waits may go another way now.
        self.moved.notify_waiters();
        let shared = match self.limit.is_shared {
            true => {
                let change =
                    |bookings: &mut Bookings, now| bookings.pause(&self.limit, now + pause);
                let change = timeout(BOOKING_LIMIT, self.change(change)).await;
                change.unwrap_or(Err(Failure::OutOfTime))
            }
            false => self.write_pause(pause).await.map_err(Failure::Service),
        };
        if let Err(failure) = shared {
            let reason = failure.label();
            tracing::warn!(
                event = "pause_not_shared",
                reason,
                "the other instances do not know of a pause"
            );
        }
    }

    async fn write_pause(&self, pause: Duration) -> Result<(), ServiceError> {
        let until = OffsetDateTime::now_utc() + pause;
        let body = serde_json::to_vec(&SharedPause { until }).unwrap_or_default();
        let blob = blobs::pause(&self.name);
        let written = self.blobs.put(STATE, &blob, Bytes::from(body)).await;
        written.map(drop)
    }

    /// Notes that the service served a call.
    pub(super) fn served(&self) {
        self.lock().throttled = 0;
    }

    /// Notes that the service refused whoever uses this key.
    pub(super) fn doubt(&self) {
        self.lock().doubted_until = Some(Instant::now() + DOUBTED_FOR);
        self.moved.notify_waiters();
    }

    /// Looks for other instances' pauses, without keeping the caller waiting.
    pub(super) fn refresh(self: &Arc<Self>) {
        let now = Instant::now();
        {
            let mut state = self.lock();
            let was_lately = state.looked_up.is_some_and(|at| now < at + REFRESH);
            if self.limit.is_shared || was_lately {
                return;
            }
            state.looked_up = Some(now);
        }
        let key = Arc::clone(self);
        tokio::spawn(async move {
            let name = blobs::pause(&key.name);
            let Ok(Some((body, _))) = key.blobs.get(STATE, &name).await else {
                return;
            };
            let left = serde_json::from_slice::<SharedPause>(&body)
                .ok()
                .and_then(|pause| Duration::try_from(pause.until - OffsetDateTime::now_utc()).ok());
            if let Some(left) = left {
                let until = Instant::now() + left.min(LONGEST);
                key.lock().pause_until(until);
            }
        });
    }

    /// The time of the bookings that are not shared, which runs with the timers.
    fn time(&self, now: Instant) -> OffsetDateTime {
        self.began.0 + now.duration_since(self.began.1)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes a call that is made now.
    fn uses(&mut self, now: Instant) {
        self.used = Some(now);
        while self
            .lately
            .front()
            .is_some_and(|at| now > *at + EXPECTED_FOR)
        {
            self.lately.pop_front();
        }
        self.lately.push_back(now);
    }

    /// The first call that is booked and not too old.
    fn next_booked(&mut self, now: Instant) -> Option<Instant> {
        while self.booked.front().is_some_and(|it| now > it.until) {
            self.booked.pop_front();
        }
        self.booked.front().map(|it| it.at)
    }

    fn paused_for(&self, now: Instant) -> Duration {
        let until = self.paused_until;
        until.map_or(Duration::ZERO, |until| until.duration_since(now))
    }

    fn pause_until(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use bridge::ids::Digest;
    use bridge::pace::limits;
    use services::error::{ErrorKind, Sent, Service};
    use services::testing::{Reply, World};

    use super::super::pace::Pace;
    use super::super::{Call, genesys_keys};
    use super::*;
    use crate::testing::app_in;

    /// Two instances that share the limit of one Genesys client.
    async fn instances(per_minute: u32) -> (World, [Pace; 2]) {
        let world = World::start().await;
        let client = ["c".to_owned()];
        let instance = || {
            let blobs = Arc::clone(&app_in(&world, &[]).blobs);
            Pace::new(blobs, &client, per_minute)
        };
        let both = [instance(), instance()];
        (world, both)
    }

    async fn turns(pace: &Pace, count: u32) {
        let deadline = Instant::now() + Duration::from_secs(30);
        for number in 0..count {
            let chat = Digest::of("chat", &number.to_string());
            let turn = pace.turn(Call::GenesysMessage, &chat, deadline);
            turn.await.expect("a turn");
        }
    }

    #[tokio::test]
    async fn instances_share_a_limit() {
        let (_world, [one, other]) = instances(900).await;
        let start = Instant::now();
        tokio::join!(turns(&one, 8), turns(&other, 8));
        // The first call of each is made at once.
        let least = limits::genesys(900).each() * 14;
        assert!(start.elapsed() >= least, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn calls_one_after_the_other_share_a_booking_where_the_limit_has_some_to_spare() {
        let (world, [one, _]) = instances(60_000).await;
        // Nobody has called for an hour.
        let before = OffsetDateTime::now_utc() - Duration::from_secs(3600);
        let full = Bookings::empty(&limits::genesys(60_000), before);
        let body = Bytes::from(serde_json::to_vec(&full).expect("JSON"));
        let name = blobs::bookings(&genesys_keys(&["c".to_owned()])[0]);
        let blobs = Arc::clone(&app_in(&world, &[]).blobs);
        blobs.put(STATE, &name, body).await.expect("a blob");
        turns(&one, 40).await;
        let seen = world.seen(Service::Blob);
        let booked = seen
            .iter()
            .filter(|it| it.target.contains("/state/bookings") && it.method == "PUT");
        // Each time as many as came lately; the first of these writes is the test's own.
        let booked = booked.count() - 1;
        assert!(booked <= 10, "{booked} writes for 40 calls");
    }

    #[tokio::test]
    async fn a_pause_is_kept_by_the_other_instances() {
        let (_world, [one, other]) = instances(900).await;
        turns(&other, 2).await;
        let mut error = ServiceError::new(Service::Genesys, ErrorKind::Throttled, Sent::No);
        error.retry_after = Some(Duration::from_secs(1));
        let start = Instant::now();
        one.pause(Call::GenesysReceipt, 0, &error).await;
        turns(&other, 1).await;
        assert!(
            start.elapsed() >= Duration::from_millis(990),
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test]
    async fn without_blob_each_instance_keeps_to_a_part_of_the_limit() {
        let (world, [one, _]) = instances(900).await;
        world.answer("PUT", "/state/bookings", Reply::new(403, ""));
        let start = Instant::now();
        turns(&one, 6).await;
        // Calls go on, each after an attempt to book and more slowly.
        let part = limits::genesys(900).alone().each();
        assert!(start.elapsed() >= part * 4, "{:?}", start.elapsed());
        let seen = world.seen(Service::Blob);
        let refused = seen
            .iter()
            .filter(|it| it.target.contains("/state/bookings") && it.method == "PUT");
        assert_eq!(refused.count(), 5, "but for the first");
    }
}
