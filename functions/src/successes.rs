//! Which messages a service served lately: tells "the service is down" from "this message or chat fails".

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bridge::ids::Digest;
use services::error::Service;
use tokio::time::Instant;

/// The last successes of each service, of two different subjects at most: enough to answer for every subject.
///
/// A subject is what can fail on its own while others succeed: one chat, as a digest.
#[derive(Debug, Default)]
pub struct Successes {
    latest: Mutex<HashMap<Service, Vec<(Digest, Instant)>>>,
}

impl Successes {
    /// Notes that the service did its part for a message of this subject.
    pub fn note(&self, service: Service, subject: &Digest) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = latest.entry(service).or_default();
        entries.retain(|(other, _)| other != subject);
        entries.insert(0, (subject.clone(), Instant::now()));
        entries.truncate(2);
    }

    /// Whether the service served another subject since `since`.
    pub fn elsewhere(&self, service: Service, subject: &Digest, since: Instant) -> bool {
        self.latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&service)
            .is_some_and(|entries| {
                entries
                    .iter()
                    .any(|(other, at)| other != subject && *at >= since)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_later_successes_of_other_subjects_count() {
        let successes = Successes::default();
        let (mine, other) = (Digest::of("chat", "mine"), Digest::of("chat", "other"));
        successes.note(Service::Graph, &other);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let since = Instant::now();
        assert!(!successes.elsewhere(Service::Graph, &mine, since));
        successes.note(Service::Graph, &mine);
        assert!(!successes.elsewhere(Service::Graph, &mine, since));
        successes.note(Service::Genesys, &other);
        assert!(!successes.elsewhere(Service::Graph, &mine, since));
        successes.note(Service::Graph, &other);
        assert!(successes.elsewhere(Service::Graph, &mine, since));
    }
}
