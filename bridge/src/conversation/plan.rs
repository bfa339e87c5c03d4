//! The decision about a notification.

use std::borrow::Cow;

use time::Duration;

use super::case::{Asked, Case, Chat, Need, Note, OURS, Plan};
use super::changes::{self, Step};
use super::choice;
use super::customer::{conversation, is_outsider, present_at};
use super::series::{Conversation, Piece, Series};
use crate::ids::Digest;
use crate::state::KEPT;
use crate::state::inbound::Seen;
use crate::state::question::Answered;
use crate::teams::chat_kind::ChatKind;
use crate::teams::convert::{self, Inbound, SentFile};
use crate::teams::message::{ChatMessage, MessageKind, Sender};
use crate::teams::notification::ChangeType;
use crate::teams::to_text::ReplyContext;
use crate::text;

/// How much younger than [`KEPT`] a message must be to be told from our own posts: the clocks of Graph and ours differ.
const MARGIN: Duration = Duration::hours(1);

/// Why a file of our own tenant goes as a link.
pub(super) const OUR_OWN_FILE: &str =
    "It was not fetched: it lies with our own organization. Whoever has access there can open it.";

/// What a notification means for the agent, as far as it can be told from what is known. After [`Plan::Need`] the same is to be
/// asked again with the answer.
#[must_use]
pub fn plan(case: &Case<'_>) -> Plan {
    let plan = match decide(case) {
        Ok(plan) | Err(plan) => plan,
    };
    let is_held = case
        .chat
        .is_some_and(|chat| chat.inbound.is_held_from(case.holder, case.now));
    match plan {
        Plan::Note(_) | Plan::Tell(_) if is_held => Plan::Wait,
        plan => plan,
    }
}

fn decide(case: &Case<'_>) -> Result<Plan, Plan> {
    let notification = case.notification;
    let change = notification.change;
    let encloses = notification.encrypted.is_some();
    if encloses && change != ChangeType::Deleted {
        case.message()?;
    }
    // What this process posted itself needs no look into any state.
    if case.answers.is_own_post && (change != ChangeType::Updated || !case.policy.reactions) {
        return Ok(Plan::Skip(OURS));
    }
    let chat = case.chat()?;
    if change == ChangeType::Deleted {
        return changes::deletion(case, chat);
    }
    if change == ChangeType::Created && chat.inbound.is_complete(&notification.message) {
        return Ok(Plan::Skip("already handled"));
    }
    let carried = chat.inbound.messages.get(&notification.message);
    let message = if encloses && carried.is_some_and(|carried| carried.seen.deleted) {
        // What a late notification encloses can be from before the deletion; only Graph knows what is true now.
        match &case.answers.fresh {
            Asked::NotYet => return Err(Plan::Need(Need::Fresh)),
            Asked::Told(Some(message)) => message,
            Asked::Told(None) | Asked::CannotTell => return Ok(Plan::Skip("known to be deleted")),
        }
    } else {
        case.message()?
    };
    if message.deleted.is_some() {
        return changes::deletion(case, chat);
    }
    if message.blocked && carried.is_some_and(|carried| carried.seen.deleted && carried.complete) {
        return Ok(Plan::Skip("known to be blocked"));
    }
    let author = match author(case, chat, message) {
        Ok(author) => author,
        Err(OURS) if change == ChangeType::Updated => {
            return changes::reactions(case, chat, message);
        }
        Err(reason) => return Ok(Plan::Skip(reason)),
    };
    let found = convert::inbound(message, case.policy.replies, &|id| chat.is_on_record(id));
    let seen = seen(&found, message);
    let step = match carried {
        _ if !message.blocked => changes::step(change, carried, message, &seen, case.now),
        Some(carried) if carried.may_be_shown() => {
            return changes::gone(case, chat, convert::changes::blocked);
        }
        // The agent hears of it in place of the message.
        _ => Step::Deliver,
    };
    match step {
        Step::Skip(_) if change == ChangeType::Updated => changes::reactions(case, chat, message),
        Step::Skip(reason) => Ok(Plan::Skip(reason)),
        Step::Note(reason) => Ok(Plan::Note(Box::new(Note {
            reason,
            message: message.id.clone(),
            seen: with_earlier_files(seen, chat, message),
            complete: false,
        }))),
        step => tell(case, chat, message, &author, found, seen, step),
    }
}

/// Who wrote a message that is for the agent.
struct Author<'a> {
    sender: &'a Sender,
    /// A colleague who uses the Support User's account by hand; else somebody from outside.
    by_hand: bool,
}

/// Who wrote the message, or why it is not for the agent.
fn author<'a>(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &'a ChatMessage,
) -> Result<Author<'a>, &'static str> {
    if message.kind != MessageKind::Message {
        return Err("system message");
    }
    let sender = message.from.as_ref().ok_or("no sender")?;
    if chat.is_ours(&message.id) {
        return Err(OURS);
    }
    let by_hand = case.policy.is_from_us(message);
    if by_hand {
        // A post can come back before its own answer, and after a crash nobody may know its id: then its text tells.
        if chat.is_ours_by_text(message) {
            return Err(OURS);
        }
        let is_known = chat.inbound.messages.contains_key(&message.id);
        if !is_known && case.now - message.created > KEPT - MARGIN {
            return Err("too old to be told from our own messages");
        }
    } else if sender.user.is_none() && sender.application.is_some() {
        return Err("written by an application");
    }
    Ok(Author { sender, by_hand })
}

/// What a message is now, for comparison with what it is later.
fn seen(found: &Inbound, message: &ChatMessage) -> Seen {
    Seen {
        written: Some(message.created),
        edited: message.last_edited,
        text: Some(Digest::of("converted text", &own_words(found, message))),
        files: found.files.iter().map(SentFile::digest).collect(),
        deleted: message.blocked,
    }
}

/// The text without what it answers: the agent has seen that, and the marks at quotes can change while the message does not.
fn own_words<'a>(found: &'a Inbound, message: &ChatMessage) -> Cow<'a, str> {
    match found.quotes {
        true => Cow::Owned(convert::inbound(message, ReplyContext::Strip, &|_| true).text),
        false => Cow::Borrowed(&found.text),
    }
}

/// Files that were seen earlier are not sent again when a later edit has them back.
fn with_earlier_files(mut seen: Seen, chat: Chat<'_>, message: &ChatMessage) -> Seen {
    if let Some(carried) = chat.inbound.messages.get(&message.id) {
        seen.files.extend(carried.seen.files.iter().cloned());
    }
    seen
}

/// What is to be posted: the text, then each file.
fn tell(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
    author: &Author<'_>,
    found: Inbound,
    seen: Seen,
    step: Step,
) -> Result<Plan, Plan> {
    let Author { sender, by_hand } = *author;
    let conversation = match by_hand {
        false => conversation(case, chat, message, sender)?,
        true => present_at(chat, message.created)
            .ok_or(Plan::Skip("written by hand outside a conversation"))?,
    };
    let name = sender.shown_name().unwrap_or_default();
    // In a group the agent must see who writes; and what was written by hand is never the customer's.
    let is_named = by_hand || conversation.kind != ChatKind::OneOnOne;
    let named = |text: &str| match by_hand {
        true => convert::changes::by_hand(name, text),
        false if is_named => text::with_sender_name(name, text),
        false => text.to_owned(),
    };
    let (id, time, text, files) = match step {
        Step::Edited => {
            let (text, files) = edit(case, chat, message, found, &seen);
            let time = message.last_edited.unwrap_or(message.created);
            (changes::edit_id(message)?, time, text, files)
        }
        Step::Restored => {
            let text = convert::changes::restored(&found.text);
            let id = changes::restored_id(message)?;
            (id, message.created, text, Vec::new())
        }
        _ => (message.id.clone(), message.created, found.text, found.files),
    };
    let can_choose = step == Step::Deliver && files.is_empty() && !by_hand;
    let chosen = can_choose
        .then(|| choice::piece(case, chat, message, named))
        .flatten();
    // Whoever answers by hand closes the question as the agent would.
    let answered = choice::open_question(chat, message.created)
        .filter(|_| by_hand || chosen.is_some())
        .map(|question| match by_hand {
            true => Answered::by(&message.id, &question.message),
            false => Answered::by_words(&message.id, question),
        });
    let mut pieces = Vec::new();
    match chosen {
        Some(choice) => pieces.push(choice),
        None if !text.trim().is_empty() => pieces.push(Piece::Text(named(&text))),
        None if is_named && !files.is_empty() => pieces.push(Piece::Text(named("[sends files]"))),
        None => {}
    }
    for file in files {
        pieces.push(file_piece(case, author, &conversation, file)?);
    }
    if pieces.is_empty() {
        return Ok(Plan::Skip("nothing to show"));
    }
    Ok(Plan::Tell(vec![Series {
        id,
        original: message.id.clone(),
        time,
        pieces,
        seen: Some(with_earlier_files(seen, chat, message)),
        is_new_of_customer: step == Step::Deliver && !by_hand,
        answered,
        conversation,
    }]))
}

/// What is told of an edit: its text, where that changed, and its new files.
fn edit(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
    found: Inbound,
    seen: &Seen,
) -> (String, Vec<SentFile>) {
    // Of a message that was given up half way nobody knows what the agent has: the edit brings all of it.
    let carried = chat.inbound.messages.get(&message.id);
    let carried = carried.filter(|carried| carried.complete);
    let text = match carried {
        Some(carried) if carried.seen.text == seen.text => convert::changes::files_changed(),
        _ => match choice::of_edit(case, chat, message) {
            // Who reads it there does not see the numbers.
            Some(choice) => convert::changes::edited(&choice.text),
            None => convert::changes::edited(&own_words(&found, message)),
        },
    };
    let mut files = found.files;
    if let Some(carried) = carried {
        files.retain(|file| !carried.seen.files.contains(&file.digest()));
    }
    (text, files)
}

/// A file to fetch. What lies with our own tenant is not fetched for somebody from outside: the Support User may see more there
/// than the sender may.
fn file_piece(
    case: &Case<'_>,
    author: &Author<'_>,
    conversation: &Conversation,
    file: SentFile,
) -> Result<Piece, Plan> {
    let is_outsiders = !author.by_hand && is_outsider(case, author.sender, &conversation.customer);
    if !is_outsiders || !matches!(file, SentFile::Shared { .. }) {
        return Ok(Piece::File(file));
    }
    match &case.answers.file_hosts {
        Asked::NotYet => Err(Plan::Need(Need::FileHosts)),
        Asked::Told(hosts) if hosts.iter().any(|host| file.is_of_host(host)) => {
            Ok(Piece::Text(file.notice(OUR_OWN_FILE)))
        }
        Asked::Told(_) | Asked::CannotTell => Ok(Piece::File(file)),
    }
}
