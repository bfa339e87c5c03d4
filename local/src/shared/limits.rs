//! Limits of so many calls within any so many seconds.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::shared::locked::Locked;

/// So many calls within so many seconds.
pub type Table = &'static [(usize, u64)];

/// When calls were let in, by their kind and whom they concern.
#[derive(Default)]
pub struct Limits(Locked<HashMap<(Table, String), VecDeque<Instant>>>);

impl Limits {
    /// Lets in a call that counts so many times, or tells in how many seconds to come back. What is refused does not count.
    pub fn admit(&self, table: Table, subject: &str, count: usize) -> Result<(), u64> {
        let now = Instant::now();
        let mut all = self.0.lock();
        let past = all.entry((table, subject.to_owned())).or_default();
        let longest = table.iter().map(|(_, seconds)| *seconds).max();
        let longest = Duration::from_secs(longest.unwrap_or_default());
        while past.front().is_some_and(|first| now - *first >= longest) {
            past.pop_front();
        }
        let wait = |(most, seconds): &(usize, u64)| {
            // That one must lie behind the window before there is room again.
            let place = (past.len() + count).checked_sub(most + 1)?;
            let free = *past.get(place)? + Duration::from_secs(*seconds);
            (free > now).then(|| free - now)
        };
        match table.iter().filter_map(wait).max() {
            Some(wait) => Err(wait.as_secs_f64().ceil() as u64),
            None => {
                past.extend((0..count).map(|_| now));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_window_counts_and_says_when_it_has_room() {
        const TABLE: Table = &[(2, 1), (3, 10)];
        let limits = Limits::default();
        assert_eq!(limits.admit(TABLE, "a", 1), Ok(()));
        assert_eq!(limits.admit(TABLE, "a", 2), Err(1), "three within a second");
        assert_eq!(
            limits.admit(TABLE, "a", 1),
            Ok(()),
            "what is refused does not count"
        );
        assert_eq!(limits.admit(TABLE, "b", 2), Ok(()), "another subject");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(limits.admit(TABLE, "a", 1), Ok(()));
        assert_eq!(
            limits.admit(TABLE, "a", 1),
            Err(9),
            "four within ten seconds"
        );
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(limits.admit(TABLE, "a", 2), Ok(()));
        assert_eq!(limits.admit(TABLE, "a", 1), Err(1));
    }
}
