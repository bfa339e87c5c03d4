//! What must hold whenever a story is worked off (the invariants of ARCHITECTURE.md, as far as a model has them).

use std::collections::{BTreeMap, BTreeSet};

use bridge::genesys::receipt::ReceiptOutcome;
use bridge::queue::envelope::{Content, Envelope};
use bridge::queue::failed::FailedMessage;
use bridge::teams::notification::ChangeType;

use crate::teams::Written;
use crate::world::{BROKEN, World, chat_id};

/// # Errors
/// The first of them that does not hold.
pub fn hold(world: &World) -> Result<(), String> {
    if let Some(wrong) = world.genesys.wrongs.borrow().first() {
        return Err(wrong.clone());
    }
    nothing_fails_but_in_the_broken_chat(world)?;
    for written in world.teams.written.borrow().iter() {
        if written.ours.is_none() && !is_excused(world, written.chat) {
            the_agent_knows(world, written)?;
        }
    }
    no_message_comes_under_two_ids(world)?;
    nothing_of_ours_comes_back(world)?;
    the_agents_messages_end_well(world)?;
    customers_order_is_kept(world)?;
    agents_order_is_kept(world)
}

/// Whether a chat is broken, so that what is in it may wait or lie in `failed`.
fn is_excused(world: &World, chat: usize) -> bool {
    world.broken.get().is_some() && chat == BROKEN
}

/// A brown-out, however long, moves nothing into `failed`; nor does anything else that passes.
fn nothing_fails_but_in_the_broken_chat(world: &World) -> Result<(), String> {
    let broken = chat_id(BROKEN).digest();
    for name in world.store.names("failed/") {
        let message: FailedMessage = world.store.read(&name).expect("a failed message");
        if world.broken.get().is_none() || message.chat.as_ref() != Some(&broken) {
            let label = message.label();
            return Err(format!(
                "a message ({label}) of a chat that is well lies in failed: {}",
                message.reason
            ));
        }
    }
    Ok(())
}

/// Nothing is lost: the agent has what a message says now, or knows that it is gone.
fn the_agent_knows(world: &World, written: &Written) -> Result<(), String> {
    let (id, word) = (written.message.id.as_str(), &written.word);
    let taken = world.genesys.taken.borrow();
    let of_it: Vec<_> = taken
        .iter()
        .filter(|it| it.series.as_str().starts_with(id))
        .collect();
    // A replay brings what its notification enclosed; a change that Graph never told of, and that is older than the last sweep, no
    // later one finds.
    let is_replayed = written.chat == BROKEN && world.was_broken();
    if written.is_deleted() && is_replayed {
        return Ok(());
    }
    if written.is_deleted() {
        let deleted = format!("{id}-deleted");
        let is_told = of_it.iter().any(|it| it.series.as_str() == deleted);
        return match is_told || of_it.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "the agent has {word} and does not know that it is deleted"
            )),
        };
    }
    let latest = of_it
        .iter()
        .rev()
        .find(|it| it.text.contains(&format!("{word}.")));
    match latest {
        None => Err(format!("{word} is lost: the agent never gets it")),
        Some(latest) if !is_replayed && !latest.text.contains(&written.mark()) => Err(format!(
            "the latest edit of {word} is lost: the agent has {:?}",
            latest.text
        )),
        Some(_) => Ok(()),
    }
}

/// What the agent sees twice has the same id, so that Genesys can tell.
fn no_message_comes_under_two_ids(world: &World) -> Result<(), String> {
    let mut ids: BTreeMap<(usize, String), String> = BTreeMap::new();
    for taken in world.genesys.taken.borrow().iter() {
        // That two messages are deleted is told in the same words.
        if taken.text.starts_with("[deleted]") {
            continue;
        }
        let text = (taken.chat, taken.text.clone());
        let id = ids.entry(text).or_insert_with(|| taken.id.clone());
        if *id != taken.id {
            return Err(format!(
                "the agent gets {:?} as {id} and as {}",
                taken.text, taken.id
            ));
        }
    }
    Ok(())
}

/// No loop.
fn nothing_of_ours_comes_back(world: &World) -> Result<(), String> {
    let written = world.teams.written.borrow();
    let ours: Vec<&Written> = written.iter().filter(|it| it.ours.is_some()).collect();
    for taken in world.genesys.taken.borrow().iter() {
        let is_it = |it: &&&Written| taken.series.as_str().starts_with(it.message.id.as_str());
        if let Some(echo) = ours.iter().find(is_it) {
            return Err(format!("{} comes back to the agent", echo.word));
        }
    }
    Ok(())
}

/// Each is in the chat once and whole, or not at all and failed; and ends with exactly one final state.
fn the_agents_messages_end_well(world: &World) -> Result<(), String> {
    let written = world.teams.written.borrow();
    let receipts = world.genesys.receipts.borrow();
    for said in world.genesys.said.borrow().iter() {
        let id = said.id.as_str();
        let parts = written
            .iter()
            .filter_map(|it| it.ours.as_ref().filter(|part| part.0 == said.id));
        let parts: Vec<usize> = parts.map(|part| part.1).collect();
        if parts.iter().collect::<BTreeSet<_>>().len() < parts.len() {
            return Err(format!("the customer gets a part of {id} twice: {parts:?}"));
        }
        if !parts.is_sorted() {
            return Err(format!("the customer gets the parts of {id} as {parts:?}"));
        }
        let ends: Vec<bool> = receipts
            .iter()
            .filter(|(message, _)| *message == said.id)
            .map(|(_, outcome)| *outcome == ReceiptOutcome::Delivered)
            .collect();
        let is_whole = !parts.is_empty() && parts.len() == said.parts;
        if ends.last() == Some(&true) && !is_whole {
            return Err(format!(
                "{id} is said to be delivered, and {parts:?} of {} are",
                said.parts
            ));
        }
        // What lay in `failed` and was replayed ends once more.
        if said.chat == BROKEN && world.was_broken() {
            continue;
        }
        if said.accepted && !is_whole {
            return Err(format!(
                "{id} was accepted and is lost: {parts:?} of {} are delivered",
                said.parts
            ));
        }
        if said.accepted && ends.is_empty() {
            return Err(format!("{id} has no final receipt"));
        }
        if ends.iter().any(|end| !end) {
            return Err(format!("{id} is delivered, and its receipts say {ends:?}"));
        }
    }
    Ok(())
}

/// Of two messages the one that was written and accepted first comes first. What was accepted late, or found by a catch-up, is
/// told when it is known.
fn customers_order_is_kept(world: &World) -> Result<(), String> {
    let written = world.teams.written.borrow();
    let accepted = world.bus.accepted.borrow();
    let taken = world.genesys.taken.borrow();
    let mut told: Vec<(usize, u64, &Written)> = Vec::new();
    for it in written
        .iter()
        .filter(|it| it.ours.is_none() && !(it.chat == BROKEN && world.was_broken()))
    {
        // The reading of a chat brings what is in it by then, but for what is deleted: that is first told of by its notification,
        // which may come later than the reading.
        let brings = |envelope: &Envelope| match &envelope.content {
            Content::Notification(notification) => {
                notification.message == it.message.id && notification.change != ChangeType::Deleted
            }
            Content::CatchUp(reading) => {
                let written = it.message.created - world.skew;
                !it.is_deleted()
                    && reading.chat == chat_id(it.chat)
                    && envelope.accepted_at >= written
            }
            _ => false,
        };
        let number = accepted.iter().find(|(_, envelope)| brings(envelope));
        let place = taken.iter().position(|taken| taken.series == it.message.id);
        if let (Some((number, _)), Some(place)) = (number, place) {
            told.push((place, *number, it));
        }
    }
    inverted(&told)
}

fn agents_order_is_kept(world: &World) -> Result<(), String> {
    let written = world.teams.written.borrow();
    let durable = world.genesys.durable.borrow();
    let mut told: Vec<(usize, u64, &Written)> = Vec::new();
    for said in world.genesys.said.borrow().iter() {
        if said.chat == BROKEN && world.was_broken() {
            continue;
        }
        let is_it = |it: &Written| it.ours.as_ref().is_some_and(|(id, _)| *id == said.id);
        let place = written.iter().position(is_it);
        if let (Some(number), Some(place)) = (durable.get(&said.id), place) {
            told.push((place, *number, &written[place]));
        }
    }
    inverted(&told)
}

/// `told` is in the order of writing: each with its place among what was delivered, and the number of its acceptance.
fn inverted(told: &[(usize, u64, &Written)]) -> Result<(), String> {
    for (index, (place, number, one)) in told.iter().enumerate() {
        for (later_place, later_number, other) in &told[index + 1..] {
            if one.chat == other.chat && number < later_number && place > later_place {
                let (chat, one, other) = (one.chat, &one.word, &other.word);
                return Err(format!(
                    "in chat {chat} {other} comes before {one}, which was accepted first"
                ));
            }
        }
    }
    Ok(())
}
