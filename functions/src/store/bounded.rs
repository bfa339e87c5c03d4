//! The one bounded memory: what it forgets costs a call or a moment, never a message.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Values by key, at most so many, each for at most so long. When it is full, the older half is forgotten.
#[derive(Debug)]
pub struct Bounded<K, V> {
    most: usize,
    life: Duration,
    entries: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Eq + Hash + Clone, V: Clone> Bounded<K, V> {
    /// An empty memory of `most` values for `life` each.
    pub fn new(most: usize, life: Duration) -> Self {
        Self {
            most,
            life,
            entries: Mutex::default(),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<V> {
        self.with(|entries| {
            let (at, value) = entries.get(key)?;
            (at.elapsed() < self.life).then(|| value.clone())
        })
    }

    /// Whether there is a value.
    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Sets the value of a key.
    pub fn insert(&self, key: K, value: V) {
        self.with(|entries| {
            make_room(entries, self.most, &key);
            entries.insert(key, (Instant::now(), value));
        });
    }

    /// Changes the value of a key in its place, or the one that it begins with.
    pub fn update<R>(
        &self,
        key: &K,
        begin: impl FnOnce() -> V,
        change: impl FnOnce(&mut V) -> R,
    ) -> R {
        self.with(|entries| {
            let stale = entries
                .get(key)
                .is_some_and(|(at, _)| at.elapsed() >= self.life);
            if stale {
                entries.remove(key);
            }
            make_room(entries, self.most, key);
            let entry = entries
                .entry(key.clone())
                .or_insert_with(|| (Instant::now(), begin()));
            change(&mut entry.1)
        })
    }

    /// Forgets a key.
    pub fn remove(&self, key: &K) {
        self.with(|entries| entries.remove(key));
    }

    fn with<R>(&self, action: impl FnOnce(&mut HashMap<K, (Instant, V)>) -> R) -> R {
        action(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn make_room<K: Eq + Hash, V>(entries: &mut HashMap<K, (Instant, V)>, most: usize, key: &K) {
    if entries.len() < most || entries.contains_key(key) {
        return;
    }
    let mut times: Vec<Instant> = entries.values().map(|(at, _)| *at).collect();
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    let median = *median;
    entries.retain(|_, (at, _)| *at > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_older_half_makes_room_and_nothing_outlives_its_time() {
        let memory = Bounded::new(10, Duration::from_secs(60));
        for number in 0..11 {
            memory.insert(number, number * 2);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!((memory.get(&0), memory.get(&10)), (None, Some(20)));
        assert_eq!(memory.update(&10, || 0, |value| *value), 20);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert!(!memory.contains(&10));
        assert_eq!(memory.update(&10, || 5, |value| *value), 5);
        memory.remove(&10);
        assert!(!memory.contains(&10));
    }
}
