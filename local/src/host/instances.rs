//! The instances of the host.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::app::{App, Trigger};
use super::instance::Instance;
use super::invoke::Outcome;
use super::process;
use super::routes::Routes;
use super::surroundings::Surroundings;
use super::timers::{self, Timer};
use super::worker::Status;
use crate::service_bus::ServiceBus;
use crate::shared::locked::Locked;
use crate::shared::serve::loopback_client;
use crate::shared::time_text;

/// Silence after which a proxied request fails.
const INACTIVITY: Duration = Duration::from_secs(240);

/// Longest time of an operator's command.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// The host with its instances.
#[derive(Debug)]
pub struct Host {
    pub(super) routes: Routes,
    instances: Vec<Instance>,
    pub(super) proxy_client: reqwest::Client,
    next: AtomicUsize,
    timers: BTreeMap<String, Timer>,
    clocks: Locked<JoinSet<()>>,
    /// Told when the operator's commands are killed.
    killed: Notify,
    around: Arc<Surroundings>,
}

impl Host {
    /// Starts so many instances and waits until every handler answers. None are for functions that another host runs.
    ///
    /// # Errors
    /// When the app asks for what the host would refuse, or a handler does not become ready.
    pub async fn start(around: Surroundings, instances: usize) -> anyhow::Result<Arc<Self>> {
        check_queues(&around.app, &around.bus)?;
        let around = Arc::new(around);
        let instances = (0..instances).map(|number| Instance::start(number, &around));
        let host = Arc::new(Self {
            routes: Routes::new(&around.app)?,
            instances: instances.collect::<reqwest::Result<_>>()?,
            proxy_client: loopback_client().read_timeout(INACTIVITY).build()?,
            next: AtomicUsize::new(0),
            killed: Notify::new(),
            timers: timers::of(&around.app),
            clocks: Locked::default(),
            around,
        });
        for instance in &host.instances {
            if let Err(reason) = instance.worker.ready().await {
                host.stop().await;
                anyhow::bail!(reason);
            }
        }
        for name in host.timers.keys() {
            let clock = Self::keep_time(Arc::downgrade(&host), name.clone());
            host.clocks.lock().spawn(clock);
        }
        Ok(host)
    }

    /// Fires a timer function whenever its schedule says so, on one instance and one at a time. What the schedule says while a
    /// call is under way is made up for by one call, at once after it: the next time is counted from the last call's begin
    /// (`TimerListener`, `InvokeJobFunction` and `StartTimer`). The host does not call that past due, which it says of its own
    /// absence only.
    async fn keep_time(host: Weak<Self>, name: String) {
        let clock = host.upgrade().map(|host| host.around.world.clock);
        let Some(clock) = clock else { return };
        let mut last = clock.now();
        loop {
            let next = host
                .upgrade()
                .and_then(|host| host.timers.get(&name)?.next(last));
            let Some(next) = next else { return };
            tokio::time::sleep(clock.wait_until(next)).await;
            let Some(host) = host.upgrade() else { return };
            last = clock.now();
            host.fire_timer(&name).await;
        }
    }

    /// The instance that the next request or timer goes to; one that has stopped gets none while another lives. None where another
    /// host runs the functions.
    pub(super) fn pick(&self) -> Option<&Instance> {
        let count = self.instances.len();
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..count).map(|step| &self.instances[(start + step) % count]);
        let rank = |instance: &&Instance| match instance.worker.status() {
            Status::Ready(_) => 0,
            Status::Starting => 1,
            Status::Stopped(_) => 2,
        };
        in_turn.min_by_key(rank)
    }

    /// The app's settings and what the platform adds to them.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.around.environment
    }

    /// Kills handlers: the one of this instance, or all. With `whole`, the host instance dies too and leaves its
    /// message locks to run out; a new one takes its place. False when there is no such instance.
    pub async fn kill(&self, instance: Option<usize>, whole: bool) -> bool {
        let all = self.instances.iter().enumerate();
        let concerned = all.filter(|(number, _)| instance.is_none_or(|wanted| wanted == *number));
        let killed = join_all(concerned.map(|(_, instance)| instance.kill(whole))).await;
        !killed.is_empty()
    }

    /// Fires a timer function now. None when no timer function here has this name.
    pub async fn fire_timer(&self, function: &str) -> Option<Outcome> {
        let timer = self.timers.get(function)?;
        let clock = &self.around.world.clock;
        Some(timer.fire(&self.pick()?.worker, clock).await)
    }

    /// The timer functions and their time for `GET /local/timers`.
    pub fn timers_view(&self) -> Value {
        let clock = &self.around.world.clock;
        let timers: Vec<Value> = self.timers.values().map(Timer::view).collect();
        json!({ "now": time_text(clock.now()), "speed": clock.speed(), "timers": timers })
    }

    /// Runs one of the handler's commands for operators as it would run inside of the app: how it ended and what it printed.
    ///
    /// # Errors
    /// When it cannot be started, or does not end.
    pub async fn run(
        &self,
        arguments: &[String],
        environment: &BTreeMap<String, String>,
    ) -> anyhow::Result<Value> {
        let mut command = process::command(&self.around);
        command
            .args(arguments)
            .envs(environment)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::select! {
            output = timeout(COMMAND_LIMIT, command.output()) => output,
            // What is dropped is killed.
            () = self.killed.notified() => return Ok(json!({ "code": null })),
        };
        let output = output.context("the command does not end")??;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(json!({
            "code": output.status.code(),
            "stdout": text(&output.stdout),
            "stderr": text(&output.stderr),
        }))
    }

    /// Kills the commands that run now.
    pub fn kill_commands(&self) {
        self.killed.notify_waiters();
    }

    /// The instances for `GET /local/instances`.
    pub fn view(&self) -> Value {
        let view = |(number, instance): (usize, &Instance)| {
            let (status, target) = match instance.worker.status() {
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

    /// Waits until every instance has given up; without any, for ever.
    pub async fn stopped(&self) -> String {
        if self.instances.is_empty() {
            return std::future::pending().await;
        }
        let reasons = self.instances.iter().map(Instance::stopped);
        join_all(reasons).await.pop().unwrap_or_default()
    }

    /// Kills all handlers and ends all lanes.
    pub async fn stop(&self) {
        self.clocks.lock().abort_all();
        join_all(self.instances.iter().map(Instance::stop)).await;
    }
}

fn check_queues(app: &App, bus: &ServiceBus) -> anyhow::Result<()> {
    for function in &app.functions {
        if let Trigger::ServiceBus(binding) = &function.trigger {
            let name = &function.name;
            let queue = bus.queue(&binding.queue);
            let queue =
                queue.with_context(|| format!("{name}: there is no queue {}", binding.queue))?;
            ensure!(
                queue.sessions == binding.sessions,
                "{name}: isSessionsEnabled differs from the queue's requiresSession"
            );
        }
    }
    Ok(())
}
