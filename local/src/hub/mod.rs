//! The hub: what happened to each message, what happens now, what shall go wrong, and what was printed.

mod calls;
mod events;
mod faults;
mod journeys;
mod logs;

pub use calls::{Calls, OWN};
pub use events::{Event, Events};
pub use faults::{Call, Drop, FaultPlan, FaultService, Faults, Rule, Rules, Texts};
pub use journeys::{Direction, Journeys};
pub use logs::{LogLine, Logs};

use serde_json::Value;
use time::OffsetDateTime;

/// One per world; every part is safe to use from any task.
#[derive(Debug, Default)]
pub struct Hub {
    /// The ways of all messages.
    pub journeys: Journeys,
    /// The stream of events.
    pub events: Events,
    /// The ordered faults.
    pub faults: Faults,
    /// What the handlers asked of the services.
    pub calls: Calls,
    /// What the handlers printed.
    pub logs: Logs,
}

impl Hub {
    /// Records that a message passed a hop, and tells the listeners.
    ///
    /// `correlation` is the message's GUID, `hop` one of the names on the map of the two ways (`teams`,
    /// `notification`, `inbound-graph`, `queue inbound`, `deliver-to-genesys`, `genesys`, `webhook`, …), `attempt`
    /// counts from 1, and `outcome` is a status code or a word.
    pub fn journey(
        &self,
        correlation: &str,
        direction: Direction,
        hop: &str,
        attempt: u32,
        outcome: &str,
    ) {
        let now = OffsetDateTime::now_utc();
        self.journey_at(now, correlation, direction, hop, attempt, outcome);
    }

    /// The same for a hop that began at this time.
    pub fn journey_at(
        &self,
        at: OffsetDateTime,
        correlation: &str,
        direction: Direction,
        hop: &str,
        attempt: u32,
        outcome: &str,
    ) {
        let view = self
            .journeys
            .record(at, correlation, direction, hop, attempt, outcome);
        self.events.publish("journey", view);
    }

    /// Tells the listeners of `GET /local/events` that something happened.
    pub fn event(&self, kind: &'static str, data: Value) {
        self.events.publish(kind, data);
    }
}
