//! What happens now, as server-sent events.

use serde_json::Value;
use tokio::sync::broadcast;

/// Events a slow listener may fall behind by before it loses some (it is told that it did).
const BACKLOG: usize = 4_096;

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// `journey`, `queues`, `faults`, `handler`, or what a simulator calls its own.
    pub kind: &'static str,
    /// What the matching `GET` would show, narrowed to what changed.
    pub data: Value,
}

/// A channel from whoever does something to whoever watches.
#[derive(Debug)]
pub struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Events {
    /// Tells all who listen now.
    pub fn publish(&self, kind: &'static str, data: Value) {
        // An error only says that nobody listens.
        let _ = self.0.send(Event { kind, data });
    }

    /// Everything published from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
