//! A message is gone.

use super::case::{Case, Chat, Note, Plan};
use super::series::{Piece, Series};
use super::{changes, customer};
use crate::teams::convert::changes as words;

/// Tells the agent that a message is gone. One that the agent never got is remembered, so that its own notification, which may
/// come late, does not bring it after all.
pub(super) fn plan(case: &Case<'_>, chat: Chat<'_>) -> Result<Plan, Plan> {
    let message = &case.notification.message;
    if chat.is_ours(message) {
        return Ok(Plan::Skip("our own message"));
    }
    let carried = chat.inbound.messages.get(message);
    let mut seen = carried
        .map(|carried| carried.seen.clone())
        .unwrap_or_default();
    if seen.deleted {
        return Ok(Plan::Skip("known to be deleted"));
    }
    seen.deleted = true;
    let is_shown = carried.is_some_and(|carried| carried.is_shown());
    let Some(conversation) = customer::present(chat).filter(|_| is_shown) else {
        return Ok(Plan::Note(Box::new(Note {
            reason: "deleted before it was delivered",
            message: message.clone(),
            seen,
            complete: true,
        })));
    };
    let text = words::deleted(seen.written.unwrap_or(case.now));
    Ok(Plan::Tell(vec![Series {
        id: changes::deleted_id(message, chat.inbound)?,
        original: message.clone(),
        time: case.now,
        pieces: vec![Piece::Text(text)],
        seen: Some(seen),
        answered: None,
        conversation,
    }]))
}
