//! The namespace with its queues.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::message::QueueSettings;
use super::queue::Queue;
use super::store::HostId;
use crate::world::World;

/// One hour.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Checks a bearer token; the error says what is wrong with it.
pub type TokenCheck = dyn Fn(&str) -> Result<(), String> + Send + Sync;

/// The namespace.
pub struct ServiceBus {
    world: Arc<World>,
    queues: BTreeMap<String, Arc<Queue>>,
    check_token: Box<TokenCheck>,
    touched: Notify,
}

impl std::fmt::Debug for ServiceBus {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ServiceBus")
    }
}

impl ServiceBus {
    /// The namespace with its three queues, set up as the infrastructure would.
    pub fn new(world: Arc<World>, lock: Duration, check_token: Box<TokenCheck>) -> Arc<Self> {
        let names = world.config.queues.clone();
        let with_sessions = |name: &str| QueueSettings {
            name: name.to_owned(),
            sessions: true,
            duplicate_window: Some(6 * HOUR),
            lock,
            max_delivery_count: 10_000,
            time_to_live: 14 * 24 * HOUR,
            dead_letter_on_expiry: true,
        };
        let settings = [
            with_sessions(&names.inbound),
            with_sessions(&names.outbound),
            QueueSettings {
                name: names.typing,
                sessions: false,
                duplicate_window: None,
                lock,
                max_delivery_count: 10_000,
                time_to_live: Duration::from_secs(5),
                dead_letter_on_expiry: false,
            },
        ];
        let queues = settings
            .into_iter()
            .map(|settings| (settings.name.clone(), Queue::new(settings)))
            .collect();
        Arc::new(Self {
            world,
            queues,
            check_token,
            touched: Notify::new(),
        })
    }

    /// The queue of this name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        self.queues.get(name).cloned()
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn check_token(&self, token: &str) -> Result<(), String> {
        (self.check_token)(token)
    }

    /// A host died without a word: its locks hold until they run out.
    pub fn host_died(&self, host: HostId) {
        for queue in self.queues.values() {
            queue.host_died(host);
        }
    }

    /// The queues for `GET /local/queues`.
    #[must_use]
    pub fn view(&self) -> Vec<Value> {
        let view = |(name, queue): (&String, &Arc<Queue>)| {
            let counts = queue.counts();
            json!({
                "name": name,
                "active": counts.active,
                "scheduled": counts.scheduled,
                "dead_letters": counts.dead_letters,
                "sessions": counts.sessions,
                "lanes": counts.lanes,
            })
        };
        self.queues.iter().map(view).collect()
    }

    /// Says that a queue changed.
    pub(crate) fn touch(&self) {
        self.touched.notify_one();
    }

    /// Waits until a queue changed.
    pub async fn touched(&self) {
        self.touched.notified().await;
    }
}
