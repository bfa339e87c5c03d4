//! Forgetting a person: which of all that is stored is about somebody, and what becomes of it.
//!
//! A chat of two belongs to its customer, so all of it goes. In a group's chat a person is known as the one whom the conversation's
//! attributes describe, and nothing tells who wrote which message or file: the description goes, and the group's conversation stays.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::genesys::webhook::Webhook;
use crate::ids::{ChatId, Digest, Lane, Party, SupportAccountName, TenantId, ThreadId, UserId};
use crate::queue::envelope::{Content, Envelope};
use crate::queue::failed::FailedMessage;
use crate::state::blobs;
use crate::state::customer::Customer;
use crate::state::inbound::{InboundState, UNDER_WAY};
use crate::state::outbound::OutboundState;
use crate::state::thread::ThreadRecord;
use crate::teams::chat_kind::ChatKind;

/// How long a message of which a part is delivered counts as being on its way. Until then its chat's state tells the next attempt
/// where to go on; a message that is not whole after that was given up, or waits for a service that is down.
const HALF_WAY_FOR: Duration = Duration::minutes(15);

/// Who is to be forgotten. `Debug` shows digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    user: UserId,
    tenant: Option<TenantId>,
}

/// An id that does not name a person in the way that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPerson {
    /// It is no object id.
    #[error("an object id in Entra ID is a GUID like 0f0e0d0c-0000-4000-8000-00000000000a")]
    NotInEntra,
    /// It is one.
    #[error("that is an object id in Entra ID, which is named together with its tenant")]
    InEntra,
}

impl Person {
    /// Somebody with an account in Entra ID.
    ///
    /// # Errors
    /// The id is none of such an account.
    pub fn in_entra(tenant: TenantId, user: UserId) -> Result<Self, NoPerson> {
        let tenant = Some(tenant);
        let person = user.is_entra().then_some(Self { user, tenant });
        person.ok_or(NoPerson::NotInEntra)
    }

    /// Somebody without one, by the id that Graph gives (a personal Microsoft account, a guest of a meeting, a phone).
    ///
    /// # Errors
    /// The id is one of Entra ID, which leads to somebody only together with a tenant.
    pub fn without_account(user: UserId) -> Result<Self, NoPerson> {
        let tenant = None;
        let person = (!user.is_entra()).then_some(Self { user, tenant });
        person.ok_or(NoPerson::InEntra)
    }

    /// Whether the id of a chat of two (`19:{user}_{user}@unq.gbl.spaces`) names the person.
    fn is_named_by(&self, chat: &ChatId) -> bool {
        let id = chat.as_str().to_lowercase();
        let users = id.strip_prefix("19:").and_then(|it| it.split_once('@'));
        let mut users = users.map_or("", |(users, _)| users).split('_');
        ChatKind::guess(chat) == ChatKind::OneOnOne
            && self.user.is_entra()
            && users.any(|user| user == self.user.as_str())
    }

    /// Whether bytes that nobody can read name the person, as far as an id can be told from other text.
    fn is_named_in(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body).to_lowercase();
        self.user.is_entra() && text.contains(self.user.as_str())
    }
}

/// How much of something is about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// All of it: it goes.
    All,
    /// It is about a group in which the person is known to be.
    OfGroup,
    /// Nothing, for all that can be told.
    None,
}

/// What is known of where a person's data lie. Chats and threads are looked at first: they tell whose the rest is. What was seen
/// once stays seen, so that what is left of a chat is found when its state is gone already.
#[derive(Debug, Clone)]
pub struct Traces {
    person: Person,
    own: BTreeSet<Digest>,
    groups: BTreeSet<Digest>,
    lanes: BTreeSet<String>,
    tenants: BTreeSet<TenantId>,
}

impl Traces {
    /// Nothing was looked at yet.
    #[must_use]
    pub fn of(person: Person) -> Self {
        Self {
            person,
            own: BTreeSet::new(),
            groups: BTreeSet::new(),
            lanes: BTreeSet::new(),
            tenants: BTreeSet::new(),
        }
    }

    /// The chats of two that are the person's, by their digests.
    pub fn own_chats(&self) -> impl Iterator<Item = &Digest> {
        self.own.iter()
    }

    /// The chats of groups that the person described, by their digests.
    pub fn groups(&self) -> impl Iterator<Item = &Digest> {
        self.groups.iter()
    }

    /// Whether chats tell of a person with this id, and of none in this tenant: somebody mistook one for another.
    #[must_use]
    pub fn are_of_another_tenant(&self) -> bool {
        let tenant = self.person.tenant.as_ref();
        !self.tenants.is_empty() && tenant.is_some_and(|tenant| !self.tenants.contains(tenant))
    }

    /// Whose a chat is, by its state on the way to Genesys.
    pub fn see_chat(&mut self, state: &InboundState) -> Share {
        let described = state.customer.as_ref();
        let described = described.filter(|customer| customer.user == self.person.user);
        if let Some(tenant) = described.and_then(|customer| customer.tenant.clone()) {
            self.tenants.insert(tenant);
        }
        match state.kind.unwrap_or_else(|| ChatKind::guess(&state.chat)) {
            ChatKind::OneOnOne if described.is_some() || self.person.is_named_by(&state.chat) => {
                self.see_own(&state.chat, &state.account);
                Share::All
            }
            ChatKind::Group | ChatKind::Meeting if described.is_some() => {
                self.groups.insert(state.chat.digest());
                Share::OfGroup
            }
            _ => Share::None,
        }
    }

    /// Whose a chat is, by its state on the way to Teams, which can be all that is left of it.
    pub fn see_posts(&mut self, state: &OutboundState) -> Share {
        let chat = state.chat.digest();
        if self.person.is_named_by(&state.chat) {
            self.own.insert(chat.clone());
        }
        self.of_chat(&chat)
    }

    /// Whose a thread is, and with it the chat it leads to.
    pub fn see_thread(&mut self, record: &ThreadRecord) -> Share {
        let share = self.of_party(&record.thread.party);
        if share == Share::All {
            self.see_own(&record.chat, &record.account);
        }
        share
    }

    fn see_own(&mut self, chat: &ChatId, account: &SupportAccountName) {
        let thread = ThreadId {
            account: account.clone(),
            party: Party::of(&self.person.user),
            counter: 0,
        };
        let lanes = [
            Lane::inbound(chat),
            Lane::notices(account, chat),
            Lane::of_thread(&thread),
            Lane::receipts(&thread.to_string()),
        ];
        self.lanes
            .extend(lanes.iter().map(|lane| lane.as_str().to_owned()));
        self.own.insert(chat.digest());
    }

    /// Whose something of a chat is.
    #[must_use]
    pub fn of_chat(&self, chat: &Digest) -> Share {
        match chat {
            chat if self.own.contains(chat) => Share::All,
            chat if self.groups.contains(chat) => Share::OfGroup,
            _ => Share::None,
        }
    }

    /// Whose a failed message is, by its blob.
    #[must_use]
    pub fn of_failed(&self, blob: &str, body: &[u8]) -> Share {
        let Ok(message) = FailedMessage::parse(body) else {
            let mut lanes = self.lanes.iter();
            let is_own = lanes.any(|lane| blob.starts_with(Digest::of("lane", lane).as_str()));
            return all_if(is_own || self.person.is_named_in(body));
        };
        let by_chat = message
            .chat()
            .map_or(Share::None, |chat| self.of_chat(&chat));
        if by_chat != Share::None {
            return by_chat;
        }
        if self.lanes.contains(&message.lane) {
            return Share::All;
        }
        match message.envelope() {
            Ok(envelope) => self.of_content(&envelope),
            Err(_) => all_if(self.person.is_named_in(body)),
        }
    }

    /// Whose an envelope is that lies in Blob: the content of a large message, or a message that waits for its queue.
    #[must_use]
    pub fn of_envelope(&self, body: &[u8]) -> Share {
        match Envelope::parse(body) {
            Ok(envelope) => self.of_content(&envelope),
            Err(_) => all_if(self.person.is_named_in(body)),
        }
    }

    fn of_content(&self, envelope: &Envelope) -> Share {
        match &envelope.content {
            Content::Notification(notification) => self.of_named_chat(&notification.chat),
            Content::Notice(notice) => self.of_named_chat(&notice.chat),
            Content::CatchUp(reading) => self.of_named_chat(&reading.chat),
            Content::Activity(activity) => match self.of_named_chat(&activity.chat) {
                // The id of a bot's conversation names nobody, and the first message may be in no state yet.
                Share::None => all_if(self.person.is_named_in(activity.activity.as_bytes())),
                share => share,
            },
            Content::Answered(answered) => self.of_named_chat(&answered.chat),
            Content::Ending(ending) => self.of_named_chat(&ending.chat),
            Content::Ended(ended) => self.of_party(&ended.thread.party),
            Content::AgentMessage(message) => {
                let body = message.body();
                match Webhook::parse(&body, envelope.accepted_at) {
                    Ok(webhook) => self.of_addressee(&webhook.to),
                    Err(_) => all_if(self.person.is_named_in(&body)),
                }
            }
            Content::Receipt(receipt) => self.of_addressee(&receipt.to),
            Content::Lifecycle(_) | Content::Claim { .. } => Share::None,
        }
    }

    fn of_named_chat(&self, chat: &ChatId) -> Share {
        match self.person.is_named_by(chat) {
            true => Share::All,
            false => self.of_chat(&chat.digest()),
        }
    }

    fn of_addressee(&self, thread: &str) -> Share {
        match thread.parse::<ThreadId>() {
            Ok(thread) => self.of_party(&thread.party),
            Err(_) => all_if(self.person.is_named_in(thread.as_bytes())),
        }
    }

    fn of_party(&self, party: &Party) -> Share {
        match party {
            Party::Group(chat) => self.of_chat(chat),
            party => all_if(*party == Party::of(&self.person.user)),
        }
    }
}

fn all_if(is_own: bool) -> Share {
    match is_own {
        true => Share::All,
        false => Share::None,
    }
}

/// Whether a message of the chat is on its way to Genesys: to whoever delivers it the state is not to change now.
#[must_use]
pub fn is_sending(state: &InboundState, now: OffsetDateTime) -> bool {
    let sending = state.sending.as_ref();
    let mut messages = state.messages.values();
    // A clock that runs far ahead must not hold the chat.
    sending.is_some_and(|sending| (now - sending.at).abs() < UNDER_WAY)
        || messages.any(|it| {
            let is_half_way = it.is_shown() && !it.complete && !it.given_up;
            is_half_way && (now - it.at).abs() < HALF_WAY_FOR
        })
}

/// Whether a message of an agent's is on its way into the chat. Without its pending post the next attempt would post it once more.
#[must_use]
pub fn is_posting(state: &OutboundState, now: OffsetDateTime) -> bool {
    let pending = state.pending.as_ref();
    let mut posts = state.posts.values();
    pending.is_some_and(|pending| (now - pending.started_at).abs() < HALF_WAY_FOR)
        || posts.any(|it| {
            let is_half_way = !it.teams.is_empty() && !it.complete;
            is_half_way && (now - it.at).abs() < HALF_WAY_FOR
        })
}

/// Takes a group's description out of its state. Whoever writes next from outside is described in its place; until then the
/// conversation goes on, and describes nobody.
pub fn take_out(state: &mut InboundState) {
    state.customer = Some(Customer::nobody(&state.chat));
    state.customer_resolved_at = None;
}

/// That a chat's state was erased (`erased/{digest of the chat}.json`), so that no catch-up takes for new what was handled before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Version of this format.
    pub version: u32,
    /// When.
    #[serde(with = "crate::moment")]
    pub at: OffsetDateTime,
}

impl Erased {
    /// A mark of the present version.
    #[must_use]
    pub const fn new(at: OffsetDateTime) -> Self {
        Self { version: 1, at }
    }
}

/// From when on a chat is caught up with, where it should be from `since` on.
#[must_use]
pub fn caught_up_from(since: OffsetDateTime, erased: Option<Erased>) -> OffsetDateTime {
    erased.map_or(since, |erased| since.max(erased.at))
}

/// The chat that a blob's name belongs to, in the containers `state` and `attachments`.
#[must_use]
pub fn chat_of(blob: &str) -> Option<Digest> {
    let name = blob.strip_prefix(blobs::CHATS).unwrap_or(blob);
    name.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
