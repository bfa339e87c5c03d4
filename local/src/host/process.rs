//! One run of the handler process: started as the host starts it, its output captured.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use uuid::Uuid;

use super::surroundings::Surroundings;
use crate::shared::serve;
use crate::watchdog::Guarded;

/// Variables of our own environment that the handler gets too; the rest would make runs differ between machines (a
/// proxy for outgoing calls, for instance).
const INHERITED: [&str; 5] = ["PATH", "HOME", "TMPDIR", "LANG", "TZ"];

/// Starts a handler for this instance; the process, and the port it was told to listen on.
pub(super) fn start(around: &Arc<Surroundings>, instance: usize) -> anyhow::Result<(Guarded, u16)> {
    // As the host does: find a free port and give it away, hoping that nobody takes it in between.
    let port = serve::port(&serve::bind(0)?)?;
    let worker_id = Uuid::new_v4().to_string();
    let root = &around.app.root;
    let mut command = command(around);
    command
        .args(&around.app.host.arguments)
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .env("FUNCTIONS_HTTPWORKER_PORT", port.to_string())
        .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &worker_id)
        .env("FUNCTIONS_HTTPWORKER_ID", &worker_id)
        .env("FUNCTIONS_APP_ROOT_PATH", root)
        .stderr(Stdio::piped());
    let mut process = Guarded::spawn(command, &around.watchdog)
        .with_context(|| format!("cannot start {}", around.handler.display()))?;
    if let Some(stdout) = process.child.stdout.take() {
        tokio::spawn(capture(stdout, instance, "stdout", Arc::clone(around)));
    }
    if let Some(stderr) = process.child.stderr.take() {
        tokio::spawn(capture(stderr, instance, "stderr", Arc::clone(around)));
    }
    Ok((process, port))
}

/// The handler's program with the app's settings around it.
pub(super) fn command(around: &Surroundings) -> Command {
    let own = INHERITED.map(|name| std::env::var(name).ok().map(|value| (name, value)));
    let mut command = Command::new(&around.handler);
    command
        .current_dir(&around.app.root)
        .env_clear()
        .envs(own.into_iter().flatten())
        .envs(&around.environment);
    command
}

/// Reads lines until the pipe ends; always, or the handler would block.
async fn capture(
    pipe: impl AsyncRead + Unpin,
    instance: usize,
    stream: &'static str,
    around: Arc<Surroundings>,
) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while matches!(pipe.read_until(b'\n', &mut line).await, Ok(1..)) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        around.world.hub.logs.push(instance, stream, text);
        line.clear();
    }
}
