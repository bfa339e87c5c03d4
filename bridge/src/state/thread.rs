//! Threads: which chat one belongs to (`threads/{digest}.json`), and how long it stays the same.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ids::{ChatId, SupportAccountName, ThreadId};

/// How old the date of use in a thread's record gets while the thread is in use. The storage account deletes records by the date of
/// their last change, so a record that is read and never written would go with its conversation alive.
const USE_NOTED_EVERY: Duration = Duration::from_secs(24 * 3600);

/// A thread's chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadRecord {
    /// Version of this format.
    pub version: u32,
    /// The thread.
    pub thread: ThreadId,
    /// Its chat.
    pub chat: ChatId,
    /// Its support account.
    pub account: SupportAccountName,
    /// When it was in use, to the day or so; absent in the records of older releases.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub used: Option<OffsetDateTime>,
}

impl ThreadRecord {
    /// A record of the present version.
    #[must_use]
    pub fn new(
        thread: &ThreadId,
        chat: ChatId,
        account: SupportAccountName,
        used: OffsetDateTime,
    ) -> Self {
        Self {
            version: 1,
            thread: thread.clone(),
            chat,
            account,
            used: Some(used),
        }
    }

    /// Whether a use at this time is to be noted, by writing the record again.
    #[must_use]
    pub fn is_use_due(&self, now: OffsetDateTime) -> bool {
        self.used.is_none_or(|used| now - used >= USE_NOTED_EVERY)
    }
}

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
    #[serde(with = "crate::moment")]
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

    #[test]
    fn a_record_as_it_is_stored() {
        let thread = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a:3"
            .parse()
            .expect("a thread");
        let chat = "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id");
        let account = "support".parse().expect("a name");
        let record = ThreadRecord::new(&thread, chat, account, START);
        insta::assert_json_snapshot!(record);
    }

    #[test]
    fn a_use_is_noted_once_a_day() {
        let thread = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a"
            .parse()
            .expect("a thread");
        let chat = "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id");
        let account = "support".parse().expect("a name");
        let mut record = ThreadRecord::new(&thread, chat, account, START);
        for (hours, expected) in [
            (-5, false),
            (0, false),
            (23, false),
            (24, true),
            (900, true),
        ] {
            assert_eq!(record.is_use_due(after(hours)), expected, "{hours} h");
        }
        record.used = None;
        assert!(record.is_use_due(START));
    }
}
