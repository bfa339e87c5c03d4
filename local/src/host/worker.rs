//! The handler of one host instance: started, awaited, restarted by the crash policy, killed on request.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::crash_policy::{CrashPolicy, Next};
use super::process;
use super::surroundings::Surroundings;
use crate::shared::serve::loopback_client;
use crate::watchdog::Guarded;

/// The host looks this often whether the handler listens.
const PING_INTERVAL: Duration = Duration::from_millis(25);
/// Calls are held for this many initialization timeouts while the handler is not ready.
const HELD_FOR: u32 = 4;

/// A handler that listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// Where it listens on 127.0.0.1.
    pub(super) port: u16,
    pub(super) pid: u32,
    /// Counts the starts of this worker.
    pub(super) generation: u64,
}

/// How a worker is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    /// Started, does not answer yet.
    Starting,
    /// Answers.
    Ready(Target),
    /// The host gave up, with this reason.
    Stopped(String),
}

/// Kills the handler at once (SIGKILL), which is never counted as an error.
struct Kill {
    /// Only when this generation still runs.
    generation: Option<u64>,
    /// It is not started again.
    for_good: bool,
    /// Told when the process is gone.
    done: oneshot::Sender<()>,
}

/// A handle on the supervising task.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) around: Arc<Surroundings>,
    pub(super) client: reqwest::Client,
    status: watch::Receiver<Status>,
    kills: mpsc::UnboundedSender<Kill>,
}

impl Worker {
    /// Starts the handler of this instance and its supervision.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(super) fn start(instance: usize, around: Arc<Surroundings>) -> reqwest::Result<Self> {
        let (status, receiver) = watch::channel(Status::Starting);
        let (kills, kill_receiver) = mpsc::unbounded_channel();
        let client = loopback_client().build()?;
        let supervisor = Supervisor {
            around: Arc::clone(&around),
            client: client.clone(),
            instance,
            status,
            kills: kill_receiver,
            policy: CrashPolicy::default(),
            generation: 0,
        };
        tokio::spawn(supervisor.run());
        Ok(Self {
            around,
            client,
            status: receiver,
            kills,
        })
    }

    /// How the worker is now.
    pub(super) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The handler, once it is ready; calls are held that long.
    ///
    /// # Errors
    /// The reason when the host has given up or the wait took too long.
    pub(super) async fn ready(&self) -> Result<Target, String> {
        let mut status = self.status.clone();
        let settled = status.wait_for(|status| *status != Status::Starting);
        let held_for = self.around.app.host.initialization_timeout * HELD_FOR;
        match tokio::time::timeout(held_for, settled).await {
            Ok(Ok(status)) => match &*status {
                Status::Ready(target) => Ok(*target),
                Status::Stopped(reason) => Err(reason.clone()),
                Status::Starting => Err("the handler is not ready".to_owned()),
            },
            Ok(Err(_)) => Err("the host has stopped".to_owned()),
            Err(_) => Err("initialization timed out".to_owned()),
        }
    }

    /// Waits until the handler of this generation is gone.
    pub(super) async fn gone(&self, generation: u64) {
        let mut status = self.status.clone();
        // An error means that the supervision ended, and the handler with it.
        let _ = status
            .wait_for(|status| !matches!(status, Status::Ready(it) if it.generation == generation))
            .await;
    }

    /// Kills the handler and has it started again, or not. With a generation, only when that one still runs. Returns when
    /// the process is gone.
    pub(super) async fn kill(&self, generation: Option<u64>, for_good: bool) {
        let (done, killed) = oneshot::channel();
        let kill = Kill {
            generation,
            for_good,
            done,
        };
        if self.kills.send(kill).is_ok() {
            let _ = killed.await;
        }
    }
}

struct Supervisor {
    around: Arc<Surroundings>,
    client: reqwest::Client,
    instance: usize,
    status: watch::Sender<Status>,
    kills: mpsc::UnboundedReceiver<Kill>,
    policy: CrashPolicy,
    generation: u64,
}

impl Supervisor {
    fn say(&self, line: String) {
        self.around.world.hub.logs.push(self.instance, "host", line);
    }

    fn set(&self, status: Status) {
        self.status.send_replace(status);
        let told = json!({ "instance": self.instance });
        self.around.world.hub.event("handler", told);
    }

    async fn run(mut self) {
        loop {
            self.set(Status::Starting);
            self.generation += 1;
            let (mut process, port) = match process::start(&self.around, self.instance) {
                Ok(started) => started,
                Err(error) => {
                    return self.give_up(format!("failed to start the handler: {error:#}"));
                }
            };
            let ended = self.watch(&mut process, port).await;
            process.kill().await;
            let kill = match ended {
                Ok(kill) => kill,
                Err(Next::Restart) => continue,
                Err(Next::Stop) => {
                    return self.give_up("exceeded the handler's restart count".to_owned());
                }
                // The host goes on as if the handler were there.
                Err(Next::Nothing) => self.kills.recv().await,
            };
            let for_good = kill.as_ref().is_none_or(|kill| kill.for_good);
            self.set(if for_good {
                Status::Stopped("stopped".to_owned())
            } else {
                Status::Starting
            });
            if let Some(kill) = kill {
                let _ = kill.done.send(());
            }
            if for_good {
                return;
            }
        }
    }

    fn give_up(&self, reason: String) {
        self.say(reason.clone());
        self.set(Status::Stopped(reason));
    }

    /// Stays with the process until it must be killed (by nobody's order when nobody holds the worker any more), or until it
    /// ended by itself and the crash policy says what comes next.
    async fn watch(&mut self, process: &mut Guarded, port: u16) -> Result<Option<Kill>, Next> {
        let target = Target {
            port,
            pid: process.group,
            generation: self.generation,
        };
        let limit = self.around.app.host.initialization_timeout;
        let ready = wait_until_ready(self.client.clone(), port, limit);
        tokio::pin!(ready);
        let mut is_ready = false;
        loop {
            tokio::select! {
                outcome = &mut ready, if !is_ready => {
                    if !outcome {
                        self.say("the handler was not ready in time".to_owned());
                        return Err(self.policy.error(Instant::now()));
                    }
                    is_ready = true;
                    self.set(Status::Ready(target));
                }
                exit = process.child.wait() => {
                    let code = exit.ok().and_then(|status| status.code());
                    let words = code.map_or("by a signal".to_owned(), |it| format!("with {it}"));
                    self.say(format!("the handler ended {words}"));
                    return Err(self.policy.exited(code, Instant::now()));
                }
                kill = self.kills.recv() => match kill {
                    Some(kill) if kill.generation.is_some_and(|it| it != self.generation) => {
                        let _ = kill.done.send(());
                    }
                    kill => return Ok(kill),
                },
            }
        }
    }
}

/// Asks `GET /` until anything answers. Only the waits in between count towards the limit.
async fn wait_until_ready(client: reqwest::Client, port: u16, limit: Duration) -> bool {
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
