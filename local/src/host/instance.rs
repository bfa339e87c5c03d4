//! One instance of the host: a handler and the pumps that feed it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::app::{App, HostSettings, Trigger};
use super::invoke::Invoker;
use super::process::ProcessSettings;
use super::pump::Pump;
use super::worker::{Status, Worker};
use crate::service_bus::{HostId, ServiceBus};
use crate::watchdog::Watchdog;
use crate::world::World;

/// Makes every incarnation of an instance a new owner of locks.
static NEXT_HOST: AtomicU64 = AtomicU64::new(0);

/// A host instance.
#[derive(Debug)]
pub(super) struct Instance {
    number: usize,
    app: App,
    world: Arc<World>,
    bus: Arc<ServiceBus>,
    invoker: Invoker,
    worker: Worker,
    life: Mutex<Life>,
}

/// What ends when the whole instance dies.
#[derive(Debug)]
struct Life {
    host: HostId,
    pumps: JoinSet<()>,
}

impl Instance {
    pub(super) fn start(
        number: usize,
        app: &App,
        process: Arc<ProcessSettings>,
        world: Arc<World>,
        bus: Arc<ServiceBus>,
        invoker: Invoker,
        watchdog: Watchdog,
    ) -> Self {
        let worker = Worker::start(
            process,
            app.host.initialization_timeout,
            number,
            Arc::clone(&world),
            watchdog,
        );
        let instance = Self {
            number,
            app: app.clone(),
            world,
            bus,
            invoker,
            worker,
            life: Mutex::new(Life {
                host: HostId(0),
                pumps: JoinSet::new(),
            }),
        };
        instance.come_alive();
        instance
    }

    fn come_alive(&self) {
        let host = HostId(NEXT_HOST.fetch_add(1, Ordering::Relaxed));
        let mut pumps = JoinSet::new();
        for function in &self.app.functions {
            let Trigger::ServiceBus {
                queue, sessions, ..
            } = &function.trigger
            else {
                continue;
            };
            let Some(queue) = self.bus.queue(queue) else {
                continue;
            };
            let (slots, idle) = lanes(&self.app.host, *sessions);
            let pump = Pump {
                function: function.clone(),
                queue,
                bus: Arc::clone(&self.bus),
                world: Arc::clone(&self.world),
                worker: self.worker.clone(),
                invoker: self.invoker.clone(),
                host,
                instance: self.number,
                slots,
                idle,
                lock_renewal: self.app.host.lock_renewal,
            };
            pumps.spawn(pump.run());
        }
        *self.life.lock().unwrap_or_else(PoisonError::into_inner) = Life { host, pumps };
    }

    pub(super) fn worker(&self) -> Worker {
        self.worker.clone()
    }

    /// Kills the handler, which is started again. With `whole`, the pumps die first and leave their locks behind.
    pub(super) async fn kill(&self, whole: bool) {
        if !whole {
            return self.worker.kill(None).await;
        }
        let pumps = {
            let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
            self.bus.host_died(life.host);
            std::mem::take(&mut life.pumps)
        };
        tokio::join!(end(pumps), self.worker.kill(None));
        self.come_alive();
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
        let pumps = {
            let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut life.pumps)
        };
        tokio::join!(end(pumps), self.worker.stop());
    }
}

async fn end(mut pumps: JoinSet<()>) {
    pumps.shutdown().await;
}

/// How many lanes at once, and how long an empty one stays ours.
fn lanes(settings: &HostSettings, sessions: bool) -> (usize, Duration) {
    if sessions {
        (
            settings.max_concurrent_sessions,
            settings.session_idle_timeout,
        )
    } else {
        (settings.max_concurrent_calls, Duration::ZERO)
    }
}
