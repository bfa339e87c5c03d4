//! Whose conversation a message belongs to: kind of chat, account, customer, thread.

use std::borrow::Cow;

use time::OffsetDateTime;

use super::admission::admit;
use super::case::{Asked, Case, Chat, GroupPolicy, Need, Plan};
use super::profile::{complete, is_due};
use super::series::{Conversation, Learned};
use crate::ids::{Party, SupportAccountName, ThreadId, UserId};
use crate::notices::Language;
use crate::state::customer::{self, Customer, is_guest};
use crate::state::inbound::{Carried, InboundState};
use crate::state::thread::advance;
use crate::teams::chat_kind::ChatKind;
use crate::teams::message::{ChatMessage, Sender};

/// The conversation of a message from outside; a new one is opened.
pub(super) fn conversation(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
    sender: &Sender,
) -> Result<Conversation, Plan> {
    let (state, policy) = (chat.inbound, case.policy);
    let mut learned = Learned::default();
    let kind = match (state.kind, &case.answers.kind) {
        (Some(kind), _) => kind,
        (None, Asked::Told(kind)) => *learned.kind.insert(*kind),
        (None, Asked::NotYet) => return Err(Plan::Need(Need::Kind)),
        (None, Asked::CannotTell) => ChatKind::guess(&state.chat),
    };
    let account = match kind {
        ChatKind::OneOnOne => Some(case.notification.account.clone()),
        _ => account_of_group(case, chat, message),
    };
    let account = account.ok_or(Plan::Skip("not for the agent"))?;
    let sender = identified(chat, kind, sender);
    admit(case, chat, kind, &sender)?;
    let customer = customer(case, chat, kind, message, &sender, &mut learned)?;
    let thread = advance(
        state.thread.as_ref(),
        message.last_edited.unwrap_or(message.created),
        chat.outbound.and_then(|outbound| outbound.last_post),
        policy.window,
        policy.window_policy,
    );
    let is_first_of_day = state
        .thread
        .is_none_or(|before| before.last_message.date() < thread.last_message.date());
    learned.thread = Some(thread);
    learned.language = message.language.map(Language::tag);
    let thread = thread_id(chat, kind, &account, &customer, thread.counter);
    let is_new = present(chat).is_none_or(|present| present.thread != thread);
    Ok(Conversation {
        account,
        kind,
        thread,
        customer,
        is_new,
        is_first_of_day,
        learned,
    })
}

/// The sender with an id, also where Graph tells none that can be read: in a one-to-one chat it is the other side's.
fn identified<'a>(chat: Chat<'_>, kind: ChatKind, sender: &'a Sender) -> Cow<'a, Sender> {
    if sender.user.is_some() {
        return Cow::Borrowed(sender);
    }
    let known = chat.inbound.customer.as_ref();
    let other_side = known.filter(|_| kind == ChatKind::OneOnOne);
    let user = match other_side {
        Some(customer) => customer.user.clone(),
        None => UserId::of_chat(&chat.inbound.chat),
    };
    Cow::Owned(Sender {
        user: Some(user),
        ..sender.clone()
    })
}

/// The account that a group's message is bridged by: the one that the chat has already, else the one that is mentioned, else the
/// one that was notified. `None` when the message is not for the agent.
fn account_of_group(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
) -> Option<SupportAccountName> {
    let policy = case.policy;
    let is_mentioned = |user: &UserId| {
        let mut mentions = message.mentions.iter();
        mentions.any(|mention| mention.user.as_ref() == Some(user))
    };
    let mut accounts = policy.accounts.iter();
    let mentioned = accounts.find(|(_, user)| is_mentioned(user));
    // One group is one conversation, whoever of us is mentioned later.
    let present = &chat.inbound.account;
    let has_one = chat.inbound.thread.is_some() && policy.user_of(present).is_some();
    let account = match mentioned {
        _ if has_one => present,
        Some((name, _)) => name,
        None => &case.notification.account,
    };
    // What the agent has seen stays with the agent, even when an edit took the mention out.
    let carried = chat.inbound.messages.get(&message.id);
    let is_for_the_agent = carried.is_some_and(Carried::is_shown)
        || match policy.groups {
            GroupPolicy::Off => false,
            GroupPolicy::Mention => mentioned.is_some(),
            GroupPolicy::All => mentioned.is_some() || policy.user_of(account).is_some(),
        };
    is_for_the_agent.then(|| account.clone())
}

/// The customer whom the conversation's attributes describe: found out once per window, from the message and, where Graph shows
/// them, the chat's members. In a group it stays the first person from outside who wrote, unless nobody can tell who that was.
fn customer(
    case: &Case<'_>,
    chat: Chat<'_>,
    kind: ChatKind,
    message: &ChatMessage,
    sender: &Sender,
    learned: &mut Learned,
) -> Result<Customer, Plan> {
    let (state, policy) = (chat.inbound, case.policy);
    let is_fresh = state
        .customer_resolved_at
        .is_some_and(|at| message.created - at < policy.window);
    let known = state.customer.as_ref();
    let is_same = known.is_some_and(|known| sender.user.as_ref() == Some(&known.user));
    let is_somebody = known.is_some_and(|known| known.user != UserId::of_chat(&state.chat));
    let stays = match kind {
        ChatKind::OneOnOne => is_fresh && is_same,
        _ => is_fresh || (!is_same && is_somebody),
    };
    if let Some(known) = known.filter(|_| stays) {
        if !is_due(case, known) {
            return Ok(known.clone());
        }
        let customer = complete(case, known.clone(), Some(known))?;
        learned.customer = Some((customer.clone(), state.customer_resolved_at));
        return Ok(customer);
    }
    let members = match (&case.answers.members, known.filter(|_| is_same)) {
        (Asked::Told(members), _) => members.as_slice(),
        (Asked::NotYet, known) => {
            let dispensable = known.is_some();
            return Err(Plan::Need(Need::Members { dispensable }));
        }
        (Asked::CannotTell, Some(known)) => return Ok(known.clone()),
        (Asked::CannotTell, None) => &[],
    };
    let found = customer::resolve(sender, members, &policy.home);
    let customer = found.ok_or(Plan::Skip("not for the agent"))?;
    let customer = complete(case, customer, known)?;
    if kind == ChatKind::OneOnOne || customer.tenant.as_ref() != Some(&policy.home) {
        let was_asked = matches!(case.answers.members, Asked::Told(_));
        learned.customer = Some((customer.clone(), was_asked.then_some(message.created)));
    }
    Ok(customer)
}

/// Whether the sender is not known to be at home in our own tenant; its guests are not, nor is anybody without an Entra id.
pub(super) fn is_outsider(case: &Case<'_>, sender: &Sender, customer: &Customer) -> bool {
    let home = Some(&case.policy.home);
    if !sender.user.as_ref().is_some_and(UserId::is_entra) {
        return true;
    }
    if sender.user.as_ref() == Some(&customer.user) {
        return customer.guest || customer.tenant.as_ref() != home;
    }
    sender.tenant.as_ref() != home || sender.upn.as_deref().is_some_and(is_guest)
}

/// The conversation that the chat already has.
pub(super) fn present(chat: Chat<'_>) -> Option<Conversation> {
    let state = chat.inbound;
    let kind = state.kind.unwrap_or_else(|| ChatKind::guess(&state.chat));
    let customer = state.customer.clone()?;
    let counter = state.thread.as_ref()?.counter;
    Some(Conversation {
        account: state.account.clone(),
        kind,
        thread: thread_id(chat, kind, &state.account, &customer, counter),
        customer,
        is_new: false,
        is_first_of_day: false,
        learned: Learned::default(),
    })
}

/// The present thread of a chat.
#[must_use]
pub fn present_thread(inbound: &InboundState) -> Option<ThreadId> {
    let outbound = None;
    Some(present(Chat { inbound, outbound })?.thread)
}

/// The present conversation, in which something was written at this time without a customer: the window counts from it.
pub(super) fn present_at(chat: Chat<'_>, at: OffsetDateTime) -> Option<Conversation> {
    let mut conversation = present(chat)?;
    let mut thread = chat.inbound.thread?;
    thread.last_message = thread.last_message.max(at);
    conversation.learned.thread = Some(thread);
    Some(conversation)
}

fn thread_id(
    chat: Chat<'_>,
    kind: ChatKind,
    account: &SupportAccountName,
    customer: &Customer,
    counter: u32,
) -> ThreadId {
    ThreadId {
        account: account.clone(),
        party: match kind {
            ChatKind::OneOnOne => Party::of(&customer.user),
            _ => Party::Group(chat.inbound.chat.digest()),
        },
        counter,
    }
}
