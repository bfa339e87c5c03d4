//! What the handler processes printed, for tests and for the console.

use std::collections::VecDeque;

use serde::Serialize;
use tokio::sync::watch;

use crate::shared::locked::Locked;

/// Lines kept; the oldest goes first.
const LINES: usize = 20_000;

/// One line of a handler's standard output or standard error.
#[derive(Debug, Clone, Serialize)]
pub struct LogLine {
    /// The host instance whose handler printed it, from 0.
    pub instance: usize,
    /// `stdout`, `stderr`, or `host` for what the stand-in itself has to say.
    pub stream: &'static str,
    /// The line without its end.
    pub line: String,
}

/// A bounded ring of lines.
#[derive(Debug, Default)]
pub struct Logs {
    lines: Locked<VecDeque<LogLine>>,
    changed: watch::Sender<()>,
}

impl Logs {
    /// Keeps a line; what the stand-in itself has to say is told on our own standard error, too.
    pub fn push(&self, instance: usize, stream: &'static str, line: String) {
        if stream == "host" {
            tracing::info!(instance, "{line}");
        }
        let mut lines = self.lines.lock();
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(LogLine {
            instance,
            stream,
            line,
        });
        drop(lines);
        self.changed.send_replace(());
    }

    /// Changes with every further line.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// All kept lines, oldest first.
    pub fn lines(&self) -> Vec<LogLine> {
        let lines = self.lines.lock();
        lines.iter().cloned().collect()
    }
}
