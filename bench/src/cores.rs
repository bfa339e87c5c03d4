//! Which processor cores a process may use, by `taskset` (util-linux).

use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// Runs the work while these processes keep off the core that a program under test has for itself.
///
/// On a machine with one core all share it.
pub async fn apart<T>(
    core: usize,
    processes: &[u32],
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let cores = thread::available_parallelism()
        .context("the number of cores")?
        .get();
    let others: Vec<String> = (0..cores)
        .filter(|other| *other != core)
        .map(|other| other.to_string())
        .collect();
    if others.is_empty() {
        return work.await;
    }
    allow(processes, &others.join(","))?;
    let outcome = work.await;
    allow(processes, &format!("0-{}", cores - 1))?;
    outcome
}

fn allow(processes: &[u32], cores: &str) -> Result<()> {
    for process in processes {
        let status = Command::new("taskset")
            .args([
                "--all-tasks",
                "--cpu-list",
                "--pid",
                cores,
                &process.to_string(),
            ])
            .stdout(Stdio::null())
            .status()
            .context("cannot start taskset (util-linux)")?;
        if !status.success() {
            bail!("taskset ended with {status}");
        }
    }
    Ok(())
}
