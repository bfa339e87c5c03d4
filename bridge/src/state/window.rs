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
    let last = state
        .last_message
        .max(other_direction_last.unwrap_or(state.last_message));
    let is_over = at - last > window;
    let is_next = is_over && policy == WindowPolicy::New;
    ThreadState {
        counter: state.counter.saturating_add(u32::from(is_next)),
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

    /// What follows the thread's first message.
    fn next(
        at: OffsetDateTime,
        answer: Option<OffsetDateTime>,
        policy: WindowPolicy,
    ) -> ThreadState {
        let first = advance(None, START, None, WINDOW, policy);
        advance(Some(&first), at, answer, WINDOW, policy)
    }

    #[test]
    fn after_the_window_the_policy_decides() {
        let inside = next(after(24), None, WindowPolicy::New);
        assert_eq!((inside.counter, inside.last_message), (0, after(24)));
        let late = after(24) + time::Duration::SECOND;
        assert_eq!(next(late, None, WindowPolicy::New).counter, 1);
        assert_eq!(next(late, None, WindowPolicy::Same).counter, 0);
        // An answer keeps it open.
        let answered = next(after(40), Some(after(20)), WindowPolicy::New);
        assert_eq!(answered.counter, 0);
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
