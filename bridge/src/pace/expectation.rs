//! Calls that are booked because they are expected, in steps of time: should the load jump while some of them lie unused, the limit still
//! holds.

use std::collections::VecDeque;
use std::time::Duration;

use time::OffsetDateTime;

use super::bookings::Bookings;
use super::limits::{Limit, genesys};

const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const STEP: Duration = Duration::from_millis(20);
/// When each instance has calls waiting at any moment from then on, and when it ends.
const JUMP: Duration = Duration::from_secs(120);
const END: Duration = Duration::from_secs(300);
/// As in `functions/src/outside/key.rs`.
const USABLE_FOR: Duration = Duration::from_secs(2);
const EXPECTED_FOR: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Instance {
    /// Time and end of what is booked.
    booked: VecDeque<(OffsetDateTime, OffsetDateTime)>,
    lately: VecDeque<OffsetDateTime>,
}

/// The most calls in any minute of so many instances, which together make so many a second before all have some waiting; and the writes
/// for each call before that.
fn most_in_a_minute(limit: &Limit, instances: usize, per_second: f64) -> (usize, f64) {
    let mut shared = Bookings::empty(limit, START - Duration::from_secs(3600));
    let mut all = Vec::from_iter((0..instances).map(|_| Instance::default()));
    let mut calls = VecDeque::new();
    let (mut most, mut written, mut early) = (0, 0, 0);
    let mut passed = Duration::ZERO;
    while passed < END {
        let now = START + passed;
        for (number, one) in all.iter_mut().enumerate() {
            // Each in its turn, evenly: the worst, since all that is expected lies unused at once when nobody comes.
            let each = instances as f64 / per_second;
            let turn = (passed.as_secs_f64() + each * number as f64 / instances as f64) % each;
            let comes = passed >= JUMP || turn < STEP.as_secs_f64();
            while one
                .lately
                .front()
                .is_some_and(|at| now > *at + EXPECTED_FOR)
            {
                one.lately.pop_front();
            }
            while one.booked.front().is_some_and(|(_, until)| now > *until) {
                one.booked.pop_front();
            }
            // Just before the jump nobody calls, so that nothing that lies there is used.
            let is_pause = (JUMP - Duration::from_secs(3)..JUMP).contains(&passed);
            if !comes || is_pause {
                continue;
            }
            if one.booked.is_empty() {
                let waiting = match passed >= JUMP {
                    true => limit.most_at_once(),
                    false => 1,
                };
                let expected = one.lately.len().min(limit.most_at_once());
                let booked = shared.book(limit, now, waiting).into_iter();
                one.booked.extend(booked.map(|at| (at, at + USABLE_FOR)));
                let spare = shared.spare(limit, now, expected.saturating_sub(waiting));
                let spare = shared.book(limit, now, spare).into_iter();
                one.booked.extend(spare.map(|at| (at, at + EXPECTED_FOR)));
                written += usize::from(passed < JUMP);
            }
            while one.booked.pop_front_if(|(at, _)| *at <= now).is_some() {
                one.lately.push_back(now);
                calls.push_back(now);
                early += usize::from(passed < JUMP);
                if passed < JUMP {
                    break;
                }
            }
        }
        while calls
            .front()
            .is_some_and(|at| now >= *at + Duration::from_secs(60))
        {
            calls.pop_front();
        }
        most = most.max(calls.len());
        passed += STEP;
    }
    (
        most,
        written as f64 / f64::from(u32::try_from(early).unwrap_or(u32::MAX)),
    )
}

#[test]
fn what_lies_unused_when_the_load_jumps_keeps_the_limit() {
    for (per_minute, per_second) in [
        (300, 0.5),
        (300, 2.0),
        (300, 3.2),
        (1_200, 8.0),
        (3_000, 20.0),
    ] {
        for instances in [1, 2, 4] {
            let limit = genesys(per_minute);
            let (most, written) = most_in_a_minute(&limit, instances, per_second);
            let told = format!(
                "{per_minute} a minute, {per_second} a second on {instances}: {most} at most, {written:.2} writes for each call"
            );
            println!("{told}");
            assert!(most <= per_minute as usize, "{told}");
            assert!(written <= 1.0, "{told}");
        }
    }
}
