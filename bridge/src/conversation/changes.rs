//! What a notification means for the agent: something new, something changed, or nothing.

use time::OffsetDateTime;

use super::case::{Case, Chat, Note, OURS, Plan};
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
        return if known.may_be_shown() {
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

/// Tells the agent that a message is gone. One that the agent certainly never got is remembered, so that its own notification, which
/// may come late, does not bring it after all.
pub(super) fn deletion(case: &Case<'_>, chat: Chat<'_>) -> Result<Plan, Plan> {
    gone(case, chat, words::deleted)
}

/// Tells the agent, in these words, that nobody can read a message any more.
pub(super) fn gone(
    case: &Case<'_>,
    chat: Chat<'_>,
    words: fn(OffsetDateTime) -> String,
) -> Result<Plan, Plan> {
    let message = &case.notification.message;
    if chat.is_ours(message) {
        return Ok(Plan::Skip(OURS));
    }
    let carried = chat.inbound.messages.get(message);
    let mut seen = carried.map_or_else(Seen::default, |carried| carried.seen.clone());
    if seen.deleted {
        return Ok(Plan::Skip("known to be deleted"));
    }
    seen.deleted = true;
    let may_be_shown = carried.is_some_and(Carried::may_be_shown);
    let Some(conversation) = present(chat).filter(|_| may_be_shown) else {
        return Ok(Plan::Note(Box::new(Note {
            reason: "deleted before it was delivered",
            message: message.clone(),
            seen,
            complete: true,
        })));
    };
    let text = words(seen.written.unwrap_or(case.now));
    Ok(Plan::Tell(vec![Series {
        id: deleted_id(message, chat.inbound)?,
        original: message.clone(),
        time: case.now,
        pieces: vec![Piece::Text(text)],
        seen: Some(seen),
        is_new_of_customer: false,
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
            is_new_of_customer: false,
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
pub(super) fn deleted_id(
    message: &TeamsMessageId,
    state: &InboundState,
) -> Result<TeamsMessageId, InvalidId> {
    let restored = format!("{}-restored-", message.as_str());
    let known = state.messages.keys();
    let came_back = known.filter(|id| id.as_str().starts_with(&restored));
    match came_back.count() {
        0 => derived(message, "deleted"),
        times => derived(message, &format!("deleted-{}", times + 1)),
    }
}

/// Id of the message that tells of a reaction.
pub(super) fn reaction_id(
    message: &TeamsMessageId,
    reaction: &Reaction,
) -> Result<TeamsMessageId, InvalidId> {
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
