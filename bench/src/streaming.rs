//! A large file through the real handler: how fast it is beside the storage crate alone, and how much memory it takes.
//!
//! The local platform runs the handler against Azurite; a customer sends a generated file, and the handler streams it from the
//! simulated OneDrive into Azurite, over TLS both times. The reference uploads the same bytes from memory to the same Azurite.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platform::{Customer, Platform};
use crate::table::Figure::{AtLeast, AtMost, Plain};
use crate::table::{Table, median};
use crate::{Arguments, neighbour, process};

/// Size of the file.
const SIZE: u64 = 256 * 1024 * 1024;

/// Rounds, alternating between ours and the reference.
const ROUNDS: usize = 3;

/// Runs all rounds.
pub async fn measure(arguments: &Arguments) -> Result<Table> {
    let settings = [
        "--set",
        "ATTACHMENT_LIMIT_MB=512",
        "--set",
        "FILE_TIMEOUT_SECONDS=120",
    ];
    let platform = Platform::start(arguments, &settings)?;
    // One small file first: connections, tokens and the delegation key are there afterwards.
    send(&platform, 1024).await?;
    let handler = platform.handler().await?;
    let before = process::resident(handler)?;
    process::forget_peak(handler)?;
    let (mut ours, mut reference) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (seconds, file) = send(&platform, SIZE).await?;
        ours.push(SIZE as f64 / 1e6 / seconds);
        reference.push(SIZE as f64 / 1e6 / upload_alone(handler, &file)?);
    }
    let growth = process::peak(handler)? - before;
    let (ours, reference) = (median(ours), median(reference));
    let mut table = Table::new("a file of 256 MB", &["ours", "the crate alone", "ratio"]);
    table.row(
        "MB/s",
        [
            Plain(ours),
            Plain(reference),
            AtLeast(ours / reference, 0.9),
        ],
    );
    table.row(
        "growth of resident memory meanwhile, MB",
        [AtMost(growth, 32.0)],
    );
    Ok(table)
}

/// A customer sends a file of this size; returns how many seconds its delivery took, and the file's address.
async fn send(platform: &Platform, size: u64) -> Result<(f64, String)> {
    let customer = Customer(0xa);
    let known = settled(platform).await?.len();
    let file = json!({
        "name": format!("{size}.bin"),
        "content_type": "application/octet-stream",
        "generate": size,
    });
    let message = customer.message(json!({ "html": "", "files": [file] }));
    platform
        .call(Method::POST, &customer.chat(), &message)
        .await?;
    let seconds = platform
        .until("the file's delivery", async || {
            Ok(settled(platform).await?.get(known).copied())
        })
        .await?;
    let view = platform.get(&customer.chat()).await?;
    let path = view["messages"]
        .as_array()
        .and_then(|messages| messages.last())
        .and_then(|message| message["attachments"][0]["path"].as_str())
        .context("the file in the chat")?;
    Ok((seconds, platform.url(path)))
}

/// Seconds that each delivery to Genesys took, in order.
async fn settled(platform: &Platform) -> Result<Vec<f64>> {
    let logs = platform.get("/local/logs").await?;
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

/// Uploads the file with the storage crate alone, in the handler's environment; returns the seconds.
fn upload_alone(handler: u32, file: &str) -> Result<f64> {
    let environment = fs::read(format!("/proc/{handler}/environ"))?;
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let variables = environment
        .split('\0')
        .filter_map(|variable| variable.split_once('='));
    // Nothing else is to run meanwhile, so the wait may block.
    let output = Command::new(neighbour("azure-upload")?)
        .arg(file)
        .env_clear()
        .envs(variables)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start azure-upload")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.trim().parse().context("azure-upload failed")
}
