//! Somebody reacts to a message.

use super::case::{Case, Chat, Plan};
use super::series::{Piece, Series};
use super::{changes, customer};
use crate::teams::chat_kind::ChatKind;
use crate::teams::convert::changes as words;
use crate::teams::message::ChatMessage;
use crate::text;

/// Most characters of a reaction: the longest emoji sequences have about ten, and a custom one has a name.
const LONGEST_REACTION: usize = 32;

/// Tells the agent of customers' reactions that are new, where the settings ask for it.
pub(super) fn plan(case: &Case<'_>, chat: Chat<'_>, message: &ChatMessage) -> Result<Plan, Plan> {
    if !case.policy.reactions || message.reactions.is_empty() {
        return Ok(Plan::Skip("no edit"));
    }
    let ours = chat.is_ours(&message.id);
    let is_known = ours || chat.inbound.messages.contains_key(&message.id);
    let Some(conversation) = customer::present(chat).filter(|_| is_known) else {
        return Ok(Plan::Skip("a reaction outside the conversation"));
    };
    let mut told = Vec::new();
    for reaction in &message.reactions {
        let id = changes::reaction_id(&message.id, reaction)?;
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
    Ok(if told.is_empty() {
        Plan::Skip("no new reaction")
    } else {
        Plan::Tell(told)
    })
}
