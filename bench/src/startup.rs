//! From spawning a program to its first answer.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::http_client::Connection;
use crate::server::{Contender, Server};
use crate::table::median;

/// Starts of each program, alternating.
const STARTS: usize = 51;

/// Longest time until the first answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Medians in ms of ours and of the reference.
pub async fn medians(ours: &Contender, reference: &Contender) -> Result<(f64, f64)> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..STARTS {
        for (contender, times) in [ours, reference].into_iter().zip(&mut times) {
            times.push(first_answer(contender).await?);
        }
    }
    let [ours, reference] = times;
    Ok((median(ours), median(reference)))
}

async fn first_answer(contender: &Contender) -> Result<f64> {
    let begun = Instant::now();
    let server = Server::start(contender, None)?;
    while begun.elapsed() < LIMIT {
        if let Ok(mut connection) = Connection::open(server.port()).await
            && connection
                .send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                .await?
                == 200
        {
            return Ok(begun.elapsed().as_secs_f64() * 1000.0);
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
    bail!("a program under test did not answer GET / within {LIMIT:?}");
}
