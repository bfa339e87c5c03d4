//! What happens to a message after the agent has it: it is deleted, or somebody reacts to it.

use bridge::conversation::changes;
use bridge::ids::TeamsMessageId;
use bridge::queue::envelope::NotificationEnvelope;
use bridge::teams::chat_kind::ChatType;
use bridge::teams::convert::changes as words;
use bridge::teams::message::{ChatMessage, Reaction};
use bridge::text;
use time::OffsetDateTime;

use super::chat::{self, ChatMemory};
use super::message::unnameable;
use super::series::{Conversation, Files, Piece, Series};
use crate::app::App;
use crate::failure::Failure;
use crate::invocation::{Delivery, Outcome};

/// Tells the agent that a message is gone. One that the agent never got is remembered, so that its own notification, which
/// may come late, does not bring it after all.
pub async fn deleted(
    app: &App,
    delivery: &Delivery,
    memory: &mut ChatMemory,
    notification: &NotificationEnvelope,
) -> Result<Outcome, Failure> {
    let message = &notification.message;
    if memory.is_ours(message) {
        return Ok(Outcome::Skipped("our own message"));
    }
    let now = OffsetDateTime::now_utc();
    let entry = memory.inbound.entry(message, now);
    if entry.seen.deleted {
        return Ok(Outcome::Skipped("known to be deleted"));
    }
    let written = entry.seen.written;
    let mut seen = entry.seen.clone();
    seen.deleted = true;
    let was_shown = !entry.genesys.is_empty();
    let conversation = present_conversation(memory);
    let (true, Some((conversation, _))) = (was_shown, conversation) else {
        memory.inbound.entry(message, now).seen = seen;
        memory.inbound.complete(message, now);
        memory.save(app).await?;
        return Ok(Outcome::Skipped("deleted before it was delivered"));
    };
    let text = words::deleted(written.unwrap_or(now));
    let series = Series {
        id: changes::deleted_id(message, &memory.inbound).map_err(unnameable)?,
        original: message.clone(),
        etag: None,
        time: now,
        pieces: vec![Piece::Text(text)],
        seen: Some(seen),
        answered: None,
    };
    series
        .post(app, delivery, memory, &conversation, &Files::default())
        .await?;
    Ok(Outcome::Delivered)
}

/// Tells the agent of customers' reactions that are new, where the settings ask for it.
pub async fn reactions(
    app: &App,
    delivery: &Delivery,
    memory: &mut ChatMemory,
    notification: &NotificationEnvelope,
    message: &ChatMessage,
) -> Result<Outcome, Failure> {
    if !app.settings.reactions || message.reactions.is_empty() {
        return Ok(Outcome::Skipped("no edit"));
    }
    let ours = memory.is_ours(&notification.message);
    let is_known = ours || memory.inbound.handled.contains_key(&notification.message);
    let Some((conversation, kind)) = present_conversation(memory).filter(|_| is_known) else {
        return Ok(Outcome::Skipped("a reaction outside the conversation"));
    };
    let mut told = false;
    for reaction in &message.reactions {
        let id = changes::reaction_id(&message.id, reaction).map_err(unnameable)?;
        let by_us = reaction
            .user
            .as_ref()
            .is_none_or(|user| app.settings.is_support_user(user));
        if by_us || memory.inbound.is_handled(&id) {
            continue;
        }
        let series = reaction_series(id, message, reaction, ours, kind);
        series
            .post(app, delivery, memory, &conversation, &Files::default())
            .await?;
        told = true;
    }
    Ok(if told {
        Outcome::Delivered
    } else {
        Outcome::Skipped("no new reaction")
    })
}

fn reaction_series(
    id: TeamsMessageId,
    message: &ChatMessage,
    reaction: &Reaction,
    ours: bool,
    kind: ChatType,
) -> Series {
    let symbol = words::reaction_symbol(&reaction.kind);
    let symbol = text::one_line(symbol, LONGEST_REACTION);
    let mut text = words::reaction(&symbol, ours, message.created);
    if kind != ChatType::OneOnOne {
        text = text::with_sender_name(reaction.name.as_deref().unwrap_or_default(), &text);
    }
    Series {
        original: id.clone(),
        id,
        etag: None,
        time: OffsetDateTime::now_utc(),
        pieces: vec![Piece::Text(text)],
        seen: None,
        answered: None,
    }
}

/// Most characters of a reaction; the longest emoji sequences have about ten.
const LONGEST_REACTION: usize = 32;

/// The conversation that the chat already has; what happens to its messages opens no new one.
fn present_conversation(memory: &ChatMemory) -> Option<(Conversation, ChatType)> {
    let state = &memory.inbound;
    let kind = state.chat_type?;
    let customer = state.customer.clone()?;
    let counter = state.thread.as_ref()?.counter;
    let account = state.account.clone();
    let thread = chat::thread_id(kind, &account, &state.chat, &customer, counter);
    let conversation = Conversation::new(&state.chat, account, thread, customer);
    Some((conversation, kind))
}
