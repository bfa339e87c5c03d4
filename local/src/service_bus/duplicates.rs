//! Duplicate detection: which ids were seen lately.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// The ids of a queue's window.
#[derive(Debug)]
pub(super) struct Duplicates {
    window: Duration,
    ids: HashSet<String>,
    in_order: VecDeque<(Instant, String)>,
}

impl Duplicates {
    /// Remembers ids for this long.
    pub(super) fn new(window: Duration) -> Self {
        Self {
            window,
            ids: HashSet::new(),
            in_order: VecDeque::new(),
        }
    }

    /// Whether the id was seen within the window. A repeated one does not prolong its own memory.
    pub(super) fn is_repeated(&mut self, id: &str, now: Instant) -> bool {
        while let Some((at, _)) = self.in_order.front()
            && *at + self.window <= now
        {
            if let Some((_, id)) = self.in_order.pop_front() {
                self.ids.remove(&id);
            }
        }
        if self.ids.contains(id) {
            return true;
        }
        self.ids.insert(id.to_owned());
        self.in_order.push_back((now, id.to_owned()));
        false
    }
}
