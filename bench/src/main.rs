//! Measures the handler beside its references and compares it with the bars; exits 1 when a bar is missed.
//!
//! Started by `cargo xtask bench`, which builds everything in the release profile first.

mod cores;
mod cryptography;
mod hostile;
mod html;
mod http_client;
mod load;
mod notifications;
mod outside;
mod server;
mod startup;
mod streaming;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use crate::notifications::Notifications;
use crate::outside::Outside;
use crate::server::{Contender, Server};
use crate::table::{Bar, Table};

/// The processor core of the program under test; the load and the outside services use the other ones.
const CORE: usize = 0;

/// Rounds of each throughput measure, alternating between ours and the reference.
const ROUNDS: usize = 5;

/// Where the programs lie.
#[derive(Parser)]
struct Arguments {
    /// The handler, built natively.
    #[arg(long)]
    handler: PathBuf,
    /// The handler as it is packaged for publishing.
    #[arg(long)]
    packaged_handler: PathBuf,
    /// The example of the bridge that prints `unwraps_per_second N`.
    #[arg(long)]
    unwrap: PathBuf,
    /// The local platform.
    #[arg(long)]
    local_platform: PathBuf,
    /// The folder in which Azurite is installed.
    #[arg(long)]
    azurite: PathBuf,
    /// The folder that holds `local.settings.json`.
    #[arg(long)]
    app_root: PathBuf,
}

fn main() -> ExitCode {
    // One thread: the load takes one core at most.
    match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime")
        .and_then(|runtime| runtime.block_on(measure(&Arguments::parse())))
    {
        Ok(table) => {
            print!("{table}");
            ExitCode::from(u8::from(!table.all_met()))
        }
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(arguments: &Arguments) -> Result<Table> {
    let outside = Outside::start()?;
    let bare = neighbour("bare-handler")?;
    let ours = Contender::handler(&arguments.handler, &arguments.app_root, &outside)?;
    let reference = Contender::bare(&bare, &outside);
    let notifications = Notifications::for_settings(&arguments.app_root)?;
    let mut table = Table::default();

    eprintln!("start …");
    let (our_start, bare_start) = startup::medians(&ours, &reference).await?;
    table.row(
        "spawn to first answer, ms",
        our_start,
        bare_start,
        Bar::AtMost(15.0),
    );
    table.row(
        "spawn to first answer, × the bare program",
        our_start / bare_start,
        1.0,
        Bar::AtMost(2.0),
    );

    eprintln!("memory …");
    let our_memory = idle_memory(&ours, &notifications).await?;
    let bare_memory = idle_memory(&reference, &notifications).await?;
    table.row(
        "idle resident memory, MB",
        our_memory,
        bare_memory,
        Bar::AtMost(12.0),
    );

    let size = |path: &PathBuf| -> Result<f64> {
        let bytes = std::fs::metadata(path)
            .with_context(|| path.display().to_string())?
            .len();
        Ok(bytes as f64 / 1e6)
    };
    let packaged = size(&arguments.packaged_handler)?;
    table.row(
        "packaged program, MB",
        packaged,
        size(&bare)?,
        Bar::AtMost(12.5),
    );

    eprintln!("throughput …");
    let throughput = cores::apart(
        CORE,
        &[std::process::id(), outside.id()],
        throughput(&ours, &reference, &notifications),
    )
    .await?;
    table.row(
        "inbound-graph, requests/s",
        throughput.ours,
        throughput.reference,
        Bar::RatioAtLeast(0.6),
    );
    for (name, rate, busy) in [
        ("ours", throughput.ours, throughput.our_busy),
        ("reference", throughput.reference, throughput.reference_busy),
    ] {
        table.note(format!(
            "throughput, {name}: core {CORE} busy {:.0} % of the time, {:.0} µs of processor time a request",
            busy * 100.0,
            busy / rate * 1e6
        ));
    }

    eprintln!("latency …");
    let our_latency = latency(&ours, &notifications).await?;
    let bare_latency = latency(&reference, &notifications).await?;
    table.row(
        "inbound-graph at 200 requests/s, p99 ms",
        our_latency,
        bare_latency,
        Bar::AtMost(20.0),
    );

    eprintln!("hostile bodies …");
    let hostile = hostile::measure(&ours, &notifications).await?;
    table.row(
        "growth of resident memory under hostile bodies, MB",
        hostile.growth,
        f64::NAN,
        Bar::AtMost(64.0),
    );
    table.row(
        "longest wait of another notification meanwhile, ms",
        hostile.longest_wait,
        f64::NAN,
        Bar::AtMost(100.0),
    );

    eprintln!("decryption …");
    let (unwraps, openssl) = cryptography::medians(&arguments.unwrap, CORE)?;
    table.row(
        "unwraps/s beside openssl rsa2048 private/s",
        unwraps,
        openssl,
        Bar::RatioAtLeast(0.85),
    );

    eprintln!("HTML …");
    let html = html::medians(&arguments.app_root.join("bridge/fixtures/html"))?;
    table.row(
        "HTML to text beside html5ever's tree, MB/s",
        html.text,
        html.tree,
        Bar::AtLeast(10.0),
    );
    table.note(format!(
        "HTML to text: html5gum's own tokens {:.1} MB/s",
        html.tokens
    ));

    eprintln!("streaming …");
    let streaming = streaming::measure(
        &arguments.local_platform,
        &arguments.handler,
        &arguments.app_root,
        &arguments.azurite,
    )
    .await?;
    table.row(
        "a file of 256 MB beside the crate alone, MB/s",
        streaming.ours,
        streaming.reference,
        Bar::RatioAtLeast(0.7),
    );
    table.row(
        "growth of resident memory meanwhile, MB",
        streaming.growth,
        f64::NAN,
        Bar::AtMost(32.0),
    );
    Ok(table)
}

/// Resident memory in MB of a program that has answered requests and is idle again.
async fn idle_memory(contender: &Contender, notifications: &Notifications) -> Result<f64> {
    let server = Server::start(contender, None)?;
    server.ready(notifications).await?;
    load::open_loop(server.port(), notifications, 200, 1).await?;
    // Idle: what a runtime does after its last request is done within a moment.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    Ok(server.resident_megabytes()?.0)
}

struct Throughput {
    ours: f64,
    reference: f64,
    our_busy: f64,
    reference_busy: f64,
}

/// Median requests per second, each round on a process of its own.
async fn throughput(
    ours: &Contender,
    reference: &Contender,
    notifications: &Notifications,
) -> Result<Throughput> {
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (contender, results) in [ours, reference].into_iter().zip(&mut rounds) {
            let server = Server::start(contender, Some(CORE))?;
            server.ready(notifications).await?;
            load::closed_loop(server.port(), notifications, 1.0).await?;
            let processor = server.processor_seconds()?;
            let (rate, seconds) = load::closed_loop(server.port(), notifications, 4.0).await?;
            results.push((rate, (server.processor_seconds()? - processor) / seconds));
        }
    }
    let median = |results: &[(f64, f64)], part: fn(&(f64, f64)) -> f64| {
        table::median(results.iter().map(part).collect())
    };
    Ok(Throughput {
        ours: median(&rounds[0], |round| round.0),
        reference: median(&rounds[1], |round| round.0),
        our_busy: median(&rounds[0], |round| round.1),
        reference_busy: median(&rounds[1], |round| round.1),
    })
}

/// 99th percentile in ms at a fixed rate of arrivals.
async fn latency(contender: &Contender, notifications: &Notifications) -> Result<f64> {
    let server = Server::start(contender, None)?;
    server.ready(notifications).await?;
    load::open_loop(server.port(), notifications, 200, 1).await?;
    let mut latencies = load::open_loop(server.port(), notifications, 200, 10).await?;
    latencies.sort_by(f64::total_cmp);
    let place = (latencies.len() * 99).div_ceil(100).saturating_sub(1);
    latencies
        .get(place)
        .copied()
        .context("no request was answered")
}

/// A program built beside this one.
fn neighbour(name: &str) -> Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(name))
}
