//! Azurite, Microsoft's own emulator of Blob Storage, as a child process.
//!
//! Source: Azure/Azurite, README.md (options, OAuth needs HTTPS, the development account).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};

use crate::shared::tls::CertificateAuthority;
use crate::watchdog::{Guarded, Watchdog};
use crate::world::World;

/// Its entry below the directory in which it was installed.
const ENTRY: &str = "node_modules/azurite/dist/src/blob/main.js";
/// What spares it the loading of packages that it does not need, and a collector that would make it stand still.
const PRELOAD: &str = include_str!("azurite_preload.cjs");
/// The account that always exists.
const ACCOUNT: &str = "devstoreaccount1";
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// An Azurite process.
#[derive(Debug)]
pub(crate) struct Azurite {
    process: Guarded,
    output: Lines<BufReader<ChildStdout>>,
}

impl Azurite {
    /// Starts what was installed in `directory` on a free port, keeping everything in memory and its certificate in `files`.
    /// It loads for a while before it listens.
    pub(crate) fn start(
        directory: &Path,
        authority: &CertificateAuthority,
        files: &Path,
        watchdog: &Watchdog,
    ) -> anyhow::Result<Self> {
        // It is started in a folder of its own, so a relative path would name another place there.
        let entry = std::path::absolute(directory)?.join(ENTRY);
        ensure!(
            entry.is_file(),
            "Azurite is not installed: {} is missing (npm install azurite@3.37.0 there)",
            entry.display()
        );
        let certificate = authority.issue()?;
        for (name, text) in [
            ("azurite_preload.cjs", PRELOAD),
            ("azurite.pem", &certificate.certificate_pem),
            ("azurite.key", &certificate.key_pem),
        ] {
            std::fs::write(files.join(name), text)?;
        }
        let mut command = Command::new("node");
        command
            .args(["--require", "./azurite_preload.cjs"])
            .arg(&entry)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--disableTelemetry"])
            .args(["--skipApiVersionCheck", "--oauth", "basic"])
            .args(["--cert", "azurite.pem", "--key", "azurite.key"])
            .current_dir(files);
        let mut process = Guarded::spawn(command, watchdog).context("cannot start node")?;
        let output = process.child.stdout.take();
        let output = output.context("Azurite has no output")?;
        Ok(Self {
            process,
            output: BufReader::new(output).lines(),
        })
    }

    /// Its endpoint once it listens, `https://127.0.0.1:port/devstoreaccount1`.
    pub(crate) async fn endpoint(&mut self) -> anyhow::Result<String> {
        let address = tokio::time::timeout(PATIENCE, self.address()).await;
        let address = address.context("Azurite did not listen in time")??;
        Ok(format!("{address}/{ACCOUNT}"))
    }

    async fn address(&mut self) -> anyhow::Result<String> {
        let mut said = Vec::new();
        while let Some(line) = self.output.next_line().await? {
            if let Some((_, address)) = line.split_once("successfully listens on ") {
                return Ok(address.trim().trim_end_matches('/').to_owned());
            }
            said.push(line);
        }
        bail!("Azurite ended: {}", said.join(" / "))
    }

    /// Counts the handler's requests in this world from now on, as the access log tells of them. The process, which should
    /// not end by itself.
    pub(crate) fn count_requests(self, world: Arc<World>) -> Guarded {
        let mut output = self.output;
        // Read to the end, or it would block on a full pipe.
        tokio::spawn(async move {
            while let Ok(Some(line)) = output.next_line().await {
                world.hub.calls.access_log(&line);
            }
        });
        self.process
    }
}
