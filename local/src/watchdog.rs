//! Leaves nothing behind, even when this process is killed without warning.
//!
//! The watchdog is this program started a second time, reading a list from its standard input: processes and
//! directories of ours. When that input ends (because we stopped, or died) it kills what is still on the list and
//! removes the directories. Nothing in the handler or in Azurite has to know about it.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

use crate::shared::locked::Locked;

/// The argument that makes `local-platform` the watchdog.
pub const ARGUMENT: &str = "--watchdog";

/// Our end of the watchdog; cloned freely. Without an executable it does nothing.
#[derive(Debug, Clone, Default)]
pub struct Watchdog(Option<Arc<Locked<ChildStdin>>>);

impl Watchdog {
    /// Starts the watchdog from this executable.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(executable: Option<&Path>) -> io::Result<Self> {
        use std::os::unix::process::CommandExt as _;
        let Some(executable) = executable else {
            return Ok(Self(None));
        };
        // A group of its own, so that Ctrl-C in a terminal reaches us and not it.
        let mut child = Command::new(executable)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let input = child.stdin.take().map(Locked::new).map(Arc::new);
        // It outlives us by a moment on purpose; nobody waits for it but the thread that avoids a zombie.
        std::thread::spawn(move || child.wait());
        Ok(Self(input))
    }

    fn tell(&self, line: &str) {
        if let Some(input) = &self.0 {
            // Should it have died, we simply go on without it.
            let _ = writeln!(input.lock(), "{line}");
        }
    }

    /// This directory must not outlive us.
    pub fn guard_directory(&self, directory: &Path) {
        self.tell(&format!("d{}", directory.display()));
    }
}

/// A child process that is killed with all that it started itself when this is dropped, or when we die.
#[derive(Debug)]
pub struct Guarded {
    /// The process; its standard output can be read.
    pub child: Child,
    /// Its id, and that of its group.
    pub group: u32,
    watchdog: Watchdog,
}

impl Guarded {
    /// Starts it, with a standard output to read and no standard input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(
        mut command: tokio::process::Command,
        watchdog: &Watchdog,
    ) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = child.id().context("the process has no id")?;
        watchdog.tell(&format!("+{group}"));
        Ok(Self {
            child,
            group,
            watchdog: watchdog.clone(),
        })
    }

    /// Kills it at once and waits until it is gone.
    pub async fn kill(mut self) {
        kill_group(self.group);
        // An error would mean that it was reaped already.
        let _ = self.child.wait().await;
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        kill_group(self.group);
        self.watchdog.tell(&format!("-{}", self.group));
    }
}

/// Runs as the watchdog until the input ends, then cleans up.
///
/// # Errors
/// When the input cannot be read; the cleaning is done all the same.
pub fn run(input: impl BufRead) -> io::Result<()> {
    let mut groups = BTreeSet::new();
    let mut directories = Vec::new();
    let outcome = input.lines().try_for_each(|line| {
        let line = line?;
        let (sign, rest) = line.split_at(line.len().min(1));
        match (sign, rest.parse::<u32>()) {
            ("+", Ok(group)) => {
                groups.insert(group);
            }
            ("-", Ok(group)) => {
                groups.remove(&group);
            }
            ("d", _) => directories.push(PathBuf::from(rest)),
            _ => {}
        }
        Ok(())
    });
    for group in groups {
        kill_group(group);
    }
    for directory in directories {
        // It may be gone already.
        let _ = std::fs::remove_dir_all(directory);
    }
    outcome
}

/// Kills every process of this group.
fn kill_group(group: u32) {
    if let Some(pid) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        // Only an error when none is left.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};

    use super::*;

    #[test]
    fn what_is_left_on_the_list_is_killed_and_removed() {
        let sleeper = || {
            let mut sleep = Command::new("sleep");
            sleep.arg("600").process_group(0).spawn().expect("sleep")
        };
        let (mut left, mut ended) = (sleeper(), sleeper());
        let directory = tempfile::tempdir().expect("a directory").keep();
        let (first, second) = (left.id(), ended.id());
        let list = format!("+{first}\n+{second}\n-{second}\nd{}\n", directory.display());
        run(list.as_bytes()).expect("readable");
        assert_eq!(left.wait().expect("a child").signal(), Some(9));
        assert!(!directory.exists());
        assert!(ended.try_wait().expect("a child").is_none(), "still alive");
        ended.kill().expect("a child");
        ended.wait().expect("a child");
    }
}
