//! Graph's limits for Teams (Microsoft Learn, "Microsoft Graph service-specific throttling limits"): one request a second for
//! each chat and each user, with a short burst.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::answers::Refusal;
use crate::shared::locked::Locked;

/// Requests that may come at once after a quiet time.
const BURST: u32 = 3;

/// For each kind of call and whom it concerns, since when the time of its next requests has been gathering.
#[derive(Default)]
pub struct Throttle(Locked<HashMap<(&'static str, String), Instant>>);

impl Throttle {
    /// Refuses a request of this kind above the limit.
    pub fn admit(&self, kind: &'static str, subject: &str, per_second: f64) -> Result<(), Refusal> {
        let now = Instant::now();
        let each = Duration::from_secs_f64(1.0 / per_second);
        let quiet = now - each * BURST;
        let mut all = self.0.lock();
        let since = all.entry((kind, subject.to_owned())).or_insert(quiet);
        *since = quiet.max(*since) + each;
        let allowed = *since <= now;
        // What is refused counts as well: who does not wait out the whole second is refused again.
        *since = now.min(*since);
        allowed.then_some(()).ok_or(Refusal::TOO_MANY)
    }
}
