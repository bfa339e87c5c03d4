//! The namespace with its queues.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::message::{QueueSettings, QueueView};
use super::queue::Queue;
use super::store::HostId;
use crate::world::World;

/// One hour.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// The namespace.
#[derive(Debug)]
pub struct ServiceBus {
    pub(super) world: Arc<World>,
    queues: BTreeMap<String, Arc<Queue>>,
    touched: Notify,
}

impl ServiceBus {
    /// The namespace with its three queues, set up as the infrastructure would, but for the life of a lock.
    pub fn new(world: Arc<World>, lock: Duration) -> Arc<Self> {
        let names = &world.config.queues;
        let with_sessions = |name: &str| QueueSettings {
            name: name.to_owned(),
            sessions: true,
            duplicate_window: Some(6 * HOUR),
            lock,
            max_delivery_count: 10_000,
            time_to_live: 14 * 24 * HOUR,
            dead_letter_on_expiry: true,
        };
        let typing = QueueSettings {
            sessions: false,
            duplicate_window: None,
            time_to_live: Duration::from_secs(5),
            dead_letter_on_expiry: false,
            ..with_sessions(&names.typing)
        };
        let [inbound, outbound] = [&names.inbound, &names.outbound].map(|it| with_sessions(it));
        let queues = [inbound, outbound, typing]
            .map(|settings| (settings.name.clone(), Queue::new(settings)))
            .into();
        Arc::new(Self {
            world,
            queues,
            touched: Notify::new(),
        })
    }

    /// The queue of this name.
    pub fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        self.queues.get(name).cloned()
    }

    /// A host died without a word: its locks hold until they run out.
    pub fn host_died(&self, host: HostId) {
        for queue in self.queues.values() {
            queue.host_died(host);
        }
    }

    /// The queues for `GET /local/queues`.
    pub fn view(&self) -> Vec<QueueView> {
        self.queues.values().map(|queue| queue.view()).collect()
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
