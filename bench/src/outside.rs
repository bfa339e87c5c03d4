//! The process that stands for Service Bus, Key Vault, Entra ID's token endpoint and the managed-identity endpoint.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

/// A running `outside-services`, stopped when dropped.
pub struct Outside {
    child: Child,
    /// `127.0.0.1:{port}` of the TLS services.
    pub authority: String,
    /// The managed-identity endpoint.
    pub identity: String,
    /// File with the certificate authority's certificate.
    pub roots: PathBuf,
}

impl Outside {
    /// Starts the process and reads from its first line where it listens.
    pub fn start() -> Result<Self> {
        let mut child = Command::new(super::neighbour("outside-services")?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start outside-services")?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let place: Value = serde_json::from_str(&line).context("outside-services did not start")?;
        let text = |key: &str| place[key].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            child,
            authority: text("authority"),
            identity: text("identity"),
            roots: PathBuf::from(text("roots")),
        })
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // It ends when its standard input closes, and then removes its file.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
