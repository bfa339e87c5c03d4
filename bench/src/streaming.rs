//! A large file through the real handler: how fast it is beside the storage crate alone, and how much memory it takes.
//!
//! The local platform runs the handler against Azurite; a customer sends a generated file, and the handler streams it from the
//! simulated OneDrive into Azurite, over TLS both times. The reference uploads the same bytes from memory to the same Azurite.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::table::median;

/// Size of the file.
const SIZE: u64 = 256 * 1024 * 1024;

/// Rounds, alternating between ours and the reference.
const ROUNDS: usize = 3;

/// Longest wait for one delivery.
const PATIENCE: Duration = Duration::from_secs(180);

/// Medians of all rounds.
pub struct Streaming {
    /// MB/s from the handler taking the message to its settlement.
    pub ours: f64,
    /// MB/s of the storage crate's uploads.
    pub reference: f64,
    /// MB by which the handler's resident memory grew at its highest.
    pub growth: f64,
}

/// Runs all rounds.
pub async fn measure(
    platform: &Path,
    handler: &Path,
    app_root: &Path,
    azurite: &Path,
) -> Result<Streaming> {
    let platform = Platform::start(platform, handler, app_root, azurite)?;
    // One small file first: connections, tokens and the delegation key are there afterwards.
    platform.send(1024).await?;
    let before = platform.memory("VmRSS:").await?;
    platform.reset_peak().await?;
    let (mut ours, mut reference) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (seconds, file) = platform.send(SIZE).await?;
        ours.push(megabytes(SIZE) / seconds);
        let seconds = platform.upload_alone(&file).await?;
        reference.push(megabytes(SIZE) / seconds);
    }
    let growth = platform.memory("VmHWM:").await? - before;
    Ok(Streaming {
        ours: median(ours),
        reference: median(reference),
        growth,
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

/// A running local platform, which ends when its standard input closes.
struct Platform {
    child: Child,
    address: String,
    client: reqwest::Client,
}

impl Platform {
    fn start(program: &Path, handler: &Path, app_root: &Path, azurite: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["--port", "0", "--until-stdin-closes"])
            .arg("--handler")
            .arg(handler)
            .arg("--app-root")
            .arg(app_root)
            .arg("--azurite")
            .arg(azurite)
            .args(["--set", "ATTACHMENT_LIMIT_MB=512"])
            .args(["--set", "FILE_TIMEOUT_SECONDS=120"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the local platform")?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = loop {
            let line = lines.next().context("the platform ended")??;
            if let Some(address) = line.strip_prefix("ready ") {
                break address.trim_end_matches('/').to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::Client::builder()
            .tls_certs_only(std::iter::empty())
            .no_proxy()
            .build()?;
        Ok(Self {
            child,
            address,
            client,
        })
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let answer = self
            .client
            .get(format!("{}{path}", self.address))
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// A customer sends a file of this size; returns how many seconds its delivery took, and the file's address.
    async fn send(&self, size: u64) -> Result<(f64, String)> {
        let chat = "/local/teams/chats/19%3Abench_support%40unq.gbl.spaces/messages";
        let known = self.settled().await?.len();
        let message = json!({
            "from": {
                "user": "0f0e0d0c-0000-4000-8000-00000000000a",
                "name": "Anna",
                "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002",
                "upn": "anna@customer.example",
            },
            "html": "",
            "files": [{
                "name": format!("{size}.bin"),
                "content_type": "application/octet-stream",
                "generate": size,
            }],
        });
        self.client
            .post(format!("{}{chat}", self.address))
            .json(&message)
            .send()
            .await?
            .error_for_status()?;
        let deadline = Instant::now() + PATIENCE;
        let seconds = loop {
            if let Some(seconds) = self.settled().await?.get(known) {
                break *seconds;
            }
            if Instant::now() > deadline {
                bail!("the file was not delivered in time");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let view = self.get(chat).await?;
        let path = view["messages"]
            .as_array()
            .and_then(|messages| messages.last())
            .and_then(|message| message["attachments"][0]["path"].as_str())
            .context("the file in the chat")?;
        Ok((seconds, format!("{}{path}", self.address)))
    }

    /// Seconds that each delivery to Genesys took, in order.
    async fn settled(&self) -> Result<Vec<f64>> {
        let logs = self.get("/local/logs").await?;
        let lines = logs["lines"].as_array().cloned().unwrap_or_default();
        Ok(lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line["line"].as_str()?).ok())
            .filter(|line| line["event"] == "settled" && line["outcome"] == "delivered")
            .filter(|line| line["function"] == "deliver-to-genesys")
            .filter_map(|line| line["elapsed_ms"].as_f64())
            .map(|milliseconds| milliseconds / 1000.0)
            .collect())
    }

    async fn handler(&self) -> Result<u64> {
        let view = self.get("/local/instances").await?;
        view["instances"][0]["pid"]
            .as_u64()
            .context("the handler's process id")
    }

    /// A figure of the handler's memory in MB.
    async fn memory(&self, name: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.handler().await?))?;
        let kilobytes: f64 = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
            .context("no figure of memory")?
            .parse()?;
        Ok(kilobytes / 1024.0)
    }

    /// Lets the highest resident memory start anew.
    async fn reset_peak(&self) -> Result<()> {
        let file = format!("/proc/{}/clear_refs", self.handler().await?);
        fs::OpenOptions::new()
            .write(true)
            .open(file)?
            .write_all(b"5")?;
        Ok(())
    }

    /// Uploads the file with the storage crate alone, in the handler's environment; returns the seconds.
    async fn upload_alone(&self, file: &str) -> Result<f64> {
        let environment = fs::read(format!("/proc/{}/environ", self.handler().await?))?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let variables = environment
            .split('\0')
            .filter_map(|variable| variable.split_once('='));
        // Nothing else is to run meanwhile, so the wait may block.
        let output = Command::new(super::neighbour("azure-upload")?)
            .args([file, "1"])
            .env_clear()
            .envs(variables)
            .stderr(Stdio::inherit())
            .output()
            .context("cannot start azure-upload")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().parse().context("azure-upload failed")
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
