//! What a notification means for the agent: something new, something changed, or nothing.

use time::OffsetDateTime;

use super::case::{Case, Chat, Note, Plan};
use super::customer::present;
use super::series::{Piece, Series};
use crate::ids::{Digest, InvalidId, TeamsMessageId};
use crate::state::KEPT;
use crate::state::inbound::{Carried, InboundState, Seen};
use crate::teams::chat_kind::ChatKind;
use crate::teams::convert::changes as words;
use crate::teams::message::{ChatMessage, Reaction};
use crate::teams::notification::ChangeType;
use crate::text;

/// Most characters of a reaction: the longest emoji sequences have about ten, and a custom one has a name.
const LONGEST_REACTION: usize = 32;

/// What is to be done about a message that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The agent has not seen it yet.
    Deliver,
    /// The agent has seen it, and it says something else now.
    Edited,
    /// The agent was told that it is gone, and it is back.
    Restored,
    /// The agent has seen all of it; what is known of it may still move on.
    Note(&'static str),
    /// Nothing.
    Skip(&'static str),
}

/// Decides about a message after a notification. `known` is what the state has of it, `found` what it is now.
///
/// Graph tells of edits and of reactions in the same way; only an edit moves `lastEditedDateTime` (Microsoft Learn, "Set up
/// notifications for changes in resource data"). Notifications can come twice, late and in any order.
pub(super) fn step(
    change: ChangeType,
    known: Option<&Carried>,
    message: &ChatMessage,
    found: &Seen,
    now: OffsetDateTime,
) -> Step {
    let Some(known) = known else {
        return match (change, message.last_edited) {
            (ChangeType::Created, _) => Step::Deliver,
            (_, None) => Step::Skip("no edit of a message that is known"),
            // Its own notification is late or lost: whatever it was, this is what it says.
            (_, Some(_)) if now - message.created <= KEPT => Step::Deliver,
            (_, Some(_)) => Step::Edited,
        };
    };
    if !known.complete && (change == ChangeType::Created || !known.is_shown()) {
        return Step::Deliver;
    }
    let seen = &known.seen;
    if change == ChangeType::Created {
        return Step::Skip("already handled");
    }
    if seen.deleted {
        return if known.is_shown() {
            Step::Restored
        } else {
            Step::Deliver
        };
    }
    match message.last_edited {
        None => Step::Skip("no edit"),
        Some(edited) if seen.edited.is_some_and(|known| edited <= known) => {
            Step::Skip("no new edit")
        }
        Some(_) if seen.text == found.text && found.files.is_subset(&seen.files) => {
            Step::Note("the edit changes nothing that is seen")
        }
        Some(_) => Step::Edited,
    }
}

/// Tells the agent that a message is gone. One that the agent never got is remembered, so that its own notification, which may
/// come late, does not bring it after all.
pub(super) fn deletion(case: &Case<'_>, chat: Chat<'_>) -> Result<Plan, Plan> {
    let message = &case.notification.message;
    if chat.is_ours(message) {
        return Ok(Plan::Skip("our own message"));
    }
    let carried = chat.inbound.messages.get(message);
    let mut seen = carried.map_or_else(Seen::default, |carried| carried.seen.clone());
    if seen.deleted {
        return Ok(Plan::Skip("known to be deleted"));
    }
    seen.deleted = true;
    let is_shown = carried.is_some_and(Carried::is_shown);
    let Some(conversation) = present(chat).filter(|_| is_shown) else {
        return Ok(Plan::Note(Box::new(Note {
            reason: "deleted before it was delivered",
            message: message.clone(),
            seen,
            complete: true,
        })));
    };
    let text = words::deleted(seen.written.unwrap_or(case.now));
    Ok(Plan::Tell(vec![Series {
        id: deleted_id(message, chat.inbound)?,
        original: message.clone(),
        time: case.now,
        pieces: vec![Piece::Text(text)],
        seen: Some(seen),
        answered: None,
        conversation,
    }]))
}

/// Tells the agent of customers' reactions that are new, where the settings ask for it.
pub(super) fn reactions(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
) -> Result<Plan, Plan> {
    if !case.policy.reactions || message.reactions.is_empty() {
        return Ok(Plan::Skip("no edit"));
    }
    let ours = chat.is_ours(&message.id);
    let is_known = ours || chat.inbound.messages.contains_key(&message.id);
    let Some(conversation) = present(chat).filter(|_| is_known) else {
        return Ok(Plan::Skip("a reaction outside the conversation"));
    };
    let mut told = Vec::new();
    for reaction in &message.reactions {
        let id = reaction_id(&message.id, reaction)?;
        let user = reaction.user.as_ref();
        let by_us = user.is_none_or(|user| case.policy.is_support_user(user));
        if by_us || chat.inbound.is_complete(&id) {
            continue;
        }
        let symbol = text::one_line(words::reaction_symbol(reaction), LONGEST_REACTION);
        let mut text = words::reaction(&symbol, ours, message.created);
        if conversation.kind != ChatKind::OneOnOne {
            text = text::with_sender_name(reaction.name.as_deref().unwrap_or_default(), &text);
        }
        told.push(Series {
            original: id.clone(),
            id,
            time: case.now,
            pieces: vec![Piece::Text(text)],
            seen: None,
            answered: None,
            conversation: conversation.clone(),
        });
    }
    Ok(match told.is_empty() {
        true => Plan::Skip("no new reaction"),
        false => Plan::Tell(told),
    })
}

/// Id of the series that tells of an edit, the same at each repetition, as are those below. An error where the message's own id
/// is too long for it.
pub(super) fn edit_id(message: &ChatMessage) -> Result<TeamsMessageId, InvalidId> {
    let edited = message.last_edited.unwrap_or(message.created);
    let milliseconds = edited.unix_timestamp_nanos() / 1_000_000;
    derived(&message.id, &format!("edited-{milliseconds}"))
}

/// Id of the message that tells that another one is back.
pub(super) fn restored_id(message: &ChatMessage) -> Result<TeamsMessageId, InvalidId> {
    let version = Digest::of("version", message.etag.as_deref().unwrap_or_default());
    let version = &version.as_str()[..16];
    derived(&message.id, &format!("restored-{version}"))
}

/// Id of the message that tells that another one is gone. What was brought back can be deleted again, which is something new:
/// `state` knows how often it came back.
fn deleted_id(message: &TeamsMessageId, state: &InboundState) -> Result<TeamsMessageId, InvalidId> {
    let restored = format!("{}-restored-", message.as_str());
    let known = state.messages.keys();
    match known
        .filter(|id| id.as_str().starts_with(&restored))
        .count()
    {
        0 => derived(message, "deleted"),
        times => derived(message, &format!("deleted-{}", times + 1)),
    }
}

/// Id of the message that tells of a reaction.
fn reaction_id(message: &TeamsMessageId, reaction: &Reaction) -> Result<TeamsMessageId, InvalidId> {
    let user = reaction.user.as_ref().map_or("", |user| user.as_str());
    let mut what = format!("{user}\n{}", reaction.kind);
    if reaction.is_custom() {
        // All custom emoji are of one kind.
        what = format!("{what}\n{}", reaction.label.as_deref().unwrap_or_default());
    }
    let which = Digest::of("reaction", &what);
    derived(message, &format!("reaction-{}", &which.as_str()[..16]))
}

fn derived(message: &TeamsMessageId, what: &str) -> Result<TeamsMessageId, InvalidId> {
    format!("{}-{what}", message.as_str()).parse()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::teams::message::{Body, MessageKind};

    const WRITTEN: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
    const NOW: OffsetDateTime = datetime!(2026-01-02 04:00:00 UTC);

    fn message(edited: Option<OffsetDateTime>) -> ChatMessage {
        ChatMessage {
            id: "1616".parse().expect("an id"),
            chat_id: None,
            etag: Some("7".to_owned()),
            kind: MessageKind::Message,
            created: WRITTEN,
            last_edited: edited,
            deleted: None,
            from: None,
            body: Body::default(),
            attachments: Vec::new(),
            mentions: Vec::new(),
            reactions: Vec::new(),
        }
    }

    /// What the message says, and when it was last edited: so many seconds after it was written, or never.
    fn seen(edited: Option<i64>, text: &str, files: &[&str]) -> Seen {
        Seen {
            edited: edited.map(|seconds| WRITTEN + Duration::seconds(seconds)),
            text: Some(Digest::of("text", text)),
            files: files.iter().map(|file| Digest::of("file", file)).collect(),
            ..Seen::default()
        }
    }

    /// What the state has of the message: what was seen of it, how many parts are posted, and whether that is all.
    fn carried(seen: &Seen, posted: usize, complete: bool) -> Option<Carried> {
        Some(Carried {
            at: WRITTEN,
            genesys: vec![String::new(); posted],
            pieces: Vec::new(),
            complete,
            seen: seen.clone(),
        })
    }

    fn created(known: Option<Carried>, found: &Seen) -> Step {
        let message = message(found.edited);
        step(ChangeType::Created, known.as_ref(), &message, found, NOW)
    }

    fn updated(known: Option<Carried>, found: &Seen) -> Step {
        let message = message(found.edited);
        step(ChangeType::Updated, known.as_ref(), &message, found, NOW)
    }

    #[test]
    fn a_new_message_is_delivered_once() {
        let message = seen(None, "a", &[]);
        let handled = Step::Skip("already handled");
        assert_eq!(created(None, &message), Step::Deliver);
        for posted in [0, 2] {
            let begun = carried(&message, posted, false);
            assert_eq!(created(begun, &message), Step::Deliver);
        }
        assert_eq!(created(carried(&message, 1, true), &message), handled);
        // An edit before its original is the original.
        let edited = seen(Some(60), "b", &[]);
        assert_eq!(updated(None, &edited), Step::Deliver);
        assert_eq!(created(carried(&edited, 1, true), &edited), handled);
    }

    #[test]
    fn an_edit_of_a_message_from_long_ago_is_an_edit() {
        let (edited, found) = (message(Some(NOW)), seen(None, "b", &[]));
        let told = |now| step(ChangeType::Updated, None, &edited, &found, now);
        assert_eq!(told(WRITTEN + KEPT), Step::Deliver);
        assert_eq!(told(WRITTEN + KEPT + Duration::SECOND), Step::Edited);
    }

    #[test]
    fn an_edit_is_told_once_and_only_when_it_shows() {
        let first = || carried(&seen(None, "a", &["x"]), 1, true);
        let nothing = Step::Note("the edit changes nothing that is seen");
        for (text, files, step) in [
            ("b", &["x"][..], Step::Edited),
            ("a", &["x", "y"], Step::Edited),
            ("a", &["x"], nothing),
            ("a", &[], nothing),
        ] {
            assert_eq!(updated(first(), &seen(Some(60), text, files)), step);
        }
        let second = || carried(&seen(Some(60), "b", &["x"]), 1, true);
        let later = |seconds, text| updated(second(), &seen(Some(seconds), text, &["x"]));
        let none = Step::Skip("no new edit");
        assert_eq!(later(60, "b"), none);
        assert_eq!(later(1, "a"), none, "an older edit that comes late");
        assert_eq!(later(3600, "a"), Step::Edited);
    }

    #[test]
    fn a_reaction_is_no_edit() {
        let message = seen(None, "a", &[]);
        let known = carried(&message, 1, true);
        assert_eq!(updated(known, &message), Step::Skip("no edit"));
        let unknown = Step::Skip("no edit of a message that is known");
        assert_eq!(updated(None, &message), unknown);
    }

    #[test]
    fn what_was_deleted_can_come_back() {
        let mut gone = seen(None, "a", &[]);
        gone.deleted = true;
        let back = seen(None, "a", &[]);
        assert_eq!(updated(carried(&gone, 1, true), &back), Step::Restored);
        assert_eq!(updated(carried(&gone, 0, true), &back), Step::Deliver);
        let handled = Step::Skip("already handled");
        assert_eq!(created(carried(&gone, 0, true), &back), handled);
    }

    #[test]
    fn a_message_that_failed_half_way_is_edited_like_others() {
        let edited = seen(Some(60), "b", &[]);
        let half = carried(&seen(None, "a", &[]), 1, false);
        assert_eq!(updated(half, &edited), Step::Edited);
        let not_at_all = carried(&Seen::default(), 0, false);
        assert_eq!(updated(not_at_all, &edited), Step::Deliver);
    }

    #[test]
    fn derived_ids_are_stable_and_distinct() {
        let message = message(Some(WRITTEN + Duration::MINUTE));
        let reaction = |kind: &str, label: &str| {
            let reaction = Reaction {
                kind: kind.to_owned(),
                label: Some(label.to_owned()),
                user: None,
                name: None,
            };
            reaction_id(&message.id, &reaction)
        };
        let (chat, account) = ("19:a".parse(), "support".parse());
        let mut state = InboundState::new(chat.expect("an id"), account.expect("a name"));
        let ids = [
            edit_id(&message),
            restored_id(&message),
            deleted_id(&message.id, &state),
            reaction("like", "Like"),
            reaction("heart", "Heart"),
            reaction("custom", "parrot"),
            reaction("custom", "ship"),
        ]
        .map(|id| id.expect("an id"));
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        let translated = reaction("like", "Gefällt mir");
        assert_eq!(translated.as_ref(), Ok(&ids[3]));
        assert_eq!(ids[0].as_str(), "1616-edited-1767323105000");
        assert_eq!(ids[2].as_str(), "1616-deleted");
        state.complete(&ids[1], NOW);
        let again = deleted_id(&message.id, &state).expect("an id");
        assert_eq!(again.as_str(), "1616-deleted-2");
    }
}
