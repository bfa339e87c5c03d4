//! One run of the handler process: started as the host starts it, its output captured.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::shared::serve;
use crate::watchdog::{Watchdog, kill_group};
use crate::world::World;

/// Variables of our own environment that the handler gets too; the rest would make runs differ between machines (a
/// proxy for outgoing calls, for instance).
const INHERITED: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LANG", "TZ"];

/// How to start the handler.
#[derive(Debug, Clone)]
pub struct ProcessSettings {
    /// The executable.
    pub executable: PathBuf,
    /// `customHandler.description.arguments`.
    pub arguments: Vec<String>,
    /// Directory of host.json.
    pub app_root: PathBuf,
    /// App settings and the variables the platform adds.
    pub environment: BTreeMap<String, String>,
}

/// A running handler.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) child: Child,
    /// The port it was told to listen on.
    pub(super) port: u16,
    pub(super) pid: u32,
    watchdog: Watchdog,
}

impl Process {
    pub(super) fn start(
        settings: &ProcessSettings,
        instance: usize,
        world: &Arc<World>,
        watchdog: &Watchdog,
    ) -> anyhow::Result<Self> {
        // As the host does: find a free port and give it away, hoping that nobody takes it in between.
        let port = serve::port(&serve::bind(0)?)?;
        let worker_id = Uuid::new_v4().to_string();
        let own = INHERITED.map(|name| std::env::var(name).ok().map(|value| (name, value)));
        let mut child = Command::new(&settings.executable)
            .args(&settings.arguments)
            .current_dir(&settings.app_root)
            .env_clear()
            .envs(own.into_iter().flatten())
            .envs(&settings.environment)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("FUNCTIONS_HTTPWORKER_PORT", port.to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &worker_id)
            .env("FUNCTIONS_HTTPWORKER_ID", &worker_id)
            .env("FUNCTIONS_APP_ROOT_PATH", &settings.app_root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", settings.executable.display()))?;
        let pid = child.id().context("the handler has no process id")?;
        watchdog.guard(pid);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(capture(stdout, instance, "stdout", Arc::clone(world)));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(capture(stderr, instance, "stderr", Arc::clone(world)));
        }
        Ok(Self {
            child,
            port,
            pid,
            watchdog: watchdog.clone(),
        })
    }

    /// Kills it at once, as the host does, and waits until it is gone.
    pub(super) async fn kill(&mut self) {
        kill_group(self.pid);
        // An error would mean that it was reaped already.
        let _ = self.child.wait().await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Whatever the process started itself goes with it.
        kill_group(self.pid);
        self.watchdog.release(self.pid);
    }
}

/// Reads lines until the pipe ends; always, or the handler would block.
async fn capture(
    pipe: impl AsyncRead + Unpin,
    instance: usize,
    stream: &'static str,
    world: Arc<World>,
) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Ok(read) = pipe.read_until(b'\n', &mut line).await {
        if read == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        world.hub.logs.push(instance, stream, text);
        line.clear();
    }
}
