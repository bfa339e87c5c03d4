//! Carries messages from a queue to a queue function: many lanes at once, one call at a time in each.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::app::{Function, Trigger};
use super::envelope;
use super::invoke::{Invoker, Outcome};
use super::worker::Worker;
use crate::service_bus::{HostId, Queue, Receiver, ServiceBus, journey};
use crate::world::World;

/// Everything one function's pump on one instance needs.
#[derive(Debug, Clone)]
pub(super) struct Pump {
    pub(super) function: Function,
    pub(super) queue: Arc<Queue>,
    pub(super) bus: Arc<ServiceBus>,
    pub(super) world: Arc<World>,
    pub(super) worker: Worker,
    pub(super) invoker: Invoker,
    pub(super) host: HostId,
    pub(super) instance: usize,
    /// Lanes at once.
    pub(super) slots: usize,
    /// How long an empty lane stays ours.
    pub(super) idle: Duration,
    /// How long a lane's lock is renewed; none is without end.
    pub(super) lock_renewal: Option<Duration>,
}

impl Pump {
    /// Runs until it is dropped, and every lane with it.
    pub(super) async fn run(self) {
        let slots = Arc::new(Semaphore::new(self.slots));
        let mut lanes = JoinSet::new();
        // The listener starts when the handler is ready; when the host gives up it stops.
        while self.worker.ready().await.is_ok() {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                break;
            };
            let receiver = self.queue.accept(self.host, self.lock_renewal).await;
            lanes.spawn(self.clone().lane(receiver, slot));
            while lanes.try_join_next().is_some() {}
        }
    }

    async fn lane(self, receiver: Receiver, _slot: OwnedSemaphorePermit) {
        let Trigger::ServiceBus {
            binding,
            queue,
            binary,
            ..
        } = &self.function.trigger
        else {
            return;
        };
        let name = &self.function.name;
        while let Some(delivery) = receiver.receive(self.idle).await {
            let envelope = envelope::of_message(name, binding, *binary, &delivery);
            let outcome = self.invoker.call(&self.worker, name, &envelope).await;
            let words = match &outcome {
                Outcome::Success(status, logs) => {
                    for line in logs {
                        let hub = &self.world.hub;
                        hub.logs().push(self.instance, "function", line.clone());
                    }
                    status.as_str()
                }
                Outcome::Failure(words) => words.as_str(),
            };
            if let Some(correlation) = &delivery.message.draft.correlation_id {
                let attempt = delivery.delivery_count;
                journey::delivered(&self.world, queue, name, correlation, attempt, words);
            }
            let settled = match outcome {
                Outcome::Success(..) => receiver.complete(),
                Outcome::Failure(_) => receiver.abandon(),
            };
            if let Err(lost) = settled {
                let logs = self.world.hub.logs();
                logs.push(self.instance, "host", format!("{name}: {lost}"));
            }
            self.bus.touch();
            if matches!(self.worker.status(), super::worker::Status::Stopped(_)) {
                return;
            }
        }
        drop(receiver);
        self.bus.touch();
    }
}
