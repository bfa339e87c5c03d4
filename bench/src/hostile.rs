//! Bodies that anybody could send: how much memory they take, and how long a genuine notification waits meanwhile.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::load::open_loop;
use crate::notifications::request;
use crate::server::Server;
use crate::table::Figure::AtMost;
use crate::table::Table;
use crate::{Stage, process};

/// Bytes of most bodies: just below the limit of the handler.
const SIZE: usize = 3_990_000;

/// Bodies sent one after another on each connection.
const ROUNDS: usize = 3;

/// Genuine notifications a second meanwhile, and how many at least.
const PER_SECOND: u32 = 100;
const AT_LEAST: u32 = 50;

/// Longest wait for an answer; it counts as none after that.
const PATIENCE: Duration = Duration::from_secs(30);

/// Most memory above idle in MB, and the longest wait of another webhook in ms.
const MEMORY: f64 = 64.0;
const WAIT: f64 = 100.0;

/// Sends each body alone and twenty of it at once, each time to a handler of its own.
pub async fn measure(stage: &Stage) -> Result<Table> {
    let mut table = Table::new(
        "body",
        &[
            "alone: MB",
            "longest wait, ms",
            "20 at once: MB",
            "longest wait, ms",
        ],
    );
    for (name, body) in shapes(stage) {
        eprintln!("bodies: {name} …");
        let request = Arc::new(request(&body));
        let mut figures = Vec::new();
        let mut answers = BTreeSet::new();
        for connections in [1, 20] {
            let server = Server::start(&stage.ours, None)?;
            server.until_idle(&stage.notifications).await?;
            let idle = process::resident(server.id())?;
            process::forget_peak(server.id())?;
            let sending = send(server.port(), &request, connections);
            let more = |number| number < AT_LEAST || sending.iter().any(|it| !it.is_finished());
            let waits = open_loop(server.port(), &stage.notifications, PER_SECOND, more).await;
            let longest = match waits {
                Ok(waits) => waits.into_iter().fold(0.0, f64::max),
                Err(error) => {
                    table.note(format!("{name}, {connections} at once: {error:#}"));
                    f64::INFINITY
                }
            };
            for connection in sending {
                answers.extend(connection.join().unwrap_or_default());
            }
            let growth = process::peak(server.id())? - idle;
            figures.push(AtMost(growth, MEMORY));
            figures.push(AtMost(longest, WAIT));
        }
        let answers = Vec::from_iter(answers).join(", ");
        table.row(format!("{name}: {answers}"), figures);
    }
    table.note("MB of resident memory above idle, at its highest. Of the notifications sent every 10 ms the slowest counts.");
    Ok(table)
}

fn shapes(stage: &Stage) -> Vec<(&'static str, Vec<u8>)> {
    let value = |items: String| format!("{{\"value\":[{items}]}}").into_bytes();
    let list = |item: &str, size: usize| vec![item; size / (item.len() + 1)].join(",");
    let nested = |open: &str, close: &str| {
        let depth = SIZE / (open.len() + close.len());
        format!("{}0{}", open.repeat(depth), close.repeat(depth))
    };
    let keys = Vec::from_iter((0..SIZE / 12).map(|it| format!("\"{it:06x}\":0"))).join(",");
    let escapes = "\\u00e9".repeat(SIZE / 6);
    let tokens = list("\"a\"", SIZE);
    vec![
        ("[0,0,…], 4 MB", value(list("0", SIZE))),
        ("[0,0,…], 16 MB", value(list("0", 4 * SIZE))),
        ("[{},{},…]", value(list("{}", SIZE))),
        ("arrays in arrays", value(nested("[", "]"))),
        ("objects in objects", value(nested("{\"a\":", "}"))),
        (
            "a string of escapes",
            value(format!("{{\"resource\":\"{escapes}\"}}")),
        ),
        ("small keys", value(format!("{{{keys}}}"))),
        (
            "small tokens",
            format!("{{\"value\":[],\"validationTokens\":[{tokens}]}}").into_bytes(),
        ),
        ("1,000 genuine items", stage.notifications.body(1_000)),
    ]
}

/// Sends on so many connections, each with a thread that returns the statuses of the answers.
fn send(
    port: u16,
    request: &Arc<Vec<u8>>,
    connections: usize,
) -> Vec<thread::JoinHandle<BTreeSet<String>>> {
    (0..connections)
        .map(|_| {
            let request = Arc::clone(request);
            thread::spawn(move || {
                let answers = (0..ROUNDS).map(|_| answer(port, &request));
                answers
                    .map(|answer| answer.unwrap_or_else(|error| format!("no answer ({error})")))
                    .collect()
            })
        })
        .collect()
}

/// The status that one request is answered with.
fn answer(port: u16, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // A refusal can come before the end of the body is read.
    let sent = stream.write_all(request);
    let mut status = [0; 12];
    stream.read_exact(&mut status).or(sent)?;
    let status = std::str::from_utf8(&status)?.split(' ').nth(1);
    Ok(status.context("no status")?.to_owned())
}
