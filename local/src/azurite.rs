//! Azurite, Microsoft's own emulator of Blob Storage, as a child process.
//!
//! Source: Azure/Azurite, README.md (options, OAuth needs HTTPS, the development account).

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::shared::tls::CertificateAuthority;
use crate::watchdog::{Watchdog, kill_group};
use crate::work_directory::WorkDirectory;
use crate::world::World;

/// Its entry below the directory in which it was installed.
const ENTRY: &str = "node_modules/azurite/dist/src/blob/main.js";
/// What spares it the loading of packages that it does not need.
const UNUSED: &str = include_str!("azurite_unused.cjs");
/// The account that always exists.
const ACCOUNT: &str = "devstoreaccount1";
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// An Azurite process.
#[derive(Debug)]
pub struct Azurite {
    child: Child,
    group: u32,
    watchdog: Watchdog,
    output: Option<Lines<BufReader<ChildStdout>>>,
}

impl Azurite {
    /// Starts it on a free port, keeping everything in memory. It loads for a while before it listens.
    ///
    /// # Errors
    /// When Node or Azurite is missing.
    pub fn start(
        directory: &Path,
        authority: &CertificateAuthority,
        files: &WorkDirectory,
        watchdog: &Watchdog,
    ) -> anyhow::Result<Self> {
        // It is started in a folder of its own, so a relative path would name another place there.
        let directory = std::path::absolute(directory)?;
        let entry = directory.join(ENTRY);
        ensure!(
            entry.is_file(),
            "Azurite is not installed: {} is missing (npm install azurite@3.37.0 there)",
            entry.display()
        );
        let certificate = authority.issue()?;
        let certificate_file = files.write("azurite.pem", &certificate.certificate_pem)?;
        let key_file = files.write("azurite.key", &certificate.key_pem)?;
        let mut child = Command::new("node")
            .arg("--require")
            .arg(files.write("azurite_unused.cjs", UNUSED)?)
            .arg(&entry)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--disableTelemetry"])
            .args(["--skipApiVersionCheck", "--oauth", "basic"])
            .arg("--cert")
            .arg(certificate_file)
            .arg("--key")
            .arg(key_file)
            .current_dir(files.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("cannot start node")?;
        let group = child.id().context("Azurite has no process id")?;
        watchdog.guard(group);
        let output = child.stdout.take().context("Azurite has no output")?;
        Ok(Self {
            child,
            group,
            watchdog: watchdog.clone(),
            output: Some(BufReader::new(output).lines()),
        })
    }

    /// Its endpoint once it listens, `https://127.0.0.1:port/devstoreaccount1`.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn endpoint(&mut self) -> anyhow::Result<String> {
        let output = self.output.as_mut().context("Azurite's output is gone")?;
        let address = tokio::time::timeout(PATIENCE, address(output))
            .await
            .context("Azurite did not listen in time")??;
        Ok(format!("{address}/{ACCOUNT}"))
    }

    /// Counts the handler's requests in this world from now on, as the access log tells of them.
    pub fn count_requests(&mut self, world: Arc<World>) {
        let Some(mut output) = self.output.take() else {
            return;
        };
        // Read to the end, or it would block on a full pipe.
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                world.hub.calls.access_log(&line);
            }
        });
    }

    /// Waits until it ends by itself, which it should not.
    pub async fn ended(&mut self) {
        // An error would mean that it was reaped already.
        let _ = self.child.wait().await;
    }

    /// Kills it and waits until it is gone.
    pub async fn stop(mut self) {
        kill_group(self.group);
        self.ended().await;
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        kill_group(self.group);
        self.watchdog.release(self.group);
    }
}

async fn address(lines: &mut Lines<BufReader<ChildStdout>>) -> anyhow::Result<String> {
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, address)) = line.split_once("successfully listens on ") {
            return Ok(address.trim().trim_end_matches('/').to_owned());
        }
        said.push(line);
    }
    bail!("Azurite ended: {}", said.join(" / "))
}
