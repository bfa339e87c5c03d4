//! What went wrong lately, so that the next time does not hold a lane as long again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bridge::ids::Digest;
use tokio::time::Instant;

/// How long something is remembered; a later failure is another story.
const REMEMBERED_FOR: Duration = Duration::from_secs(15 * 60);

/// How many are remembered.
const REMEMBERED: usize = 1000;

/// Things, as digests, to which something happened lately. Memory only.
#[derive(Debug, Default)]
pub struct Lately(Mutex<HashMap<Digest, Instant>>);

impl Lately {
    /// Whether it happened to this one lately.
    pub fn contains(&self, subject: &Digest) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(subject)
            .is_some_and(|at| at.elapsed() < REMEMBERED_FOR)
    }

    /// Notes that it happened now.
    pub fn insert(&self, subject: &Digest) {
        let mut subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if subjects.len() >= REMEMBERED
            && let Some(oldest) = subjects
                .iter()
                .min_by_key(|(_, at)| **at)
                .map(|(subject, _)| subject.clone())
        {
            subjects.remove(&oldest);
        }
        subjects.insert(subject.clone(), Instant::now());
    }

    /// Notes that all is well again.
    pub fn remove(&self, subject: &Digest) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_happened_is_forgotten_in_time() {
        let lately = Lately::default();
        let (one, two) = (Digest::of("chat", "1"), Digest::of("chat", "2"));
        lately.insert(&one);
        assert!(lately.contains(&one) && !lately.contains(&two));
        tokio::time::advance(REMEMBERED_FOR).await;
        assert!(!lately.contains(&one));
        lately.insert(&one);
        lately.remove(&one);
        assert!(!lately.contains(&one));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_makes_room() {
        let lately = Lately::default();
        for number in 0..=REMEMBERED {
            lately.insert(&Digest::of("chat", &number.to_string()));
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(!lately.contains(&Digest::of("chat", "0")));
        assert!(lately.contains(&Digest::of("chat", &REMEMBERED.to_string())));
    }
}
