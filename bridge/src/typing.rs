//! That somebody is typing: worth telling while it is so, and nothing afterwards.

use std::time::Duration;

use time::OffsetDateTime;

use crate::conversation::present_thread;
use crate::ids::ThreadId;
use crate::state::inbound::InboundState;
use crate::state::outbound::OutboundState;

/// How long Teams shows that a bot is typing (Bot Framework, "Activity schema"; Teams shows it for about three seconds).
pub const SHOWN_FOR: Duration = Duration::from_secs(3);

/// Time after which it is told again, so that it does not flicker.
pub const SHOWN_AGAIN_AFTER: Duration = Duration::from_millis(2_500);

/// Least time between two times that a customer's typing is told of: each is a call that messages need.
pub const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Time in which one side's typing is put on the queue once.
pub const TAKEN_EVERY: Duration = Duration::from_secs(1);

/// Age at which it is not told any more.
pub const LATE_AFTER: Duration = Duration::from_secs(5);

/// How long an agent's typing is taken to last where Genesys does not say.
const USUAL: Duration = Duration::from_secs(5);

/// Longest that it is taken to last; Genesys tells it anew while it goes on.
const LONGEST: Duration = Duration::from_secs(15);

/// How long an agent's typing lasts.
#[must_use]
pub fn lasts(told: Option<Duration>) -> Duration {
    told.unwrap_or(USUAL).min(LONGEST)
}

/// How long to wait before a typing agent is shown again, that long after it was told first; `None` when that would be too late to be
/// worth it.
#[must_use]
pub fn again_in(told: Option<Duration>, since: Duration) -> Option<Duration> {
    let left = lasts(told).saturating_sub(since);
    (left > SHOWN_AGAIN_AFTER).then_some(SHOWN_AGAIN_AFTER)
}

/// Whether what was told at a time is too old.
#[must_use]
pub fn is_late(told: OffsetDateTime, now: OffsetDateTime) -> bool {
    now - told > LATE_AFTER
}

/// The thread whose agent is told that the customer is typing: an event would open a conversation where there is none (Genesys, Open
/// Messaging, inbound events), so an agent must have written within this time, and nobody may have said that it is over.
#[must_use]
pub fn thread_to_tell(
    inbound: &InboundState,
    outbound: &OutboundState,
    within: Duration,
    now: OffsetDateTime,
) -> Option<ThreadId> {
    let last_words = outbound.last_words?;
    let is_recent = now - last_words <= within && !within.is_zero();
    let last_message = inbound.thread.map(|thread| thread.last_message);
    let is_open = outbound.conversation.is_some() && !outbound.is_told_of_end(last_message);
    present_thread(inbound).filter(|_| is_recent && is_open)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::ids::ChatId;
    use crate::state::customer::Customer;
    use crate::state::thread::ThreadState;
    use crate::teams::chat_kind::ChatKind;

    const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
    const WINDOW: Duration = Duration::from_secs(600);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_agent_is_shown_typing_until_it_ends() {
        for (told, since, again) in [
            (Some(5), 0, true),
            (Some(5), 2, true),
            (Some(5), 3, false),
            (Some(2), 0, false),
            (None, 0, true),
            (Some(3_600), 14, false),
        ] {
            let in_time = again_in(told.map(seconds), seconds(since));
            assert_eq!(in_time.is_some(), again, "{told:?} {since}");
        }
        assert!(is_late(NOW - seconds(6), NOW) && !is_late(NOW - seconds(4), NOW));
        // A clock that runs ahead makes nothing late.
        assert!(!is_late(NOW + seconds(60), NOW));
    }

    #[test]
    fn a_customer_is_told_of_only_while_an_agent_is_there() {
        let chat: ChatId = "a:1".parse().expect("an id");
        let mut inbound = InboundState::new(chat.clone(), "bot".parse().expect("a name"));
        inbound.kind = Some(ChatKind::OneOnOne);
        inbound.customer = Some(Customer::nobody(&chat));
        inbound.thread = Some(ThreadState {
            counter: 0,
            last_message: NOW - seconds(100),
        });
        let mut open = OutboundState::new(chat);
        open.last_words = Some(NOW - seconds(60));
        open.conversation = "be9c1b6e-0000-4000-8000-c0ffee000001".parse().ok();
        let tell = |inbound: &InboundState, outbound: &OutboundState, window| {
            thread_to_tell(inbound, outbound, window, NOW).is_some()
        };
        assert!(tell(&inbound, &open, WINDOW));
        assert!(!tell(&inbound, &open, seconds(59)));
        assert!(!tell(&inbound, &open, Duration::ZERO));
        let mut other = open.clone();
        other.last_words = None;
        assert!(!tell(&inbound, &other, WINDOW));
        other = open.clone();
        other.conversation = None;
        assert!(!tell(&inbound, &other, WINDOW));
        other = open.clone();
        other.ended_at = Some(NOW - seconds(30));
        assert!(!tell(&inbound, &other, WINDOW));
        inbound.thread = Some(ThreadState {
            counter: 0,
            last_message: NOW - seconds(10),
        });
        assert!(tell(&inbound, &other, WINDOW), "written again since");
        inbound.customer = None;
        assert!(!tell(&inbound, &open, WINDOW));
    }
}
