//! The handler of one host instance: started, awaited, restarted by the crash policy, killed on request.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::crash_policy::{CrashPolicy, Next};
use super::process::Process;
use super::surroundings::Surroundings;
use crate::shared::serve::loopback_client;

/// The host looks this often whether the handler listens.
const PING_INTERVAL: Duration = Duration::from_millis(25);
/// Calls are held for this many initialization timeouts while the handler is not ready.
const HELD_FOR: u32 = 4;

/// A handler that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// Its process id.
    pub pid: u32,
    /// Counts the starts of this worker.
    pub generation: u64,
}

/// How a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Started, does not answer yet.
    Starting,
    /// Answers.
    Ready(Target),
    /// The host gave up, with this reason.
    Stopped(String),
}

enum Command {
    /// Kill the handler of this generation, or any when none is given, then start it anew. Never counted as an error.
    Kill(Option<u64>, oneshot::Sender<()>),
    /// Kill the handler and end.
    Stop(oneshot::Sender<()>),
}

/// A handle on the supervising task.
#[derive(Debug, Clone)]
pub struct Worker {
    status: watch::Receiver<Status>,
    commands: mpsc::UnboundedSender<Command>,
    held_for: Duration,
}

impl Worker {
    /// Starts the handler of this instance and its supervision.
    #[must_use]
    pub(super) fn start(instance: usize, around: Arc<Surroundings>) -> Self {
        let (status, receiver) = watch::channel(Status::Starting);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let held_for = around.app.host.initialization_timeout * HELD_FOR;
        let supervisor = Supervisor {
            around,
            instance,
            status,
            commands: command_receiver,
            policy: CrashPolicy::default(),
            generation: 0,
        };
        tokio::spawn(supervisor.run());
        Self {
            status: receiver,
            commands,
            held_for,
        }
    }

    /// How the worker is now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The handler, once it is ready; calls are held that long.
    ///
    /// # Errors
    /// The reason when the host has given up or the wait took too long.
    pub async fn ready(&self) -> Result<Target, String> {
        let mut status = self.status.clone();
        let settled = async {
            let settled = status
                .wait_for(|status| !matches!(status, Status::Starting))
                .await;
            match settled.as_deref() {
                Ok(Status::Ready(target)) => Ok(*target),
                Ok(Status::Stopped(reason)) => Err(reason.clone()),
                Ok(Status::Starting) | Err(_) => Err("the host has stopped".to_owned()),
            }
        };
        tokio::time::timeout(self.held_for, settled)
            .await
            .unwrap_or_else(|_| Err("initialization timed out".to_owned()))
    }

    /// Waits until the handler of this generation is gone.
    pub async fn gone(&self, generation: u64) {
        let mut status = self.status.clone();
        // An error means that the supervision ended, and the handler with it.
        let _ = status
            .wait_for(|status| !matches!(status, Status::Ready(it) if it.generation == generation))
            .await;
    }

    /// Kills the handler at once (SIGKILL) and has it started again; not an error for the crash policy. With a
    /// generation, only when that one still runs. Returns when the process is gone.
    pub async fn kill(&self, generation: Option<u64>) {
        let (done, killed) = oneshot::channel();
        if self.commands.send(Command::Kill(generation, done)).is_ok() {
            let _ = killed.await;
        }
    }

    /// Kills the handler for good. Returns when the process is gone.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.commands.send(Command::Stop(done)).is_ok() {
            let _ = stopped.await;
        }
    }
}

struct Supervisor {
    around: Arc<Surroundings>,
    instance: usize,
    status: watch::Sender<Status>,
    commands: mpsc::UnboundedReceiver<Command>,
    policy: CrashPolicy,
    generation: u64,
}

enum Ended {
    Exited(Option<i32>),
    NotReady,
    Killed(oneshot::Sender<()>),
    Stopped(Option<oneshot::Sender<()>>),
}

impl Supervisor {
    fn say(&self, line: String) {
        self.around.world.hub.logs.push(self.instance, "host", line);
    }

    fn set(&self, status: Status) {
        self.status.send_replace(status);
        let told = serde_json::json!({ "instance": self.instance });
        self.around.world.hub.event("handler", told);
    }

    async fn run(mut self) {
        loop {
            self.set(Status::Starting);
            self.generation += 1;
            let Surroundings {
                process,
                world,
                watchdog,
                ..
            } = &*self.around;
            let started = Process::start(process, self.instance, world, watchdog);
            let mut process = match started {
                Ok(process) => process,
                Err(error) => {
                    return self.give_up(format!("failed to start the handler: {error:#}"));
                }
            };
            let ended = self.watch(&mut process).await;
            process.kill().await;
            drop(process);
            let next = match ended {
                Ended::Stopped(done) => {
                    self.set(Status::Stopped("stopped".to_owned()));
                    if let Some(done) = done {
                        let _ = done.send(());
                    }
                    return;
                }
                Ended::Killed(done) => {
                    self.set(Status::Starting);
                    let _ = done.send(());
                    Next::Restart
                }
                Ended::NotReady => {
                    self.say("the handler was not ready in time".to_owned());
                    self.policy.error(Instant::now())
                }
                Ended::Exited(code) => {
                    let words = code.map_or("by a signal".to_owned(), |it| format!("with {it}"));
                    self.say(format!("the handler ended {words}"));
                    self.policy.exited(code, Instant::now())
                }
            };
            match next {
                Next::Restart => {}
                Next::Nothing => {
                    if !self.pretend().await {
                        return;
                    }
                }
                Next::Stop => {
                    return self.give_up("exceeded the handler's restart count".to_owned());
                }
            }
        }
    }

    fn give_up(&self, reason: String) {
        self.say(reason.clone());
        self.set(Status::Stopped(reason));
    }

    /// Stays with the process until it ends or must end.
    async fn watch(&mut self, process: &mut Process) -> Ended {
        let port = process.port;
        let target = Target {
            port,
            pid: process.pid,
            generation: self.generation,
        };
        let ready = wait_until_ready(port, self.around.app.host.initialization_timeout);
        tokio::pin!(ready);
        let mut is_ready = false;
        loop {
            tokio::select! {
                outcome = &mut ready, if !is_ready => {
                    if !outcome {
                        return Ended::NotReady;
                    }
                    is_ready = true;
                    self.set(Status::Ready(target));
                }
                exit = process.child.wait() => {
                    return Ended::Exited(exit.ok().and_then(|status| status.code()));
                }
                command = self.commands.recv() => match command {
                    Some(Command::Kill(wanted, done)) => {
                        if wanted.is_none_or(|wanted| wanted == self.generation) {
                            return Ended::Killed(done);
                        }
                        let _ = done.send(());
                    }
                    Some(Command::Stop(done)) => return Ended::Stopped(Some(done)),
                    None => return Ended::Stopped(None),
                },
            }
        }
    }

    /// After an exit with 0 the host goes on as if the handler were there. False when it must stop.
    async fn pretend(&mut self) -> bool {
        match self.commands.recv().await {
            Some(Command::Kill(_, done)) => {
                let _ = done.send(());
                true
            }
            Some(Command::Stop(done)) => {
                let _ = done.send(());
                false
            }
            None => false,
        }
    }
}

/// Asks `GET /` until anything answers. Only the waits in between count towards the limit.
async fn wait_until_ready(port: u16, limit: Duration) -> bool {
    let Ok(client) = loopback_client().build() else {
        return false;
    };
    let address = format!("http://127.0.0.1:{port}/");
    let mut waited = Duration::ZERO;
    loop {
        match client.get(&address).send().await {
            Err(error) if error.is_connect() => {
                if waited >= limit {
                    return false;
                }
                tokio::time::sleep(PING_INTERVAL).await;
                waited += PING_INTERVAL;
            }
            // Any answer will do, and any error of HTTP itself too.
            _ => return true,
        }
    }
}
