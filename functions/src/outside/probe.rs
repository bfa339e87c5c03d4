//! One probe at a time while a service is down: a recovering service is not met by every waiting chat at once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use bridge::ids::Digest;
use bridge::patience::Fault;
use tokio::sync::MutexGuard;
use tokio::time::{Instant, timeout_at};

use super::Kind;
use crate::failure::Failure;

/// Chats that must have failed, with no call served between, before a service counts as down.
const DOWN_AFTER: usize = 3;

/// Chats whose failures are told apart.
const MOST: usize = 10_000;

/// Whether the calls of one kind are served at present.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Chats that failed since a call was last served.
    failing: Mutex<HashSet<Digest>>,
    probe: tokio::sync::Mutex<()>,
}

/// The right to try a service that is down; nobody who failed before tries while it is held.
pub(super) type Probe<'a> = Option<MutexGuard<'a, ()>>;

impl Outage {
    pub(super) fn is_down(&self) -> bool {
        self.with(|failing| failing.len() >= DOWN_AFTER)
    }

    /// Returns at once while the service is up, or for a chat that has not failed yet: it must not stand behind those that
    /// fail for reasons of their own. Otherwise when it is the chat's turn.
    pub(super) async fn turn(
        &self,
        subject: &Digest,
        deadline: Instant,
    ) -> Result<Probe<'_>, Failure> {
        let waits =
            || self.with(|failing| failing.len() >= DOWN_AFTER && failing.contains(subject));
        if !waits() {
            return Ok(None);
        }
        let guard = timeout_at(deadline, self.probe.lock())
            .await
            .map_err(|_| Failure::OutOfTime)?;
        // The one before may have found the service up again.
        Ok(waits().then_some(guard))
    }

    /// Notes how a call went; a refusal is an answer, throttling is neither.
    pub(super) fn note(&self, kind: Kind, subject: &Digest, fault: Option<Fault>) {
        let calls = kind.label();
        match fault {
            None | Some(Fault::Refusal) => {
                let failed = self.with(|failing| std::mem::take(failing).len());
                if failed >= DOWN_AFTER {
                    tracing::info!(event = "service_up", calls, "they are answered again");
                }
            }
            Some(Fault::Transient) => {
                let failed = self.with(|failing| {
                    let is_new = failing.len() < MOST && failing.insert(subject.clone());
                    if is_new { failing.len() } else { 0 }
                });
                if failed == DOWN_AFTER {
                    tracing::warn!(
                        event = "service_down",
                        calls,
                        "one attempt at a time from now on"
                    );
                }
            }
            Some(_) => {}
        }
    }

    fn with<R>(&self, action: impl FnOnce(&mut HashSet<Digest>) -> R) -> R {
        action(&mut self.failing.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn chat(number: usize) -> Digest {
        Digest::of("chat", &number.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_is_down_is_tried_by_one_at_a_time() {
        let outage = Outage::default();
        let kind = Kind::GenesysMessage;
        for number in 0..DOWN_AFTER {
            assert!(!outage.is_down());
            outage.note(kind, &chat(number), Some(Fault::Transient));
        }
        assert!(outage.is_down());
        let soon = || Instant::now() + Duration::from_secs(1);
        let first = outage.turn(&chat(0), soon()).await.expect("the probe");
        assert!(first.is_some());
        let second = outage.turn(&chat(1), soon()).await;
        assert!(matches!(second, Err(Failure::OutOfTime)));
        let stranger = outage.turn(&chat(9), soon()).await.expect("a turn");
        assert!(stranger.is_none(), "who has not failed waits for nobody");
        // The probe fails, and the next one has its turn.
        outage.note(kind, &chat(0), Some(Fault::Transient));
        drop(first);
        let second = outage.turn(&chat(1), soon()).await.expect("the probe");
        assert!(second.is_some());
        // It is served: nobody waits any more.
        outage.note(kind, &chat(1), None);
        drop(second);
        let third = outage.turn(&chat(2), soon()).await.expect("a turn");
        assert!(third.is_none() && !outage.is_down());
    }
}
