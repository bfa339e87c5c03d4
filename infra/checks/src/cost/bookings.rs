//! How often the shared bookings of a limit are written for each call, by the rule of `functions/src/outside/key.rs`, with the bucket of
//! the bridge itself.

use std::collections::VecDeque;
use std::time::Duration;

use bridge::pace::{Bookings, Limit};
use time::OffsetDateTime;

/// As in `key.rs`: a quiet instance calls once without booking, and what is booked because it is expected is used in this time or not at
/// all.
const QUIET: Duration = Duration::from_secs(20);
const EXPECTED_FOR: Duration = Duration::from_secs(5);

/// Calls that are looked at.
const CALLS: usize = 20_000;

/// Writes for each call of instances that share the limit and make so many calls a second together, as they happen to come.
pub fn written_for_each_call(limit: &Limit, instances: usize, per_second: f64) -> f64 {
    let mut shared = Bookings::empty(limit, OffsetDateTime::UNIX_EPOCH);
    let mut now = OffsetDateTime::UNIX_EPOCH + Duration::from_secs(3600);
    let mut all = vec![Instance::default(); instances];
    let (mut written, mut random) = (0, Random(1));
    for _ in 0..CALLS {
        // Calls that know nothing of each other: an exponential distribution.
        now += Duration::from_secs_f64(-random.next().ln() / per_second);
        let place = (random.next() * instances as f64) as usize;
        if all[place.min(instances - 1)].calls(limit, &mut shared, now) {
            written += 1;
        }
    }
    f64::from(written) / CALLS as f64
}

#[derive(Clone, Default)]
struct Instance {
    booked: VecDeque<OffsetDateTime>,
    lately: VecDeque<OffsetDateTime>,
    unpaid: usize,
}

impl Instance {
    /// Makes a call; tells whether it had to be booked.
    fn calls(&mut self, limit: &Limit, shared: &mut Bookings, now: OffsetDateTime) -> bool {
        let is_quiet = self.lately.back().is_none_or(|at| now >= *at + QUIET);
        while self
            .lately
            .front()
            .is_some_and(|at| now > *at + EXPECTED_FOR)
        {
            self.lately.pop_front();
        }
        while self
            .booked
            .front()
            .is_some_and(|at| now > *at + EXPECTED_FOR)
        {
            self.booked.pop_front();
        }
        let expected = self.lately.len().min(limit.most_at_once());
        self.lately.push_back(now);
        if self.booked.pop_front().is_some() {
            return false;
        }
        if is_quiet {
            self.unpaid = 1;
            return false;
        }
        shared.book(limit, now, std::mem::take(&mut self.unpaid) + 1);
        let spare = shared.spare(limit, now, expected.saturating_sub(1));
        self.booked.extend(shared.book(limit, now, spare));
        true
    }
}

/// The same numbers each time (Park and Miller, "Random number generators: good ones are hard to find").
struct Random(u64);

impl Random {
    /// Between 0 and 1, neither of them.
    fn next(&mut self) -> f64 {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0 as f64 / f64::from(0x7fff_ffff)
    }
}

#[test]
fn the_busier_the_fewer_writes_for_each_call_and_never_more_than_one() {
    let genesys = bridge::pace::limits::genesys(3_000);
    let writes = [0.01, 1.0, 4.0, 16.0].map(|rate| written_for_each_call(&genesys, 2, rate));
    assert!(writes[1] > writes[2] && writes[2] > writes[3], "{writes:?}");
    assert!(writes.iter().all(|it| *it <= 1.0), "{writes:?}");
    assert!(writes[0] < 0.4 && writes[2] < 0.3, "{writes:?}");
}
