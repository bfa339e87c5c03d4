//! The window: how long a thread stays the same after its last message.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The setting `THREAD_WINDOW_POLICY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowPolicy {
    /// The thread id never changes: Genesys keeps the person one contact, and its own threading timeline decides about a
    /// new conversation.
    Same,
    /// A message after the window starts a new thread.
    New,
}

/// Where a chat's thread stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadState {
    /// Threads of this chat before the present one.
    pub counter: u32,
    /// Time of the latest message of the customer.
    #[serde(with = "time::serde::rfc3339")]
    pub last_message: OffsetDateTime,
}

/// The thread that a message of time `at` belongs to. The window counts from the last message in either direction, by message
/// time; a message that arrives late belongs to the present thread and never moves the time backwards.
#[must_use]
pub fn advance(
    state: Option<&ThreadState>,
    at: OffsetDateTime,
    other_direction_last: Option<OffsetDateTime>,
    window: Duration,
    policy: WindowPolicy,
) -> ThreadState {
    let Some(state) = state else {
        return ThreadState {
            counter: 0,
            last_message: at,
        };
    };
    let last =
        other_direction_last.map_or(state.last_message, |other| other.max(state.last_message));
    let is_over = at - last > window;
    let counter = match policy {
        WindowPolicy::New if is_over => state.counter.saturating_add(1),
        _ => state.counter,
    };
    ThreadState {
        counter,
        last_message: at.max(state.last_message),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(24 * 3600);
    const START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

    fn after(hours: i64) -> OffsetDateTime {
        START + time::Duration::hours(hours)
    }

    #[test]
    fn inside_the_window_nothing_changes() {
        let first = advance(None, START, None, WINDOW, WindowPolicy::New);
        let second = advance(Some(&first), after(24), None, WINDOW, WindowPolicy::New);
        assert_eq!((second.counter, second.last_message), (0, after(24)));
    }

    #[test]
    fn after_the_window_the_policy_decides() {
        let first = advance(None, START, None, WINDOW, WindowPolicy::New);
        let late = START + WINDOW + time::Duration::seconds(1);
        assert_eq!(
            advance(Some(&first), late, None, WINDOW, WindowPolicy::New).counter,
            1
        );
        assert_eq!(
            advance(Some(&first), late, None, WINDOW, WindowPolicy::Same).counter,
            0
        );
    }

    #[test]
    fn an_answer_keeps_the_window_open() {
        let first = advance(None, START, None, WINDOW, WindowPolicy::New);
        let next = advance(
            Some(&first),
            after(40),
            Some(after(20)),
            WINDOW,
            WindowPolicy::New,
        );
        assert_eq!(next.counter, 0);
    }

    proptest! {
        #[test]
        fn neither_counter_nor_time_goes_backwards(
            hours in proptest::collection::vec((-100i64..1000, proptest::option::of(-100i64..1000)), 1..50),
            same in any::<bool>(),
        ) {
            let policy = if same { WindowPolicy::Same } else { WindowPolicy::New };
            let mut state = advance(None, START, None, WINDOW, policy);
            for (hour, answer) in hours {
                let next = advance(Some(&state), after(hour), answer.map(after), WINDOW, policy);
                prop_assert!(next.counter >= state.counter);
                prop_assert!(next.counter <= state.counter + u32::from(!same));
                prop_assert!(next.last_message >= state.last_message && next.last_message >= after(hour));
                state = next;
            }
        }
    }
}
