//! Lines of deliveries: in each of them the first attempts follow each other, and repetitions hold nobody up.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::locked::Locked;

/// A delivery's first attempt.
#[derive(Debug, Clone)]
pub struct FirstAttempt(watch::Receiver<bool>);

impl FirstAttempt {
    /// Resolves when it is over; also when its task is gone.
    pub async fn over(mut self) {
        let _ = self.0.wait_for(|over| *over).await;
    }
}

/// The last delivery's first attempt in each line.
#[derive(Debug, Default)]
pub struct Lines(Locked<HashMap<String, FirstAttempt>>);

impl Lines {
    /// Delivers in a task of its own. The first attempt comes after that of the delivery before it in this line, but waits no
    /// longer than `turn`; while an attempt, which is handed its number, does not succeed, another follows after the next wait.
    pub fn send<F: Future<Output = bool> + Send>(
        &self,
        line: &str,
        turn: Duration,
        waits: impl Iterator<Item = Duration> + Send + 'static,
        attempt: impl Fn(u32) -> F + Send + 'static,
    ) -> FirstAttempt {
        let (over, first) = watch::channel(false);
        let first = FirstAttempt(first);
        let before = self.0.lock().insert(line.to_owned(), first.clone());
        tokio::spawn(async move {
            if let Some(before) = before {
                // Late is as good as over.
                let _ = timeout(turn, before.over()).await;
            }
            let mut done = attempt(1).await;
            over.send_replace(true);
            for (number, wait) in (2..).zip(waits) {
                if done {
                    return;
                }
                sleep(wait).await;
                done = attempt(number).await;
            }
        });
        first
    }
}
