//! One instance of the host: a handler, and the pumps that carry messages from the queues to its functions, many lanes at once
//! and one call at a time in each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::app::{QueueBinding, Trigger};
use super::envelope;
use super::invoke::Outcome;
use super::surroundings::Surroundings;
use super::worker::{Status, Worker};
use crate::service_bus::{HostId, Queue, Receiver, journey};
use crate::shared::locked::Locked;

/// Makes every incarnation of an instance a new owner of locks.
static NEXT_HOST: AtomicU64 = AtomicU64::new(0);

/// A host instance.
#[derive(Debug)]
pub(super) struct Instance {
    number: usize,
    pub(super) worker: Worker,
    life: Locked<Life>,
}

/// What ends when the whole instance dies.
#[derive(Debug, Default)]
struct Life {
    host: HostId,
    pumps: JoinSet<()>,
}

impl Instance {
    /// Starts the handler and the pumps.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(super) fn start(number: usize, around: &Arc<Surroundings>) -> reqwest::Result<Self> {
        let instance = Self {
            number,
            worker: Worker::start(number, Arc::clone(around))?,
            life: Locked::default(),
        };
        instance.come_alive();
        Ok(instance)
    }

    fn come_alive(&self) {
        let around = &self.worker.around;
        let host = HostId(NEXT_HOST.fetch_add(1, Ordering::Relaxed));
        let mut pumps = JoinSet::new();
        for function in &around.app.functions {
            if let Trigger::ServiceBus(binding) = &function.trigger
                && let Some(queue) = around.bus.queue(&binding.queue)
            {
                let pump = Pump {
                    function: function.name.clone(),
                    binding: binding.clone(),
                    queue,
                    worker: self.worker.clone(),
                    host,
                    instance: self.number,
                };
                pumps.spawn(Arc::new(pump).run());
            }
        }
        *self.life.lock() = Life { host, pumps };
    }

    /// Kills the handler, which is started again. With `whole`, the pumps die first and leave their locks behind.
    pub(super) async fn kill(&self, whole: bool) {
        if !whole {
            return self.worker.kill(None, false).await;
        }
        let host = self.life.lock().host;
        self.worker.around.bus.host_died(host);
        tokio::join!(self.end_pumps(), self.worker.kill(None, false));
        self.come_alive();
    }

    async fn end_pumps(&self) {
        let mut pumps = std::mem::take(&mut self.life.lock().pumps);
        pumps.shutdown().await;
    }

    /// Waits until the host has given up on the handler.
    pub(super) async fn stopped(&self) -> String {
        loop {
            match self.worker.ready().await {
                Ok(target) => self.worker.gone(target.generation).await,
                Err(reason) if matches!(self.worker.status(), Status::Stopped(_)) => return reason,
                Err(_) => {}
            }
        }
    }

    pub(super) async fn stop(&self) {
        tokio::join!(self.end_pumps(), self.worker.kill(None, true));
    }
}

/// Everything one function's pump on one instance needs.
#[derive(Debug)]
struct Pump {
    function: String,
    binding: QueueBinding,
    queue: Arc<Queue>,
    worker: Worker,
    host: HostId,
    instance: usize,
}

impl Pump {
    /// Runs until it is dropped, and every lane with it.
    async fn run(self: Arc<Self>) {
        let settings = &self.worker.around.app.host;
        let (slots, idle) = if self.binding.sessions {
            let sessions = settings.max_concurrent_sessions;
            (sessions, settings.session_idle_timeout)
        } else {
            (settings.max_concurrent_calls, Duration::ZERO)
        };
        let slots = Arc::new(Semaphore::new(slots));
        let mut lanes = JoinSet::new();
        // The listener starts when the handler is ready; when the host gives up it stops.
        while self.worker.ready().await.is_ok() {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                break;
            };
            let receiver = self.queue.accept(self.host, settings.lock_renewal).await;
            lanes.spawn(Arc::clone(&self).lane(receiver, idle, slot));
            while lanes.try_join_next().is_some() {}
        }
    }

    /// Serves a lane until it was empty for so long.
    async fn lane(
        self: Arc<Self>,
        receiver: Receiver,
        idle: Duration,
        _slot: OwnedSemaphorePermit,
    ) {
        let Surroundings { world, bus, .. } = &*self.worker.around;
        let (name, logs) = (&self.function, &world.hub.logs);
        while let Some(message) = receiver.receive(idle).await {
            let envelope = envelope::of_message(name, &self.binding, &message);
            let outcome = self.worker.call(name, &envelope).await;
            let words = match &outcome {
                Outcome::Success(status, lines) => {
                    for line in lines {
                        logs.push(self.instance, "function", line.clone());
                    }
                    status.as_str()
                }
                Outcome::Failure(words) => words.as_str(),
            };
            if let Some(correlation) = &message.draft.broker.correlation_id {
                let (queue, attempt) = (&self.binding.queue, message.delivery_count);
                journey::delivered(world, queue, name, correlation, attempt, words);
            }
            let settled = match outcome {
                Outcome::Success(..) => receiver.complete(),
                Outcome::Failure(_) => receiver.abandon(),
            };
            if let Err(lost) = settled {
                logs.push(self.instance, "host", format!("{name}: {lost}"));
            }
            bus.touch();
            if matches!(self.worker.status(), Status::Stopped(_)) {
                return;
            }
        }
        drop(receiver);
        bus.touch();
    }
}
