//! The instances of the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::future::join_all;
use serde_json::{Value, json};

use super::app::{App, Trigger};
use super::envelope;
use super::instance::Instance;
use super::invoke::{Invoker, Outcome};
use super::process::ProcessSettings;
use super::routes::Routes;
use super::surroundings::Surroundings;
use super::worker::Status;
use crate::service_bus::ServiceBus;
use crate::shared::serve::loopback_client;
use crate::watchdog::Watchdog;
use crate::world::World;

/// Silence after which a proxied request fails.
const INACTIVITY: Duration = Duration::from_secs(240);

/// The host with its instances.
#[derive(Debug)]
pub struct Host {
    around: Arc<Surroundings>,
    invoker: Invoker,
    pub(super) routes: Routes,
    instances: Vec<Instance>,
    pub(super) proxy_client: reqwest::Client,
    next: AtomicUsize,
}

impl Host {
    /// Starts the instances and waits until every handler answers.
    ///
    /// # Errors
    /// When the app asks for what the host would refuse, or a handler does not become ready.
    pub async fn start(
        app: App,
        process: ProcessSettings,
        instances: usize,
        world: Arc<World>,
        bus: Arc<ServiceBus>,
        watchdog: Watchdog,
    ) -> anyhow::Result<Arc<Self>> {
        check_queues(&app, &bus)?;
        let routes = Routes::new(&app)?;
        let invoker = Invoker::new(app.host.function_timeout)?;
        let around = Arc::new(Surroundings {
            app,
            process,
            world,
            bus,
            watchdog,
        });
        let instances = (0..instances).map(|number| Instance::start(number, &around, &invoker));
        let host = Arc::new(Self {
            instances: instances.collect(),
            around,
            invoker,
            routes,
            proxy_client: loopback_client().read_timeout(INACTIVITY).build()?,
            next: AtomicUsize::new(0),
        });
        for instance in &host.instances {
            if let Err(reason) = instance.worker().ready().await {
                host.stop().await;
                anyhow::bail!(reason);
            }
        }
        Ok(host)
    }

    /// The instance that the next request or timer goes to; one that has stopped gets none while another lives.
    pub(super) fn pick(&self) -> &Instance {
        let count = self.instances.len();
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..count).map(|step| &self.instances[(start + step) % count]);
        let rank = |instance: &&Instance| match instance.worker().status() {
            Status::Ready(_) => 0,
            Status::Starting => 1,
            Status::Stopped(_) => 2,
        };
        in_turn
            .min_by_key(rank)
            .unwrap_or(&self.instances[start % count])
    }

    /// Kills handlers: the one of this instance, or all. With `whole`, the host instance dies too and leaves its
    /// message locks to run out; a new one takes its place. False when there is no such instance.
    pub async fn kill(&self, instance: Option<usize>, whole: bool) -> bool {
        if instance.is_some_and(|number| number >= self.instances.len()) {
            return false;
        }
        let concerned = self
            .instances
            .iter()
            .enumerate()
            .filter(|(number, _)| instance.is_none_or(|wanted| wanted == *number));
        join_all(concerned.map(|(_, instance)| instance.kill(whole))).await;
        true
    }

    /// Fires a timer function now. None when no timer function has this name.
    pub async fn fire_timer(&self, function: &str) -> Option<Outcome> {
        let mut functions = self.around.app.functions.iter();
        let timer = functions.find(|it| it.name == function)?;
        let Trigger::Timer { binding } = &timer.trigger else {
            return None;
        };
        let envelope = envelope::of_timer(function, binding);
        let worker = self.pick().worker();
        Some(self.invoker.call(&worker, function, &envelope).await)
    }

    /// The instances for `GET /local/instances`.
    #[must_use]
    pub fn view(&self) -> Value {
        let view = |(number, instance): (usize, &Instance)| {
            let (status, target) = match instance.worker().status() {
                Status::Starting => ("starting".to_owned(), None),
                Status::Ready(target) => ("ready".to_owned(), Some(target)),
                Status::Stopped(reason) => (format!("stopped: {reason}"), None),
            };
            json!({
                "instance": number,
                "status": status,
                "pid": target.map(|it| it.pid),
                "port": target.map(|it| it.port),
                "starts": target.map(|it| it.generation),
            })
        };
        let instances: Vec<Value> = self.instances.iter().enumerate().map(view).collect();
        json!({ "instances": instances })
    }

    /// Waits until every instance has given up.
    pub async fn stopped(&self) -> String {
        let reasons = self.instances.iter().map(Instance::stopped);
        join_all(reasons).await.pop().unwrap_or_default()
    }

    /// Kills all handlers and ends all lanes.
    pub async fn stop(&self) {
        join_all(self.instances.iter().map(Instance::stop)).await;
    }
}

fn check_queues(app: &App, bus: &ServiceBus) -> anyhow::Result<()> {
    for function in &app.functions {
        if let Trigger::ServiceBus {
            queue, sessions, ..
        } = &function.trigger
        {
            let name = &function.name;
            let queue = bus
                .queue(queue)
                .with_context(|| format!("{name}: there is no queue {queue}"))?;
            ensure!(
                queue.settings().sessions == *sessions,
                "{name}: isSessionsEnabled differs from the queue's requiresSession"
            );
        }
    }
    Ok(())
}
