//! A notification with all that is known around it, and what can come of it.

use std::time::Duration;

use time::OffsetDateTime;

use super::admission::{CustomerTenants, TurnedAway};
use super::series::Series;
use crate::genesys::receipt::ReasonCode;
use crate::ids::{
    Digest, DomainName, InvalidId, SupportAccountName, TeamsMessageId, TenantId, UserId,
};
use crate::queue::envelope::NotificationEnvelope;
use crate::state::customer::Member;
use crate::state::inbound::{Carried, InboundState, Seen};
use crate::state::outbound::OutboundState;
use crate::state::thread::WindowPolicy;
use crate::teams::chat_kind::ChatKind;
use crate::teams::message::{Attachment, ChatMessage};
use crate::teams::recognise::fingerprint;
use crate::teams::to_text::ReplyContext;

/// The setting `GROUP_CHATS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPolicy {
    /// None.
    Off,
    /// Those that mention the support account.
    Mention,
    /// All.
    All,
}

/// What the settings say about conversations.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The Support Users, by the names of their accounts.
    pub accounts: Vec<(SupportAccountName, UserId)>,
    /// The tenant that they belong to.
    pub home: TenantId,
    /// Whose messages are passed on.
    pub tenants: CustomerTenants,
    /// Which messages of groups go to the agent.
    pub groups: GroupPolicy,
    /// How long a thread stays the same after its last message, and a customer the one that was found out.
    pub window: Duration,
    /// What happens after it.
    pub window_policy: WindowPolicy,
    /// Whether the agent sees what a reply quotes.
    pub replies: ReplyContext,
    /// Whether the agent is told of reactions.
    pub reactions: bool,
}

impl Policy {
    /// The Support User of an account, if the settings name one.
    #[must_use]
    pub fn user_of(&self, account: &SupportAccountName) -> Option<&UserId> {
        let mut accounts = self.accounts.iter();
        Some(&accounts.find(|(name, _)| name == account)?.1)
    }

    /// Whether a user is one of our Support Users.
    #[must_use]
    pub fn is_support_user(&self, user: &UserId) -> bool {
        self.accounts.iter().any(|(_, ours)| ours == user)
    }

    /// Whether a message has the name of one of our Support Users as its sender: the bridge posted it, or a person by hand.
    #[must_use]
    pub fn is_from_us(&self, message: &ChatMessage) -> bool {
        let user = message.from.as_ref().and_then(|from| from.user.as_ref());
        user.is_some_and(|user| self.is_support_user(user))
    }
}

/// A chat as both sides of the bridge remember it.
#[derive(Debug, Clone, Copy)]
pub struct Chat<'a> {
    /// The way to Genesys.
    pub inbound: &'a InboundState,
    /// The way to Teams; absent before the first post.
    pub outbound: Option<&'a OutboundState>,
}

impl Chat<'_> {
    /// Whether a message is one of our posts.
    #[must_use]
    pub fn is_ours(&self, message: &TeamsMessageId) -> bool {
        self.outbound.is_some_and(|posts| posts.is_ours(message))
    }

    /// Whether a message says what one of our posts says, or one that may be in the chat although nobody knows its id. The
    /// bridge posts no files of OneDrive, and answers or passes on no message; a preview of a link may be Teams' own.
    #[must_use]
    pub fn is_ours_by_text(&self, message: &ChatMessage) -> bool {
        let by_hand = message.attachments.iter().any(Attachment::is_made_by_hand);
        let wrote = |posts: &OutboundState| posts.wrote(&fingerprint(&message.body));
        !by_hand && self.outbound.is_some_and(wrote)
    }

    /// Whether agent and customer have both seen the message of this id.
    #[must_use]
    pub fn is_on_record(&self, message: &str) -> bool {
        message.parse().is_ok_and(|id| {
            let carried = self.inbound.messages.get(&id);
            carried.is_some_and(Carried::is_shown) || self.is_ours(&id)
        })
    }
}

/// The answer to a question that Graph alone can answer.
#[derive(Debug, Clone, Default)]
pub enum Asked<T> {
    /// It was not asked.
    #[default]
    NotYet,
    /// What it said.
    Told(T),
    /// It cannot be asked now.
    CannotTell,
}

/// The answers to what a plan needed so far.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// This process knows the message as a post of its own.
    pub is_own_post: bool,
    /// The message as the notification encloses it, or as Graph has it.
    pub message: Option<ChatMessage>,
    /// The message as Graph has it now; nothing where it is gone.
    pub fresh: Asked<Option<ChatMessage>>,
    /// Kind of the chat.
    pub kind: Asked<ChatKind>,
    /// Its members, as far as Graph shows them.
    pub members: Asked<Vec<Member>>,
    /// What our own directory knows of the customer; nothing where the customer is not in it.
    pub directory: Asked<Option<DirectoryEntry>>,
    /// The customer's tenant; nothing where Graph knows none with its id.
    pub tenant: Asked<Option<TenantInformation>>,
    /// The tenant that owns the domain of the customer's address; nothing where none does.
    pub domain: Asked<Option<TenantId>>,
    /// The hosts of our own tenant's files.
    pub file_hosts: Asked<Vec<String>>,
}

/// Somebody in our own directory. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// User principal name.
    pub upn: Option<String>,
    /// Mail address.
    pub mail: Option<String>,
}

debug_shows!(DirectoryEntry:);

/// What a tenant shows of itself. `Debug` shows ids as digests and no name.
#[derive(Clone, PartialEq, Eq)]
pub struct TenantInformation {
    /// Its id.
    pub tenant: TenantId,
    /// Name of the organization, which it chooses itself.
    pub name: Option<String>,
    /// Its primary domain, which it has proven to own.
    pub domain: Option<DomainName>,
}

debug_shows!(TenantInformation: tenant, domain);

/// A notification and what is known around it.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The settings.
    pub policy: &'a Policy,
    /// What Graph told.
    pub notification: &'a NotificationEnvelope,
    /// The chat's state, once it was read.
    pub chat: Option<Chat<'a>>,
    /// What was asked since.
    pub answers: &'a Answers,
    /// Stands for this holder of the chat's lane.
    pub holder: &'a Digest,
    /// The present.
    pub now: OffsetDateTime,
}

/// What must be found out before a plan can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The message.
    Message,
    /// The chat's state.
    Chat,
    /// The message as it is now.
    Fresh,
    /// The kind of the chat.
    Kind,
    /// The chat's members. Where they are dispensable, any failure may be answered by [`Asked::CannotTell`].
    Members {
        /// What is known serves as well.
        dispensable: bool,
    },
    /// The chat's members, by whose tenant is decided whether the sender may write: no failure serves in their place.
    Tenant,
    /// Somebody in our own directory. This and the two that follow are dispensable: any failure may be answered by
    /// [`Asked::CannotTell`].
    DirectoryEntry(UserId),
    /// A tenant.
    TenantInformation(TenantId),
    /// The tenant that owns a domain.
    TenantOfDomain(DomainName),
    /// The hosts of our own tenant's files.
    FileHosts,
}

/// Why our own posts are skipped: the reason of [`Plan::Skip`] for an echo.
pub const OURS: &str = "our own message";

/// What is to be done about a notification.
#[derive(Debug)]
pub enum Plan {
    /// Something must be found out first.
    Need(Need),
    /// Another holder of the lane is posting: look again soon.
    Wait,
    /// Nothing, and why.
    Skip(&'static str),
    /// Something is to be remembered.
    Note(Box<Note>),
    /// Its sender may not write.
    TurnAway(TurnedAway),
    /// It can never be told.
    Refuse(Refusal),
    /// The agent is told, by one series after the other.
    Tell(Vec<Series>),
}

/// What the chat's state learns where the agent learns nothing.
#[derive(Debug, Clone)]
pub struct Note {
    /// Why the agent is told nothing.
    pub reason: &'static str,
    /// The message.
    pub message: TeamsMessageId,
    /// What is known of it now.
    pub seen: Seen,
    /// Nothing more is to be done for it.
    pub complete: bool,
}

impl Note {
    /// Writes it into the state.
    pub fn apply(self, state: &mut InboundState, now: OffsetDateTime) {
        state.entry(&self.message, now).seen = self.seen;
        if self.complete {
            state.complete(&self.message, now);
        }
    }
}

/// Why a message can never be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Stable word for searches and alerts.
    pub kind: &'static str,
    /// One sentence for the operator.
    pub explanation: &'static str,
    /// What it would be in a receipt.
    pub code: ReasonCode,
}

impl From<InvalidId> for Plan {
    fn from(_: InvalidId) -> Self {
        Self::Refuse(Refusal {
            kind: "message_unnameable",
            explanation: "the message's id is too long for a change of it to have one",
            code: ReasonCode::InvalidMessageStructure,
        })
    }
}

impl<'a> Case<'a> {
    /// The chat's state, or the wish to know it.
    pub(super) fn chat(&self) -> Result<Chat<'a>, Plan> {
        self.chat.ok_or(Plan::Need(Need::Chat))
    }

    /// The message, or the wish to know it.
    pub(super) fn message(&self) -> Result<&'a ChatMessage, Plan> {
        let message = &self.answers.message;
        message.as_ref().ok_or(Plan::Need(Need::Message))
    }
}
