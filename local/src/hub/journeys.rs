//! The way of each message, hop by hop.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::shared::locked::Locked;

/// Journeys kept; the oldest goes first.
const JOURNEYS: usize = 20_000;
/// Journeys shown hop by hop, the newest ones.
const SHOWN: usize = 2_000;
/// Hops kept of one journey, so that a message that is retried for hours stays bounded.
const HOPS: usize = 500;

/// Which way a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Customer to agent.
    Inbound,
    /// Agent to customer.
    Outbound,
}

/// A place that a message passed.
#[derive(Debug, Serialize)]
pub(super) struct Hop {
    #[serde(with = "time::serde::rfc3339")]
    pub(super) at: OffsetDateTime,
    pub(super) hop: String,
    pub(super) attempt: u32,
    pub(super) outcome: String,
}

#[derive(Debug, Serialize)]
struct Journey {
    correlation: String,
    direction: Direction,
    hops: VecDeque<Hop>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By their correlation.
    journeys: HashMap<String, Journey>,
    /// The correlations, oldest first.
    order: VecDeque<String>,
}

impl Kept {
    fn in_order(&self) -> impl Iterator<Item = &Journey> {
        let order = self.order.iter();
        order.filter_map(|correlation| self.journeys.get(correlation))
    }
}

/// All journeys, oldest first.
#[derive(Debug, Default)]
pub struct Journeys(Locked<Kept>);

impl Journeys {
    /// Adds a hop and returns the journey narrowed to it.
    pub(super) fn record(&self, correlation: &str, direction: Direction, hop: Hop) -> Value {
        let view = json!({ "correlation": correlation, "direction": direction, "hops": [&hop] });
        let mut kept = self.0.lock();
        let Kept { journeys, order } = &mut *kept;
        let new = || {
            order.push_back(correlation.to_owned());
            Journey {
                correlation: correlation.to_owned(),
                direction,
                hops: VecDeque::new(),
            }
        };
        let journey = journeys.entry(correlation.to_owned()).or_insert_with(new);
        if journey.hops.len() == HOPS {
            journey.hops.pop_front();
        }
        journey.hops.push_back(hop);
        if order.len() > JOURNEYS
            && let Some(oldest) = order.pop_front()
        {
            journeys.remove(&oldest);
        }
        view
    }

    /// Which way the journey goes, when there is one.
    pub fn direction_of(&self, correlation: &str) -> Option<Direction> {
        let kept = self.0.lock();
        kept.journeys.get(correlation).map(|it| it.direction)
    }

    /// One more than the times this hop was recorded.
    pub fn next_attempt(&self, correlation: &str, hop: &str) -> u32 {
        let kept = self.0.lock();
        let hops = kept.journeys.get(correlation).map(|it| it.hops.iter());
        let earlier = hops.into_iter().flatten().filter(|it| it.hop == hop);
        earlier.fold(1, |attempt, _| attempt + 1)
    }

    /// The newest journeys in the order of their first hop.
    pub fn view(&self) -> Vec<Value> {
        let kept = self.0.lock();
        let older = kept.order.len().saturating_sub(SHOWN);
        kept.in_order().skip(older).map(|it| json!(it)).collect()
    }

    /// When each journey first passed each hop, in milliseconds since 1970 with a fraction.
    pub fn times(&self) -> Vec<Value> {
        let kept = self.0.lock();
        let times = |journey: &Journey| {
            // The first of each is the last that is put in.
            let hops = journey.hops.iter().rev();
            let first: Map<String, Value> = hops
                .map(|hop| {
                    let microseconds = (hop.at.unix_timestamp_nanos() / 1_000) as f64;
                    (hop.hop.clone(), json!(microseconds / 1_000.0))
                })
                .collect();
            let (correlation, direction) = (&journey.correlation, journey.direction);
            json!({ "correlation": correlation, "direction": direction, "first": first })
        };
        kept.in_order().map(times).collect()
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.0.lock() = Kept::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(journeys: &Journeys, correlation: &str, hop: &str, attempt: u32, at: i64) {
        let hop = Hop {
            at: OffsetDateTime::from_unix_timestamp(at).expect("a time"),
            hop: hop.to_owned(),
            attempt,
            outcome: "503".to_owned(),
        };
        journeys.record(correlation, Direction::Inbound, hop);
    }

    #[test]
    fn hops_gather_under_their_correlation() {
        let journeys = Journeys::default();
        record(&journeys, "a", "teams", 1, 1_000);
        record(&journeys, "b", "teams", 1, 1_001);
        record(&journeys, "a", "notification", 1, 1_002);
        assert_eq!(journeys.next_attempt("a", "notification"), 2);
        record(&journeys, "a", "notification", 2, 1_003);
        let view = journeys.view();
        assert_eq!(view.len(), 2);
        assert_eq!(view[0]["correlation"], "a");
        assert_eq!(view[0]["direction"], "inbound");
        assert_eq!(view[0]["hops"][2]["hop"], "notification");
        assert_eq!(view[0]["hops"][2]["attempt"], 2);
        let first = json!({ "teams": 1_000_000.0, "notification": 1_002_000.0 });
        let times = json!({ "correlation": "a", "direction": "inbound", "first": first });
        assert_eq!(journeys.times()[0], times);
    }

    #[test]
    fn memory_stays_bounded() {
        let journeys = Journeys::default();
        for number in 0..JOURNEYS + 5 {
            record(&journeys, &number.to_string(), "teams", 1, 0);
        }
        for _ in 0..HOPS + 5 {
            record(&journeys, "again", "teams", 1, 0);
        }
        assert_eq!(journeys.times().len(), JOURNEYS);
        let view = journeys.view();
        assert_eq!(view.len(), SHOWN);
        assert_eq!(view[SHOWN - 1]["hops"].as_array().map(Vec::len), Some(HOPS));
        journeys.clear();
        assert!(journeys.view().is_empty());
    }
}
