//! One customer message on its way to Genesys: chat and thread are saved, then it is posted, then noted as handled.

use std::collections::BTreeMap;

use bridge::attributes::custom_attributes;
use bridge::chat_kind::ChatType;
use bridge::convert;
use bridge::envelope::NotificationEnvelope;
use bridge::genesys::inbound::{self, part_message_id};
use bridge::genesys::receipt::ReasonCode;
use bridge::groups;
use bridge::identity::Customer;
use bridge::ids::{SupportAccountName, ThreadId};
use bridge::message::{ChatMessage, MessageKind, Sender};
use bridge::notification::ChangeType;
use bridge::split::split;
use bridge::state::thread::ThreadRecord;
use bridge::thread::advance;
use bytes::Bytes;
use time::OffsetDateTime;

use super::chat::{self, ChatMemory};
use super::{call_genesys, content};
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::invocation::{Delivery, Outcome};
use crate::persistence::Work;
use crate::threads;

/// Delivers what a notification is about.
///
/// # Errors
/// Retriable ones leave everything ready for another attempt: parts that reached Genesys are not posted again.
pub async fn deliver(
    app: &App,
    delivery: &Delivery,
    notification: &NotificationEnvelope,
) -> Result<Outcome, Failure> {
    if notification.change != ChangeType::Created {
        return Ok(Outcome::Skipped("edits and deletions are not bridged"));
    }
    let mut memory = ChatMemory::load(app, notification).await?;
    if memory.inbound.is_handled(&notification.message) {
        return Ok(Outcome::Skipped("already handled"));
    }
    let message = content::read(app, delivery, notification).await?;
    let sender = match customer_sender(app, &memory, &message) {
        Ok(sender) => sender,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
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
    let account = match group_account(app, kind, &memory, account, &message) {
        Some(account) => account,
        None => return Ok(Outcome::Skipped("not for the agent")),
    };
    let state = &mut memory.inbound;
    let customer = chat::customer(app, delivery, &account, kind, sender, &message, state).await?;
    let Some(customer) = customer else {
        return Ok(Outcome::Skipped("no sender"));
    };
    let text = text(kind, sender, &message);
    if text.trim().is_empty() {
        return Ok(Outcome::Skipped("nothing to show"));
    }

    let thread = open_thread(app, &mut memory, kind, &account, &customer, &message).await?;
    let attributes = custom_attributes(&customer, &notification.chat, &account);
    post_parts(
        app,
        delivery,
        &mut memory,
        &message,
        &Posting {
            thread,
            customer,
            attributes,
            text,
        },
    )
    .await?;
    Ok(Outcome::Delivered)
}

/// The person from outside who wrote the message, or why it is not for the agent.
fn customer_sender<'a>(
    app: &App,
    memory: &ChatMemory,
    message: &'a ChatMessage,
) -> Result<&'a Sender, &'static str> {
    if message.kind != MessageKind::Message {
        return Err("system message");
    }
    if message.deleted.is_some() {
        return Err("deleted meanwhile");
    }
    let sender = message.from.as_ref().ok_or("no sender")?;
    // A post can come back before its own answer, so the sender decides first; the id covers whatever it does not.
    let ours = memory
        .outbound
        .as_ref()
        .is_some_and(|outbound| outbound.is_ours(&message.id));
    if ours
        || sender
            .user
            .as_ref()
            .is_some_and(|user| app.settings.is_support_user(user))
    {
        return Err("our own message");
    }
    if sender.user.is_none() && sender.application.is_some() {
        return Err("written by an application");
    }
    Ok(sender)
}

/// The Support User that a chat's messages are bridged by: in a group the one that is mentioned, else the one that the chat
/// already has. `None` when the group's messages are not for the agent.
fn group_account(
    app: &App,
    kind: ChatType,
    memory: &ChatMemory,
    notified: &SupportAccountName,
    message: &ChatMessage,
) -> Option<SupportAccountName> {
    if kind == ChatType::OneOnOne {
        return Some(notified.clone());
    }
    let policy = app.settings.group_chats;
    let mentioned = app.settings.support_accounts.iter().find(|account| {
        message
            .mentions
            .iter()
            .any(|mention| mention.user.as_ref() == Some(&account.user))
    });
    let account = match (mentioned, &memory.inbound.thread) {
        (Some(mentioned), None) => mentioned.name.clone(),
        // One group is one conversation, whoever of us is mentioned later.
        (_, Some(_))
            if app
                .settings
                .support_account(&memory.inbound.account)
                .is_some() =>
        {
            memory.inbound.account.clone()
        }
        (Some(mentioned), Some(_)) => mentioned.name.clone(),
        (None, _) => notified.clone(),
    };
    let user = match mentioned {
        Some(mentioned) => &mentioned.user,
        None => &app.settings.support_account(&account)?.user,
    };
    groups::accepts(policy, message, user).then_some(account)
}

fn text(kind: ChatType, sender: &Sender, message: &ChatMessage) -> String {
    let text = convert::inbound_text(message);
    if kind == ChatType::OneOnOne || text.trim().is_empty() {
        return text;
    }
    convert::with_sender_name(sender.name.as_deref().unwrap_or_default(), &text)
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
        message.created,
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

struct Posting {
    thread: ThreadId,
    customer: Customer,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// Posts the parts that have not been posted yet and notes each.
async fn post_parts(
    app: &App,
    delivery: &Delivery,
    memory: &mut ChatMemory,
    message: &ChatMessage,
    posting: &Posting,
) -> Result<(), Failure> {
    let parts = split(&posting.text, app.settings.genesys_text_limit);
    let subject = memory.inbound.chat.digest();
    let noted = memory.inbound.handled.get(&message.id);
    let noted = noted
        .map(|handled| handled.genesys.clone())
        .unwrap_or_default();
    // A note that seemed to fail may have been written all the same.
    let known = app
        .unsaved
        .of(&subject, &message.id)
        .into_iter()
        .filter(|id| !noted.contains(id));
    for (index, id) in known.enumerate() {
        let complete = memory.inbound.parts_done(&message.id) + 1 == parts.len();
        tracing::info!(
            event = "unsaved_part_noted",
            part = index + 1,
            "an earlier attempt had posted it"
        );
        memory.inbound.record_part(
            &message.id,
            message.etag.clone(),
            id,
            OffsetDateTime::now_utc(),
            complete,
        );
    }
    // A state that cannot be written must show before the post, or each attempt would post again.
    memory.save(app).await?;
    app.unsaved.forget(&subject, &message.id);
    for (index, part) in parts
        .iter()
        .enumerate()
        .skip(memory.inbound.parts_done(&message.id))
    {
        let body = inbound::Message {
            thread: &posting.thread,
            name: posting.customer.name.as_deref(),
            time: message.created,
            message_id: &part_message_id(&message.id, index + 1),
            text: part,
            attributes: &posting.attributes,
        }
        .to_json();
        let posted = call_genesys(
            app,
            delivery,
            Work::Message,
            &subject,
            app.genesys
                .post_message(Bytes::from(body), delivery.correlation.as_str()),
        )
        .await?;
        // Should the note fail, this process at least knows what Genesys has.
        app.unsaved.add(&subject, &message.id, posted.id.clone());
        let complete = index + 1 == parts.len();
        memory.inbound.record_part(
            &message.id,
            message.etag.clone(),
            posted.id,
            OffsetDateTime::now_utc(),
            complete,
        );
        memory.save(app).await?;
        app.unsaved.forget(&subject, &message.id);
    }
    Ok(())
}
