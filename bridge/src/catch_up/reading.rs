//! What of a chat's listed messages is worked through again, and in which order.

use time::OffsetDateTime;

use crate::conversation::case::Chat;
use crate::ids::TeamsMessageId;
use crate::teams::notification::ChangeType;

/// A message in the list of a chat ("List messages in a chat"), without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub message: TeamsMessageId,
    /// When it was written.
    pub created: OffsetDateTime,
    /// When its text was last edited.
    pub edited: Option<OffsetDateTime>,
    /// When it was deleted.
    pub deleted: Option<OffsetDateTime>,
}

/// What happened to a message, for all that is known: to be treated as if Graph had told of it just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// The message.
    pub message: TeamsMessageId,
    /// What happened.
    pub change: ChangeType,
    at: OffsetDateTime,
}

/// What is to be worked through of a chat, oldest first.
///
/// A message that the chat does not know is a new one when it was written after `since`; an older one was told before its
/// time was forgotten, unless it was changed. One that was given up before stays given up: its sender was told.
#[must_use]
pub fn untold(chat: Chat<'_>, listed: &[Listed], since: OffsetDateTime) -> Vec<Untold> {
    let mut untold: Vec<Untold> = listed
        .iter()
        .filter(|it| !chat.is_ours(&it.message))
        .filter_map(|it| one(chat, it, since))
        .collect();
    untold.sort_by(|one, other| (one.at, &one.message).cmp(&(other.at, &other.message)));
    untold
}

fn one(chat: Chat<'_>, listed: &Listed, since: OffsetDateTime) -> Option<Untold> {
    let untold = |change, at| {
        let message = listed.message.clone();
        Some(Untold {
            message,
            change,
            at,
        })
    };
    let Some(known) = chat.inbound.messages.get(&listed.message) else {
        return match (listed.deleted, listed.edited) {
            // Nobody was told of it, and nobody can read it.
            (Some(_), _) => None,
            _ if listed.created > since => untold(ChangeType::Created, listed.created),
            (None, Some(edited)) if edited > since => untold(ChangeType::Updated, edited),
            (None, _) => None,
        };
    };
    if known.given_up {
        return None;
    }
    let (seen, is_edited) = (&known.seen, |edited| known.seen.edited < Some(edited));
    match (listed.deleted, listed.edited) {
        (Some(deleted), _) => (!seen.deleted)
            .then_some(())
            .and_then(|()| untold(ChangeType::Deleted, deleted)),
        // Of what is known only in part, what it is now is delivered.
        (None, _) if !known.complete => untold(ChangeType::Created, listed.created),
        (None, _) if seen.deleted => {
            untold(ChangeType::Updated, listed.edited.unwrap_or(listed.created))
        }
        (None, Some(edited)) if is_edited(edited) => untold(ChangeType::Updated, edited),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::ids::Digest;
    use crate::state::inbound::{InboundState, Seen};
    use crate::state::outbound::{OutboundState, Says};

    const SINCE: OffsetDateTime = datetime!(2026-12-01 12:00:00 UTC);

    fn at(minutes: i64) -> OffsetDateTime {
        SINCE + Duration::minutes(minutes)
    }

    fn listed(id: &str, created: i64, edited: Option<i64>, deleted: Option<i64>) -> Listed {
        Listed {
            message: id.parse().expect("an id"),
            created: at(created),
            edited: edited.map(at),
            deleted: deleted.map(at),
        }
    }

    fn state() -> InboundState {
        let chat = "19:a@unq.gbl.spaces".parse().expect("an id");
        InboundState::new(chat, "support".parse().expect("a name"))
    }

    /// The ids of what is worked through, with what happened to each.
    fn found(state: &InboundState, all: &[Listed]) -> Vec<(String, ChangeType)> {
        let chat = Chat {
            inbound: state,
            outbound: None,
        };
        let untold = untold(chat, all, SINCE).into_iter();
        untold
            .map(|it| (it.message.as_str().to_owned(), it.change))
            .collect()
    }

    #[test]
    fn what_an_unknown_message_is_depends_on_its_times() {
        for (message, expected) in [
            (listed("1", 1, None, None), Some(ChangeType::Created)),
            (listed("1", 1, Some(2), None), Some(ChangeType::Created)),
            (listed("1", -1, None, None), None),
            (listed("1", -9, Some(-1), None), None),
            (listed("1", -9, Some(1), None), Some(ChangeType::Updated)),
            (listed("1", 1, None, Some(2)), None),
            (listed("1", -9, None, Some(2)), None),
        ] {
            let found = found(&state(), std::slice::from_ref(&message));
            let change = found.into_iter().next().map(|(_, change)| change);
            assert_eq!(change, expected, "{message:?}");
        }
    }

    #[test]
    fn what_a_known_message_is_depends_on_what_was_seen_of_it() {
        let known = |edited: Option<i64>, deleted, complete, given_up| {
            let mut state = state();
            let entry = state.entry(&"1".parse().expect("an id"), SINCE);
            (entry.complete, entry.given_up) = (complete, given_up);
            entry.seen = Seen {
                edited: edited.map(at),
                deleted,
                ..Seen::default()
            };
            state
        };
        let (updated, deleted) = (Some(ChangeType::Updated), Some(ChangeType::Deleted));
        for (state, message, expected) in [
            (
                known(None, false, true, false),
                listed("1", 1, None, None),
                None,
            ),
            (
                known(None, false, true, false),
                listed("1", 1, Some(2), None),
                updated,
            ),
            (
                known(Some(2), false, true, false),
                listed("1", 1, Some(2), None),
                None,
            ),
            (
                known(Some(2), false, true, false),
                listed("1", 1, Some(3), None),
                updated,
            ),
            (
                known(None, false, true, false),
                listed("1", 1, None, Some(3)),
                deleted,
            ),
            (
                known(None, true, true, false),
                listed("1", 1, None, Some(3)),
                None,
            ),
            // It is back.
            (
                known(None, true, true, false),
                listed("1", 1, None, None),
                updated,
            ),
            // Its edit came before itself, and itself never.
            (
                known(None, false, false, false),
                listed("1", 1, None, None),
                Some(ChangeType::Created),
            ),
            // Its sender knows that it failed.
            (
                known(None, false, false, true),
                listed("1", 1, Some(5), None),
                None,
            ),
        ] {
            let found = found(&state, std::slice::from_ref(&message));
            let change = found.into_iter().next().map(|(_, change)| change);
            assert_eq!(change, expected, "{message:?} {:?}", state.messages);
        }
    }

    #[test]
    fn the_oldest_comes_first_and_our_own_posts_never() {
        let mut state = state();
        state.complete(&"1".parse().expect("an id"), SINCE);
        let mut posts = OutboundState::new(state.chat.clone());
        let (agents, digest) = ("g".parse().expect("an id"), Digest::of("text", "t"));
        posts.begin(&agents, 0, true, at(4), digest, Says::Words);
        posts.posted("4".parse().expect("an id"), at(4));
        let all = [
            listed("3", 3, None, None),
            listed("1", 1, Some(5), None),
            listed("2", 2, None, None),
            listed("4", 4, None, None),
        ];
        let chat = Chat {
            inbound: &state,
            outbound: Some(&posts),
        };
        let found = untold(chat, &all, SINCE).into_iter();
        let found = found.map(|it| (it.message.as_str().to_owned(), it.change));
        let expected = [
            ("2".to_owned(), ChangeType::Created),
            ("3".to_owned(), ChangeType::Created),
            ("1".to_owned(), ChangeType::Updated),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
