//! One customer message, new or changed, on its way to Genesys: chat and thread are saved, then it is posted, then noted as
//! handled.

use bridge::conversation::changes::{self, Step};
use bridge::genesys::inbound::Body;
use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{SupportAccountName, ThreadId};
use bridge::queue::envelope::NotificationEnvelope;
use bridge::state::customer::Customer;
use bridge::state::inbound::Seen;
use bridge::state::thread::ThreadRecord;
use bridge::state::window::advance;
use bridge::teams::chat_kind::ChatType;
use bridge::teams::convert::{self, Inbound};
use bridge::teams::message::{ChatMessage, MessageKind, Sender};
use bridge::teams::notification::ChangeType;
use bridge::teams::to_text::ReplyContext;
use bridge::text;
use time::OffsetDateTime;

use super::chat::{self, ChatMemory};
use super::series::{Conversation, Files, Piece, Series};
use super::{aftermath, choice, content, group};
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::invocation::{Delivery, Outcome};
use crate::threads;

/// Delivers what a notification is about.
///
/// # Errors
/// Retriable ones leave everything ready for another attempt: parts that reached Genesys are not posted again.
pub async fn deliver(
    app: &App,
    delivery: &Delivery,
    notification: &NotificationEnvelope,
    files: &Files,
) -> Result<Outcome, Failure> {
    let mut memory = ChatMemory::load(app, notification).await?;
    if notification.change == ChangeType::Deleted {
        return aftermath::deleted(app, delivery, &mut memory, notification).await;
    }
    if notification.change == ChangeType::Created
        && memory.inbound.is_handled(&notification.message)
    {
        return Ok(Outcome::Skipped("already handled"));
    }
    let mut message = content::read(app, delivery, notification).await?;
    let is_gone = memory
        .inbound
        .seen(&notification.message)
        .is_some_and(|seen| seen.deleted);
    if is_gone && notification.encrypted.is_some() {
        // What a late notification encloses can be from before the deletion; only Graph knows what is true now.
        match content::fresh(app, delivery, notification).await? {
            Some(now) => message = now,
            None => return Ok(Outcome::Skipped("known to be deleted")),
        }
    }
    if message.deleted.is_some() {
        return aftermath::deleted(app, delivery, &mut memory, notification).await;
    }
    let sender = match customer_sender(app, &memory, &message) {
        Ok(sender) => sender,
        Err(OURS) if notification.change == ChangeType::Updated => {
            return aftermath::reactions(app, delivery, &mut memory, notification, &message).await;
        }
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let found = convert::inbound(&message, app.settings.reply_context);
    let seen = changes::seen(
        &message,
        &found.text,
        found.files.iter().map(convert::SentFile::digest).collect(),
    );
    let known = memory.inbound.handled.get(&message.id);
    let now = OffsetDateTime::now_utc();
    let step = changes::step(notification.change, known, &message, &seen, now);
    match step {
        Step::Skip(_) if notification.change == ChangeType::Updated => {
            return aftermath::reactions(app, delivery, &mut memory, notification, &message).await;
        }
        Step::Skip(reason) => return Ok(Outcome::Skipped(reason)),
        Step::Note(reason) => {
            let entry = memory.inbound.entry(&message.id, now);
            let files = entry.seen.files.clone();
            entry.seen = seen;
            entry.seen.files.extend(files);
            memory.save(app).await?;
            return Ok(Outcome::Skipped(reason));
        }
        Step::Deliver | Step::Edited | Step::Restored => {}
    }
    let Some((conversation, kind)) =
        open_conversation(app, delivery, &mut memory, notification, &message, sender).await?
    else {
        return Ok(Outcome::Skipped("not for the agent"));
    };
    let Some(series) = series(app, &memory, kind, &message, sender, found, seen, step)? else {
        return Ok(Outcome::Skipped("nothing to show"));
    };
    series
        .post(app, delivery, &mut memory, &conversation, files)
        .await?;
    Ok(Outcome::Delivered)
}

const OURS: &str = "our own message";

/// The person from outside who wrote the message, or why it is not for the agent.
fn customer_sender<'a>(
    app: &App,
    memory: &ChatMemory,
    message: &'a ChatMessage,
) -> Result<&'a Sender, &'static str> {
    if message.kind != MessageKind::Message {
        return Err("system message");
    }
    let sender = message.from.as_ref().ok_or("no sender")?;
    // A post can come back before its own answer, so the sender decides first; the id covers whatever it does not.
    if memory.is_ours(&message.id)
        || sender
            .user
            .as_ref()
            .is_some_and(|user| app.settings.is_support_user(user))
    {
        return Err(OURS);
    }
    if sender.user.is_none() && sender.application.is_some() {
        return Err("written by an application");
    }
    Ok(sender)
}

/// Finds out whose conversation the message belongs to, and opens its thread. `None` when it is not for the agent.
async fn open_conversation(
    app: &App,
    delivery: &Delivery,
    memory: &mut ChatMemory,
    notification: &NotificationEnvelope,
    message: &ChatMessage,
    sender: &Sender,
) -> Result<Option<(Conversation, ChatType)>, Failure> {
    if sender.user.is_none() {
        // Never silence: a person has to look at whom Graph calls a user by another kind of id.
        return Err(Failure::Permanent(Rejection::new(
            "sender_unsupported",
            "the sender's id is no Entra object id",
            ReasonCode::GeneralError,
        )));
    }
    let account = &notification.account;
    let kind = chat::chat_type(app, delivery, account, &mut memory.inbound).await?;
    let Some(account) = group::account(app, kind, memory, account, message) else {
        return Ok(None);
    };
    let state = &mut memory.inbound;
    let customer = chat::customer(app, delivery, &account, kind, sender, message, state).await?;
    let Some(customer) = customer else {
        return Ok(None);
    };
    let thread = open_thread(app, memory, kind, &account, &customer, message).await?;
    let conversation = Conversation::new(&notification.chat, account, thread, customer);
    Ok(Some((conversation, kind)))
}

/// The thread that the message belongs to. A new one is saved before Genesys hears of it, so that even an answer within
/// milliseconds finds its way back.
async fn open_thread(
    app: &App,
    memory: &mut ChatMemory,
    kind: ChatType,
    account: &SupportAccountName,
    customer: &Customer,
    message: &ChatMessage,
) -> Result<ThreadId, Failure> {
    let after = advance(
        memory.inbound.thread.as_ref(),
        message.last_edited.unwrap_or(message.created),
        memory
            .outbound
            .as_ref()
            .and_then(|outbound| outbound.last_post),
        app.settings.thread_window,
        app.settings.thread_window_policy,
    );
    let chat = &memory.inbound.chat;
    let thread = chat::thread_id(kind, account, chat, customer, after.counter);
    memory.inbound.thread = Some(after);
    memory.inbound.account = account.clone();
    // Cheap for a thread that this process knows; and a chat whose account was renamed has a new thread id, too.
    let record = ThreadRecord::new(&thread, memory.inbound.chat.clone(), account.clone());
    threads::remember(app, &thread, &record).await?;
    Ok(thread)
}

/// What is to be posted: the text, then each file. `None` when there is nothing to show.
#[expect(
    clippy::too_many_arguments,
    reason = "one place that puts all of it together"
)]
fn series(
    app: &App,
    memory: &ChatMemory,
    kind: ChatType,
    message: &ChatMessage,
    sender: &Sender,
    found: Inbound,
    seen: Seen,
    step: Step,
) -> Result<Option<Series>, Failure> {
    let named = |text: String| {
        if kind == ChatType::OneOnOne {
            return text;
        }
        text::with_sender_name(sender.name.as_deref().unwrap_or_default(), &text)
    };
    let known = memory.inbound.seen(&message.id);
    let mut files = found.files;
    let (id, text) = match step {
        Step::Edited => {
            // Of a message that was given up half way nobody knows what the agent has: the edit brings all of it.
            let known = known.filter(|_| memory.inbound.is_handled(&message.id));
            if let Some(known) = known {
                files.retain(|file| !known.files.contains(&file.digest()));
            }
            let text = if known.is_some_and(|known| known.text == seen.text) {
                convert::changes::files_changed()
            } else {
                // What the message answers has not changed, and the agent has seen it.
                let text = convert::inbound(message, ReplyContext::Strip).text;
                convert::changes::edited(&text)
            };
            (changes::edit_id(message).map_err(unnameable)?, text)
        }
        Step::Restored => {
            files.clear();
            let text = convert::changes::restored(&found.text);
            (changes::restored_id(message).map_err(unnameable)?, text)
        }
        _ => (message.id.clone(), found.text),
    };
    let chosen = (step == Step::Deliver && files.is_empty())
        .then(|| choice::of(memory, message, app, kind, &text))
        .flatten();
    let answered = chosen.as_ref().map(|(question, _)| question.clone());
    let mut pieces = Vec::new();
    if let Some((question, choice)) = chosen {
        let otherwise = named(text);
        pieces.push(Piece::Choice {
            body: Body::Choice { question, choice },
            otherwise,
        });
    } else if !text.trim().is_empty() {
        pieces.push(Piece::Text(named(text)));
    } else if kind != ChatType::OneOnOne && !files.is_empty() {
        // In a group the agent must see who sends the files that follow.
        pieces.push(Piece::Text(named("[sends files]".to_owned())));
    }
    pieces.extend(files.into_iter().map(Piece::File));
    if pieces.is_empty() {
        return Ok(None);
    }
    // Files seen earlier are not sent again when a later edit has them back.
    let mut seen = seen;
    if let Some(known) = known {
        seen.files.extend(known.files.iter().cloned());
    }
    Ok(Some(Series {
        id,
        original: message.id.clone(),
        etag: message.etag.clone(),
        time: match step {
            Step::Edited => message.last_edited.unwrap_or(message.created),
            _ => message.created,
        },
        pieces,
        seen: Some(seen),
        answered,
    }))
}

/// A message whose id is so long that nothing can be derived from it.
pub(super) fn unnameable(_: bridge::ids::InvalidId) -> Failure {
    Failure::Permanent(Rejection::new(
        "message_unnameable",
        "the message's id is too long for a change of it to have one",
        ReasonCode::InvalidMessageStructure,
    ))
}
