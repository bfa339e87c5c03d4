//! The hub: what happened to each message, what happens now, what shall go wrong, and what was printed.

mod calls;
mod faults;
mod journeys;
mod logs;

pub use calls::{Calls, OWN};
pub use faults::{Call, Drop, FaultPlan, FaultService, Faults, Rules};
pub use journeys::{Direction, Journeys};
pub use logs::{LogLine, Logs};

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::broadcast;

use self::journeys::Hop;

/// Events a slow listener may fall behind by before it loses some (it is told that it did).
const BACKLOG: usize = 4_096;

/// One per world; every part is safe to use from any task.
#[derive(Debug)]
pub struct Hub {
    /// The ways of all messages.
    pub journeys: Journeys,
    /// The ordered faults.
    pub faults: Faults,
    /// What the handlers asked of the services.
    pub calls: Calls,
    /// What the handlers printed.
    pub logs: Logs,
    events: broadcast::Sender<Value>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            journeys: Journeys::default(),
            faults: Faults::default(),
            calls: Calls::default(),
            logs: Logs::default(),
            events: broadcast::channel(BACKLOG).0,
        }
    }
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
        let hop = Hop {
            at,
            hop: hop.to_owned(),
            attempt,
            outcome: outcome.to_owned(),
        };
        let view = self.journeys.record(correlation, direction, hop);
        self.event("journey", view);
    }

    /// Tells whoever listens to `GET /local/events` now that something happened: `journey`, `queues`, `faults`, `handler`, or
    /// what a simulator calls its own. `data` is what the matching `GET` would show, narrowed to what changed.
    pub fn event(&self, kind: &'static str, data: Value) {
        // An error only says that nobody listens.
        let _ = self.events.send(json!({ "kind": kind, "data": data }));
    }

    /// Every event from now on.
    pub fn events(&self) -> broadcast::Receiver<Value> {
        self.events.subscribe()
    }
}
