//! Several instances against one limit, in steps of time: why they share their bookings.
//!
//! Each instance always has calls waiting, but for a quiet minute in the middle, after which all come at once. The far side counts what it refuses as well, and says how long to wait. Compared are
//! instances that know nothing of each other, those that adapt their rate to the refusals they get (by more each second, by a
//! factor at a refusal), and those that share [`Bookings`].

use std::collections::VecDeque;
use std::time::Duration;

use time::OffsetDateTime;

use super::bookings::Bookings;
use super::limits::{GRAPH_POSTS, Limit, genesys};

const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const STEP: Duration = Duration::from_millis(10);
const SPAN: Duration = Duration::from_secs(660);
const QUIET: std::ops::Range<u64> = 300..360;
/// From an instance to the far side, and back.
const WAY: Duration = Duration::from_millis(80);
/// To write the shared bookings.
const BOOKING: Duration = Duration::from_millis(40);
/// Until another instance has heard of a pause.
const RUMOUR: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, PartialEq)]
enum Means {
    Nothing,
    Adaptation,
    Bookings,
}

/// What the far side takes.
#[derive(Clone, Copy)]
enum Far {
    /// So many in any minute.
    Minute(usize),
    /// One a second, and so many at once.
    Second(u32),
}

/// A far side, and what came of the calls.
struct Service {
    far: Far,
    lately: VecDeque<Duration>,
    taken: u32,
    refused: u32,
}

impl Service {
    /// Takes a call, or says how long to wait.
    fn call(&mut self, now: Duration) -> Result<(), Duration> {
        let (most, window) = match self.far {
            Far::Minute(most) => (most, Duration::from_secs(60)),
            Far::Second(burst) => (burst as usize, Duration::from_secs(burst.into())),
        };
        while self.lately.front().is_some_and(|at| now >= *at + window) {
            self.lately.pop_front();
        }
        self.lately.push_back(now);
        if self.lately.len() <= most {
            self.taken += 1;
            return Ok(());
        }
        self.refused += 1;
        self.lately.pop_front();
        let oldest = self.lately.front().map_or(now, |at| *at);
        let left = (oldest + window).saturating_sub(now).as_secs_f64().ceil();
        Err(Duration::from_secs_f64(left.max(1.0)))
    }
}

struct Instance {
    own: Bookings,
    /// The part of the published rate that it uses, where it adapts.
    part: f64,
    paused_until: Duration,
    slots: VecDeque<Duration>,
    booked_at: Option<Duration>,
    /// Whether the next call comes after a quiet time, and so needs no booking.
    is_free: bool,
    /// Calls that were made so and are booked with the next ones.
    unpaid: usize,
}

/// The part of all calls that was refused, and the calls that were taken as a part of what the far side takes.
fn simulate(means: Means, instances: u32, limit: Limit, far: Far) -> (f64, f64) {
    let at = |time: Duration| START + time;
    let since = |time: OffsetDateTime| Duration::try_from(time - START).unwrap_or_default();
    let mut shared = Bookings::empty(&limit, START);
    let mut service = Service {
        far,
        lately: VecDeque::new(),
        taken: 0,
        refused: 0,
    };
    let instance = |_| Instance {
        own: Bookings::empty(&limit, START),
        part: 1.0,
        paused_until: Duration::ZERO,
        slots: VecDeque::new(),
        booked_at: None,
        is_free: true,
        unpaid: 0,
    };
    let mut all: Vec<Instance> = (0..instances).map(instance).collect();
    let mut under_way: VecDeque<(Duration, usize)> = VecDeque::new();
    let mut answers: VecDeque<(Duration, usize, Result<(), Duration>)> = VecDeque::new();
    let mut rumours: VecDeque<(Duration, Duration)> = VecDeque::new();
    let mut now = Duration::ZERO;
    while now < SPAN {
        while under_way
            .front()
            .is_some_and(|(arrives, _)| *arrives <= now)
        {
            if let Some((_, from)) = under_way.pop_front() {
                answers.push_back((now + WAY, from, service.call(now)));
            }
        }
        while answers
            .front()
            .is_some_and(|(arrives, _, _)| *arrives <= now)
        {
            let Some((_, to, Err(pause))) = answers.pop_front() else {
                continue;
            };
            let mine = &mut all[to];
            if means == Means::Adaptation && mine.paused_until <= now {
                mine.part = (mine.part * 0.5).max(0.05);
            }
            mine.paused_until = mine.paused_until.max(now + pause);
            mine.slots.clear();
            shared.pause(&limit, at(now + pause));
            rumours.push_back((now + RUMOUR, now + pause));
        }
        while rumours.front().is_some_and(|(heard, _)| *heard <= now) {
            if let Some((_, until)) = rumours.pop_front() {
                for one in &mut all {
                    one.paused_until = one.paused_until.max(until);
                }
            }
        }
        for (number, one) in all.iter_mut().enumerate() {
            one.part = (one.part + STEP.as_secs_f64() * 0.002).min(1.0);
            if QUIET.contains(&now.as_secs()) {
                one.slots.clear();
                one.is_free = true;
                continue;
            }
            if one.paused_until > now {
                continue;
            }
            let goes = match means {
                Means::Bookings if std::mem::take(&mut one.is_free) => {
                    one.unpaid = 1;
                    true
                }
                Means::Bookings => {
                    if one.booked_at.is_some_and(|done| done <= now) {
                        one.booked_at = None;
                        let unpaid = std::mem::take(&mut one.unpaid);
                        let booked = shared.book(&limit, at(now), unpaid + limit.most_at_once());
                        one.slots.extend(booked.into_iter().skip(unpaid).map(since));
                    }
                    if one.slots.is_empty() && one.booked_at.is_none() {
                        one.booked_at = Some(now + BOOKING);
                    }
                    one.slots.pop_front_if(|slot| *slot <= now).is_some()
                }
                Means::Nothing | Means::Adaptation => {
                    let own = Limit {
                        per_second: limit.per_second * one.part,
                        burst: (limit.burst * one.part).max(1.0),
                        ..limit
                    };
                    let free = one.own.wait(&own, at(now)).is_zero();
                    if free {
                        one.own.book(&own, at(now), 1);
                    }
                    free
                }
            };
            if goes {
                under_way.push_back((now + WAY, number));
            }
        }
        now += STEP;
    }
    let possible = match far {
        Far::Minute(most) => most as f64 * 10.0,
        Far::Second(_) => 600.0,
    };
    let all = f64::from(service.taken + service.refused);
    (
        f64::from(service.refused) / all,
        f64::from(service.taken) / possible,
    )
}

#[test]
fn shared_bookings_keep_the_limits_at_full_use() {
    for (name, limit, far) in [
        ("Genesys", genesys(300), Far::Minute(300)),
        ("Graph", GRAPH_POSTS, Far::Second(3)),
    ] {
        for instances in [1, 2, 4] {
            let [nothing, adaptation, bookings] =
                [Means::Nothing, Means::Adaptation, Means::Bookings]
                    .map(|means| simulate(means, instances, limit, far));
            let line = |(refused, used): (f64, f64)| {
                format!(
                    "{:.1} % refused, {:.0} % used",
                    refused * 100.0,
                    used * 100.0
                )
            };
            let told = format!(
                "{name}, {instances}: nothing {}; adaptation {}; bookings {}",
                line(nothing),
                line(adaptation),
                line(bookings)
            );
            println!("{told}");
            assert!(bookings.0 <= 0.02 && bookings.1 >= 0.8, "{told}");
            // What it is for.
            assert!(instances == 1 || nothing.0 > 0.02, "{told}");
        }
    }
}
