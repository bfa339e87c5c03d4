//! Which messages a service served lately: tells "the service is down" from "this message or chat fails".

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bridge::ids::Digest;
use services::error::Service;
use tokio::time::Instant;

use crate::persistence::Work;

/// Kind of work, and the service that it was done with.
pub type Key = (Work, Service);

/// The latest times that something happened to different subjects, two of them at most: enough to answer for every subject.
/// One keeps successes, another failures.
///
/// A subject is what can fail on its own while others succeed: one chat, as a digest.
#[derive(Debug, Default)]
pub struct Latest {
    latest: Mutex<HashMap<Key, Vec<(Digest, Instant)>>>,
}

impl Latest {
    /// Forgets a subject.
    pub fn forget(&self, key: Key, subject: &Digest) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = latest.get_mut(&key) {
            entries.retain(|(other, _)| other != subject);
        }
    }

    /// Notes that it happened to this subject.
    pub fn note(&self, key: Key, subject: &Digest) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = latest.entry(key).or_default();
        entries.retain(|(other, _)| other != subject);
        entries.insert(0, (subject.clone(), Instant::now()));
        entries.truncate(2);
    }

    /// Whether it happened to another subject since `since`.
    pub fn elsewhere(&self, key: Key, subject: &Digest, since: Instant) -> bool {
        self.latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
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

    const GRAPH: Key = (Work::Post, Service::Graph);
    const GENESYS: Key = (Work::Message, Service::Genesys);

    #[tokio::test(start_paused = true)]
    async fn only_later_successes_of_other_subjects_count() {
        let successes = Latest::default();
        let (mine, other) = (Digest::of("chat", "mine"), Digest::of("chat", "other"));
        successes.note(GRAPH, &other);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let since = Instant::now();
        assert!(!successes.elsewhere(GRAPH, &mine, since));
        successes.note(GRAPH, &mine);
        assert!(!successes.elsewhere(GRAPH, &mine, since));
        successes.note(GENESYS, &other);
        assert!(!successes.elsewhere(GRAPH, &mine, since));
        successes.note(GRAPH, &other);
        assert!(successes.elsewhere(GRAPH, &mine, since));
    }
}
