//! The parts in which a chat is read whose changes are too many for one reading, oldest first.
//!
//! Graph lists the newest change first, and in no other order. So a part that is too long is divided where the listing stopped: what
//! is older is read next, and what was listed after that, once more. Each is an envelope of its own, behind what waits in the lane by
//! then: each reading gets on, and the parts come in their order.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::pace::limits::GRAPH_MESSAGES;
use crate::state::inbound::MOST_MESSAGES;

/// Messages in one part of Graph's list ("List messages in a chat", `$top`).
pub const LISTED_AT_ONCE: usize = 50;

/// Which changes are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Those after this.
    #[serde(with = "crate::moment")]
    pub after: OffsetDateTime,
    /// Those up to the first of these; then those up to the next one, and at last all behind them. In their order.
    bounds: Vec<Bound>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bound(#[serde(with = "crate::moment")] OffsetDateTime);

/// How many changes one attempt of so much time may list: within half of it at the pace that Graph asks for, and no more than a
/// chat's state remembers.
#[must_use]
pub fn most_changes(attempt: Duration) -> usize {
    let calls = attempt.as_secs_f64() / 2.0 * GRAPH_MESSAGES.per_second;
    let calls = calls.floor().clamp(1.0, MOST_MESSAGES as f64) as usize;
    (calls * LISTED_AT_ONCE).min(MOST_MESSAGES)
}

impl Part {
    /// All changes after this.
    #[must_use]
    pub const fn all(after: OffsetDateTime) -> Self {
        Self {
            after,
            bounds: Vec::new(),
        }
    }

    /// Up to when, that included; none for no bound.
    #[must_use]
    pub fn until(&self) -> Option<OffsetDateTime> {
        self.bounds.first().map(|bound| bound.0)
    }

    /// The older part of this one and what follows it, when the listing, newest first, stopped at a change of this time. None where
    /// all changes up to there are of one time: then there is nothing to divide.
    #[must_use]
    pub fn divided(&self, stopped: OffsetDateTime) -> Option<Self> {
        let is_within = stopped > self.after && self.until().is_none_or(|until| stopped < until);
        is_within.then(|| {
            let mut bounds = vec![Bound(stopped)];
            bounds.extend(self.bounds.iter().cloned());
            Self {
                after: self.after,
                bounds,
            }
        })
    }

    /// What is left when this part was read.
    #[must_use]
    pub fn rest(&self) -> Option<Self> {
        let (read, further) = self.bounds.split_first()?;
        Some(Self {
            after: read.0,
            bounds: further.to_vec(),
        })
    }

    /// A text that no other part has.
    #[must_use]
    pub fn name(&self) -> String {
        let times = std::iter::once(self.after).chain(self.bounds.iter().map(|it| it.0));
        let times = times.map(|time| time.unix_timestamp_nanos().to_string());
        times.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn at(milliseconds: u64) -> OffsetDateTime {
        START + Duration::from_millis(milliseconds)
    }

    #[test]
    fn what_is_listed_fits_into_the_attempt_and_into_the_state() {
        for seconds in 5..=450 {
            let attempt = Duration::from_secs(seconds);
            let most = most_changes(attempt);
            assert!((LISTED_AT_ONCE..=MOST_MESSAGES).contains(&most));
            let calls = most.div_ceil(LISTED_AT_ONCE);
            let takes = GRAPH_MESSAGES.each() * u32::try_from(calls).expect("few");
            assert!(takes <= attempt / 2, "{most} in {seconds} s");
        }
        assert_eq!(most_changes(Duration::from_secs(240)), 2_000);
    }

    #[test]
    fn a_part_as_it_travels() {
        let part = Part::all(START).divided(at(7_000)).expect("two parts");
        let json = serde_json::to_string(&part).expect("JSON");
        assert_eq!(
            json,
            r#"{"after":"1970-01-01T00:00:00Z","bounds":["1970-01-01T00:00:07Z"]}"#
        );
        assert_eq!(serde_json::from_str::<Part>(&json).expect("readable"), part);
        assert_ne!(part.name(), Part::all(START).name());
    }

    proptest! {
        /// Whatever changes there are: each reading gets on, and all are read once, in their order but within a part.
        #[test]
        fn all_is_read_once_and_the_oldest_part_first(mut times in proptest::collection::vec(1u64..200, 0..120), most in 2usize..30) {
            times.sort_unstable();
            let mut read: Vec<u64> = Vec::new();
            let mut next = Some(Part::all(START));
            let mut readings = 0;
            while let Some(part) = next {
                readings += 1;
                prop_assert!(readings <= 2 * times.len() + 2, "it gets on");
                let is_in = |time: &&u64| at(**time) > part.after && part.until().is_none_or(|until| at(**time) <= until);
                let listed: Vec<u64> = times.iter().rev().filter(is_in).copied().collect();
                let stopped = (listed.len() > most).then(|| at(listed[most - 1]));
                next = match stopped.and_then(|stopped| part.divided(stopped)) {
                    Some(divided) => Some(divided),
                    None => {
                        read.extend(listed.iter().rev());
                        part.rest()
                    }
                };
            }
            prop_assert_eq!(read, times);
        }
    }
}
