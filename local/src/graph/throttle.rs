//! Graph's limits for Teams (Microsoft Learn, "Microsoft Graph service-specific throttling limits"): one request a second for
//! each chat and each user, with a short burst.

use std::collections::HashMap;
use std::time::Instant;

use super::answers::Refusal;
use crate::shared::locked::Locked;

/// Requests that may come at once after a quiet time.
const BURST: f64 = 3.0;

/// Requests that may pass now, and when that was last counted, for each kind of call and what it concerns.
#[derive(Debug, Default)]
pub struct Throttle(Locked<HashMap<(&'static str, String), (f64, Instant)>>);

impl Throttle {
    /// Refuses a request of this kind above the limit.
    pub fn admit(&self, kind: &'static str, subject: &str, per_second: f64) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut buckets = self.0.lock();
        let (tokens, updated) = buckets
            .entry((kind, subject.to_owned()))
            .or_insert((BURST, now));
        *tokens = (*tokens + now.duration_since(*updated).as_secs_f64() * per_second).min(BURST);
        *updated = now;
        let allowed = *tokens >= 1.0;
        // What is refused counts as well: who does not wait out the whole second is refused again.
        *tokens = (*tokens - 1.0).max(0.0);
        allowed.then_some(()).ok_or(Refusal::TOO_MANY)
    }
}
