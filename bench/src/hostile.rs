//! Bodies that mean no good, or are only large: how far they raise the memory of the program under test, and how long somebody
//! else's notification waits meanwhile.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use tokio::sync::watch;

use crate::http_client::Connection;
use crate::notifications::Notifications;
use crate::server::{Contender, Server};

/// Just below the handler's limit of a body.
const SIZE: usize = 4_000_000;

/// Connections that send the same body at the same time, and how often each does.
const SENDERS: usize = 8;
const TIMES: usize = 3;

/// What a program did under such bodies.
pub struct Outcome {
    /// Highest resident memory above that of the idle program, in MB.
    pub growth: f64,
    /// Longest time in ms until another sender's notification was accepted.
    pub longest_wait: f64,
}

/// Sends each body several times, from several senders at once, and a small notification every few milliseconds.
pub async fn measure(contender: &Contender, notifications: &Notifications) -> Result<Outcome> {
    let server = Server::start(contender, None)?;
    server.ready(notifications).await?;
    let port = server.port();
    let (idle, _) = server.resident_megabytes()?;
    let mut longest = Duration::ZERO;
    for body in bodies(notifications) {
        let request = notifications.request(&body);
        let (done, is_done) = watch::channel(false);
        let senders = async {
            let senders = (0..SENDERS).map(|_| send(port, &request));
            let sent = try_join_all(senders).await;
            done.send_replace(true);
            sent
        };
        let (sent, waited) = tokio::join!(senders, wait(port, notifications, &is_done));
        sent?;
        longest = longest.max(waited?);
    }
    let (_, peak) = server.resident_megabytes()?;
    Ok(Outcome {
        growth: peak - idle,
        longest_wait: longest.as_secs_f64() * 1000.0,
    })
}

fn bodies(notifications: &Notifications) -> Vec<String> {
    let item = notifications.item();
    let padding = "x".repeat(SIZE / 1000 - item.len() - 20);
    let genuine = format!(r#"{},"padding":"{padding}"}}"#, item.trim_end_matches('}'));
    let genuine = vec![genuine; 1000].join(",");
    let nested = |open: &str, close: &str| {
        let depth = SIZE / (open.len() + close.len()) - 20;
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    vec![
        format!(r#"{{"value":[{}0]}}"#, "0,".repeat(SIZE / 2 - 20)),
        format!(r#"{{"value":[{}{{}}]}}"#, "{},".repeat(SIZE / 3 - 20)),
        format!(r#"{{"value":[{}]}}"#, nested("[", "]")),
        format!(
            r#"{{"value":[{}0{}]}}"#,
            r#"{"a":"#.repeat(SIZE / 6 - 20),
            "}".repeat(SIZE / 6 - 20)
        ),
        format!(
            r#"{{"value":[{{"clientState":"{}"}}]}}"#,
            "x".repeat(SIZE - 100)
        ),
        format!(r#"{{"value":["{}"]}}"#, r"\u00e9".repeat(SIZE / 6 - 20)),
        format!(
            r#"{{"value":[],"validationTokens":[{}""]}}"#,
            r#""a","#.repeat(SIZE / 4 - 20)
        ),
        format!(r#"{{"value":[{genuine}]}}"#),
    ]
}

async fn send(port: u16, request: &[u8]) -> Result<()> {
    let mut connection = Connection::open(port).await?;
    for _ in 0..TIMES {
        // Whatever the answer is, it may cost neither memory nor somebody else's time.
        connection.send(request).await?;
    }
    Ok(())
}

/// The longest time that a small notification took until this is done.
async fn wait(
    port: u16,
    notifications: &Notifications,
    is_done: &watch::Receiver<bool>,
) -> Result<Duration> {
    let mut connection = Connection::open(port).await?;
    let mut longest = Duration::ZERO;
    while !*is_done.borrow() {
        let begun = Instant::now();
        connection.send(&notifications.next()).await?;
        longest = longest.max(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(longest)
}
