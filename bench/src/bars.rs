//! The program beside its references.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http_client::Connection;
use crate::notifications::Notifications;
use crate::server::{Contender, Server};
use crate::table::Figure::{AtLeast, AtMost, Plain};
use crate::table::{Table, median, p99};
use crate::{Arguments, Stage, cryptography, html, load, neighbour, process};

/// The processor core of the program under test; the load and the outside services use the other ones.
const CORE: usize = 0;

/// Rounds of each throughput measure, alternating between ours and the reference.
const ROUNDS: usize = 5;

/// Starts of each program, alternating.
const STARTS: usize = 51;

/// Longest time until the first answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Everything that needs nothing but the program.
pub async fn measure(arguments: &Arguments, stage: &Stage) -> Result<Table> {
    let Stage {
        outside,
        ours,
        reference,
        notifications,
    } = stage;
    let mut table = Table::new("measure", &["ours", "reference", "ratio"]);

    eprintln!("start …");
    let [a, b] = first_answers(ours, reference).await?;
    let figures = [Plain(a), Plain(b), AtMost(a / b, 1.4)];
    table.row("spawn to first answer, ms", figures);

    eprintln!("memory …");
    let a = idle_memory(ours, notifications).await?;
    let b = idle_memory(reference, notifications).await?;
    table.row("idle resident memory, MB", [AtMost(a, 12.0), Plain(b)]);
    let a = megabytes(&arguments.packaged_handler)?;
    let b = megabytes(&neighbour("bare-handler")?)?;
    table.row("packaged program, MB", [AtMost(a, 12.5), Plain(b)]);

    eprintln!("throughput …");
    let others = [std::process::id(), outside.id()];
    let rounds = throughput(ours, reference, notifications);
    let [(a, our_busy), (b, bare_busy)] = process::apart(CORE, &others, rounds).await?;
    let figures = [Plain(a), Plain(b), AtLeast(a / b, 0.6)];
    table.row("inbound-graph, requests/s", figures);
    for (name, rate, busy) in [("ours", a, our_busy), ("reference", b, bare_busy)] {
        table.note(format!(
            "throughput, {name}: core {CORE} busy {:.0} % of the time, {:.0} µs of processor time a request",
            busy * 100.0,
            busy / rate * 1e6
        ));
    }

    eprintln!("latency …");
    let a = latency(ours, notifications).await?;
    let b = latency(reference, notifications).await?;
    let figures = [AtMost(a, 20.0), Plain(b)];
    table.row("inbound-graph at 200 requests/s, p99 ms", figures);

    eprintln!("decryption …");
    let (a, b) = cryptography::medians(&arguments.unwrap, CORE)?;
    let figures = [Plain(a), Plain(b), AtLeast(a / b, 0.92)];
    table.row("unwraps/s beside openssl rsa2048 private/s", figures);

    eprintln!("HTML …");
    let (a, b) = html::medians(&arguments.app_root.join("bridge/fixtures/html"))?;
    let figures = [AtLeast(a, 10.0), Plain(b), AtLeast(a / b, 2.0)];
    table.row("HTML to text beside html5ever's tree, MB/s", figures);
    let figures = [AtMost(html::cards()?, 5.0)];
    table.row("message of 28 KB with 20 cards to text, ms", figures);
    Ok(table)
}

/// Medians in ms from spawning a program to its first answer, of ours and of the reference.
async fn first_answers(ours: &Contender, reference: &Contender) -> Result<[f64; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        for (contender, times) in [ours, reference].into_iter().zip(&mut times) {
            times.push(first_answer(contender).await?);
        }
    }
    Ok(times.map(median))
}

async fn first_answer(contender: &Contender) -> Result<f64> {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    let begun = Instant::now();
    let server = Server::start(contender, None)?;
    while begun.elapsed() < LIMIT {
        if let Ok(mut connection) = Connection::open(server.port()).await
            && connection.send(REQUEST).await? == 200
        {
            return Ok(begun.elapsed().as_secs_f64() * 1000.0);
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    bail!("a program under test did not answer GET / within {LIMIT:?}");
}

fn megabytes(program: &Path) -> Result<f64> {
    let bytes = std::fs::metadata(program)
        .with_context(|| program.display().to_string())?
        .len();
    Ok(bytes as f64 / 1e6)
}

/// Resident memory in MB of a program that has answered requests and is idle again.
async fn idle_memory(contender: &Contender, notifications: &Notifications) -> Result<f64> {
    let server = Server::start(contender, None)?;
    server.until_idle(notifications).await?;
    process::resident(server.id())
}

/// Median requests per second of ours and of the reference, each round on a process of its own, and how busy its core was.
async fn throughput(
    ours: &Contender,
    reference: &Contender,
    notifications: &Notifications,
) -> Result<[(f64, f64); 2]> {
    let mut rounds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (contender, results) in [ours, reference].into_iter().zip(&mut rounds) {
            let server = Server::start(contender, Some(CORE))?;
            server.ready(notifications).await?;
            load::closed_loop(server.port(), notifications, 1.0).await?;
            let before = process::processor_seconds(server.id())?;
            let (rate, seconds) = load::closed_loop(server.port(), notifications, 4.0).await?;
            let busy = process::processor_seconds(server.id())? - before;
            results.push((rate, busy / seconds));
        }
    }
    Ok(rounds.map(|results| {
        let (rates, busy) = results.into_iter().unzip();
        (median(rates), median(busy))
    }))
}

/// 99th percentile in ms at a fixed rate of arrivals.
async fn latency(contender: &Contender, notifications: &Notifications) -> Result<f64> {
    let server = Server::start(contender, None)?;
    server.ready(notifications).await?;
    load::open_loop(server.port(), notifications, 200, |number| number < 200).await?;
    let latencies = load::open_loop(server.port(), notifications, 200, |number| number < 2_000);
    Ok(p99(latencies.await?))
}
