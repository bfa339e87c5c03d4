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

#[derive(Debug, Serialize)]
struct Hop {
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    hop: String,
    attempt: u32,
    outcome: String,
}

#[derive(Debug, Serialize)]
struct Journey {
    correlation: String,
    direction: Direction,
    hops: VecDeque<Hop>,
}

#[derive(Debug, Default)]
struct Kept {
    by_correlation: HashMap<String, Journey>,
    order: VecDeque<String>,
}

impl Kept {
    fn in_order(&self) -> impl Iterator<Item = &Journey> {
        let of = |correlation| self.by_correlation.get(correlation);
        self.order.iter().filter_map(of)
    }
}

/// All journeys, oldest first.
#[derive(Debug, Default)]
pub struct Journeys(Locked<Kept>);

impl Journeys {
    /// Adds a hop and returns the journey narrowed to it.
    pub fn record(
        &self,
        at: OffsetDateTime,
        correlation: &str,
        direction: Direction,
        hop: &str,
        attempt: u32,
        outcome: &str,
    ) -> Value {
        let hop = Hop {
            at,
            hop: hop.to_owned(),
            attempt,
            outcome: outcome.to_owned(),
        };
        let view = json!({ "correlation": correlation, "direction": direction, "hops": [&hop] });
        let mut kept = self.0.lock();
        let Kept {
            by_correlation,
            order,
        } = &mut *kept;
        let journey = by_correlation
            .entry(correlation.to_owned())
            .or_insert_with(|| {
                order.push_back(correlation.to_owned());
                Journey {
                    correlation: correlation.to_owned(),
                    direction,
                    hops: VecDeque::new(),
                }
            });
        if journey.hops.len() == HOPS {
            journey.hops.pop_front();
        }
        journey.hops.push_back(hop);
        if order.len() > JOURNEYS
            && let Some(oldest) = order.pop_front()
        {
            by_correlation.remove(&oldest);
        }
        view
    }

    /// Which way the journey goes, when there is one.
    pub fn direction_of(&self, correlation: &str) -> Option<Direction> {
        let kept = self.0.lock();
        kept.by_correlation
            .get(correlation)
            .map(|journey| journey.direction)
    }

    /// One more than the times this hop was recorded.
    pub fn next_attempt(&self, correlation: &str, hop: &str) -> u32 {
        let kept = self.0.lock();
        let earlier = kept.by_correlation.get(correlation).map_or(0, |journey| {
            journey.hops.iter().filter(|it| it.hop == hop).count()
        });
        u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1)
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
            let mut first = Map::new();
            for hop in &journey.hops {
                let microseconds = (hop.at.unix_timestamp_nanos() / 1_000) as f64;
                first
                    .entry(hop.hop.clone())
                    .or_insert_with(|| json!(microseconds / 1_000.0));
            }
            json!({
                "correlation": journey.correlation,
                "direction": journey.direction,
                "first": first,
            })
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
        let at = OffsetDateTime::from_unix_timestamp(at).expect("a time");
        journeys.record(at, correlation, Direction::Inbound, hop, attempt, "503");
    }

    #[test]
    fn hops_gather_under_their_correlation() {
        let journeys = Journeys::default();
        record(&journeys, "a", "teams", 1, 1_000);
        record(&journeys, "b", "teams", 1, 1_001);
        record(&journeys, "a", "notification", 1, 1_002);
        record(&journeys, "a", "notification", 2, 1_003);
        let view = journeys.view();
        assert_eq!(view.len(), 2);
        assert_eq!(view[0]["correlation"], "a");
        assert_eq!(view[0]["direction"], "inbound");
        assert_eq!(view[0]["hops"][2]["hop"], "notification");
        assert_eq!(view[0]["hops"][2]["attempt"], 2);
        assert_eq!(
            journeys.times()[0],
            json!({ "correlation": "a", "direction": "inbound",
                "first": { "teams": 1_000_000.0, "notification": 1_002_000.0 } })
        );
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
