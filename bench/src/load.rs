//! Load: as fast as the answers come, or at a fixed rate of arrivals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures::future::try_join_all;
use tokio::sync::Mutex;

use crate::http_client::Connection;
use crate::notifications::Notifications;

/// Connections of the closed loop.
const CONNECTIONS: usize = 32;

/// Sends on every connection as soon as the last answer is there; returns requests per second and the seconds it took.
pub async fn closed_loop(
    port: u16,
    notifications: &Notifications,
    seconds: f64,
) -> Result<(f64, f64)> {
    let stop = AtomicBool::new(false);
    let answered = AtomicU64::new(0);
    let begun = Instant::now();
    let client = async || -> Result<()> {
        let mut connection = Connection::open(port).await?;
        while !stop.load(Ordering::Relaxed) {
            accepted(connection.send(&notifications.next()).await?)?;
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    let timer = async {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        stop.store(true, Ordering::Relaxed);
    };
    let clients = (0..CONNECTIONS).map(|_| client());
    let (outcome, ()) = tokio::join!(try_join_all(clients), timer);
    outcome?;
    let elapsed = begun.elapsed().as_secs_f64();
    Ok((answered.load(Ordering::Relaxed) as f64 / elapsed, elapsed))
}

/// Sends at fixed times as long as the number of the next request has `more`, whatever the answers do; returns each latency in ms,
/// counted from the time it was due.
pub async fn open_loop(
    port: u16,
    notifications: &Notifications,
    per_second: u32,
    more: impl Fn(u32) -> bool,
) -> Result<Vec<f64>> {
    let idle: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let begun = tokio::time::Instant::now();
    let mut requests = Vec::new();
    for number in (0..).take_while(|number| more(*number)) {
        let due = begun + Duration::from_secs(1) * number / per_second;
        tokio::time::sleep_until(due).await;
        let request = notifications.next();
        let idle = Arc::clone(&idle);
        requests.push(tokio::spawn(async move {
            let free = idle.lock().await.pop();
            let mut connection = match free {
                Some(connection) => connection,
                None => Connection::open(port).await?,
            };
            accepted(connection.send(&request).await?)?;
            let latency = due.elapsed().as_secs_f64() * 1000.0;
            idle.lock().await.push(connection);
            anyhow::Ok(latency)
        }));
    }
    let mut latencies = Vec::with_capacity(requests.len());
    for request in requests {
        latencies.push(request.await??);
    }
    Ok(latencies)
}

fn accepted(status: u16) -> Result<()> {
    if status != 202 {
        bail!("a notification was answered with {status}");
    }
    Ok(())
}
