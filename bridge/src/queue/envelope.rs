//! Envelopes: the versioned JSON that the webhooks put on the queues.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::bot::activity::What;
use crate::catch_up::parts::Part;
use crate::genesys::receipt::ReceiptOutcome;
use crate::ids::{
    ChatId, Digest, GenesysConversationId, GenesysMessageId, SupportAccountName, TeamsMessageId,
    ThreadId,
};
use crate::json_fault::JsonFault;
use crate::notices::NoticeKind;
use crate::teams::notification::{ChangeType, EncryptedContent, LifecycleEvent};

/// An envelope above this many bytes is put into Blob and only claimed on the queue. Service Bus Standard takes 256 KB with
/// all properties.
pub const CLAIM_CHECK_THRESHOLD: usize = 192 * 1024;

const VERSION: u32 = 1;

/// One queue message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Version of this format.
    pub version: u32,
    /// When the webhook took it.
    #[serde(with = "crate::moment")]
    pub accepted_at: OffsetDateTime,
    /// Names the replay of a message that was settled before, or a catch-up: it goes into the ids that duplicate detection
    /// knows, so that it passes once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
    /// What it holds.
    #[serde(flatten)]
    pub content: Content,
}

/// What an envelope holds. `Debug` leaves texts out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Content {
    /// A change of a Teams message, still encrypted.
    Notification(NotificationEnvelope),
    /// An agent's message.
    AgentMessage(AgentEnvelope),
    /// How an agent's message ended.
    Receipt(ReceiptEnvelope),
    /// Word to the customer that one of its messages could not be delivered.
    Notice(NoticeEnvelope),
    /// A chat that is to be read, because changes in it may have gone untold.
    CatchUp(CatchUpEnvelope),
    /// Something is the matter with a subscription.
    Lifecycle(LifecycleEnvelope),
    /// What a bot's connector told.
    Activity(ActivityEnvelope),
    /// A question's card that was answered, and is to show no buttons any more.
    Answered(AnsweredEnvelope),
    /// A customer who wants the conversation to end.
    Ending(EndingEnvelope),
    /// A conversation that has ended at Genesys.
    Ended(EndedEnvelope),
    /// An envelope too large for the queue.
    Claim {
        /// Its blob in the container `state`.
        blob: String,
    },
}

/// A change of a Teams message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationEnvelope {
    /// What happened.
    pub change: ChangeType,
    /// The chat.
    pub chat: ChatId,
    /// The message.
    pub message: TeamsMessageId,
    /// The Support User whose subscription noticed it.
    pub account: SupportAccountName,
    /// The message itself, when the notification was rich.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted: Option<EncryptedContent>,
}

/// An activity of a bot's conversation. `Debug` leaves out what it says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityEnvelope {
    /// What it tells.
    pub what: What,
    /// The conversation.
    pub chat: ChatId,
    /// The message that it is about; its own id where it is about none.
    pub message: TeamsMessageId,
    /// The bot.
    pub account: SupportAccountName,
    /// The activity, as its JSON came.
    pub activity: String,
}

debug_shows!(ActivityEnvelope: what, chat, message, account);

impl ActivityEnvelope {
    /// The change of a message that it tells, in the form in which Graph tells one; nothing where it tells of no message.
    #[must_use]
    pub fn notification(&self) -> Option<NotificationEnvelope> {
        Some(NotificationEnvelope {
            change: self.what.change()?,
            chat: self.chat.clone(),
            message: self.message.clone(),
            account: self.account.clone(),
            encrypted: None,
        })
    }
}

/// A card whose question has its answer. `Debug` leaves the answer out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredEnvelope {
    /// The chat's thread, in whose lane it travels.
    pub thread: ThreadId,
    /// The chat.
    pub chat: ChatId,
    /// The question.
    pub question: GenesysMessageId,
    /// The Teams message that shows it.
    pub card: TeamsMessageId,
    /// The words of the answer.
    pub answer: String,
}

debug_shows!(AnsweredEnvelope: thread, chat, question, card);

/// A conversation that its customer ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingEnvelope {
    /// The chat.
    pub chat: ChatId,
    /// The message that asks for it.
    pub message: TeamsMessageId,
    /// The account that bridges the chat.
    pub account: SupportAccountName,
}

/// A conversation that is over at Genesys, or was handed to another agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedEnvelope {
    /// The conversation.
    pub conversation: GenesysConversationId,
    /// Stands for the part of it that ended: under one id a conversation can go on and end again.
    pub session: Digest,
    /// Its thread.
    pub thread: ThreadId,
    /// Another agent goes on with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transferred: bool,
}

/// An agent's message. `Debug` leaves its text out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentEnvelope {
    /// The webhook's raw body.
    pub webhook: String,
    /// Whether it is written as base64, because it is not UTF-8 (and therefore no JSON either).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub base64: bool,
}

debug_shows!(AgentEnvelope: base64);

impl AgentEnvelope {
    /// Holds these bytes.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let (webhook, base64) = match std::str::from_utf8(body) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (STANDARD.encode(body), true),
        };
        Self { webhook, base64 }
    }

    /// The webhook's raw body; what should be base64 and is not, is handed out as it is.
    #[must_use]
    pub fn body(&self) -> Cow<'_, [u8]> {
        match self.base64.then(|| STANDARD.decode(&self.webhook)) {
            Some(Ok(body)) => Cow::Owned(body),
            _ => Cow::Borrowed(self.webhook.as_bytes()),
        }
    }
}

/// How an agent's message ended. `Debug` leaves the addressee out, which names a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptEnvelope {
    /// The agent's message.
    pub message: GenesysMessageId,
    /// Its addressee, as the webhook wrote it.
    pub to: String,
    /// How it ended.
    pub outcome: ReceiptOutcome,
    /// When.
    #[serde(with = "crate::moment")]
    pub at: OffsetDateTime,
}

debug_shows!(ReceiptEnvelope: message, outcome, at);

/// A customer's message that was not delivered, whose chat is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeEnvelope {
    /// The chat.
    pub chat: ChatId,
    /// The message.
    pub message: TeamsMessageId,
    /// The Support User that tells it.
    pub account: SupportAccountName,
    /// The chat's thread, in whose lane the notice travels; absent in envelopes of releases that did not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadId>,
    /// What it is told.
    #[serde(default, skip_serializing_if = "NoticeKind::is_failed")]
    pub says: NoticeKind,
    /// In which language, as the tag of one, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// A chat that is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUpEnvelope {
    /// The chat.
    pub chat: ChatId,
    /// The Support User in whose list of chats it moved.
    pub account: SupportAccountName,
    /// What was written or changed after this may have gone untold.
    #[serde(with = "crate::moment")]
    pub since: OffsetDateTime,
    /// When the gap was noticed that is to be closed, where there is one.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub gap: Option<OffsetDateTime>,
    /// The message that is not known, where it is for its sake alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<TeamsMessageId>,
    /// Which part of the changes is read, where they are too many for one reading; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

impl CatchUpEnvelope {
    /// Which part of the changes is read.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part.clone().unwrap_or_else(|| Part::all(self.since))
    }
}

/// A lifecycle notification of Graph's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifecycleEnvelope {
    /// Whose subscription.
    pub account: SupportAccountName,
    /// What is the matter.
    pub event: LifecycleEvent,
    /// Stands for the subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Digest>,
}

impl Content {
    /// A word for logs.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Notification(notification) => notification.change.as_str(),
            Self::AgentMessage(_) => "agent message",
            Self::Receipt(_) => "receipt",
            Self::Notice(_) => "notice",
            Self::CatchUp(_) => "catch-up",
            Self::Lifecycle(lifecycle) => lifecycle.event.as_str(),
            Self::Activity(activity) => activity.what.label(),
            Self::Answered(_) => "answered card",
            Self::Ending(_) => "ending",
            Self::Ended(_) => "ended",
            Self::Claim { .. } => "claim",
        }
    }
}

/// A queue message that is no envelope of ours.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON of an envelope.
    #[error("no envelope")]
    Malformed(#[source] JsonFault),
    /// Written by a newer release.
    #[error("envelope version {0} is not known")]
    UnknownVersion(u32),
    /// Of a kind that only a newer release knows.
    #[error("the envelope's kind is not known")]
    UnknownKind,
}

impl EnvelopeError {
    /// Whether a newer release may well read it.
    #[must_use]
    pub const fn is_of_newer_release(&self) -> bool {
        match self {
            Self::UnknownVersion(_) | Self::UnknownKind => true,
            Self::Malformed(_) => false,
        }
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Named {
    kind: Kind,
}

/// The kinds of [`Content`].
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Notification,
    AgentMessage,
    Receipt,
    Notice,
    CatchUp,
    Lifecycle,
    Activity,
    Answered,
    Ending,
    Ended,
    Claim,
    #[serde(other)]
    Unknown,
}

impl Envelope {
    /// An envelope of the present version.
    #[must_use]
    pub fn new(accepted_at: OffsetDateTime, content: Content) -> Self {
        Self {
            version: VERSION,
            accepted_at,
            replay: None,
            content,
        }
    }

    /// The envelope as part of a replay or catch-up of this name; unchanged for none.
    #[must_use]
    pub fn replayed(mut self, replay: Option<String>) -> Self {
        self.replay = replay;
        self
    }

    /// The envelope as it travels.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(512);
        // Nothing in it has no form in JSON, and memory takes everything.
        let _ = serde_json::to_writer(&mut json, self);
        json
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// It is not JSON of an envelope, or of a version or kind that this release does not know.
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        let malformed = |error: serde_json::Error| EnvelopeError::Malformed(error.into());
        let Version { version } = serde_json::from_slice(body).map_err(malformed)?;
        if version != VERSION {
            return Err(EnvelopeError::UnknownVersion(version));
        }
        serde_json::from_slice(body).map_err(|error| match serde_json::from_slice(body) {
            Ok(Named {
                kind: Kind::Unknown,
            }) => EnvelopeError::UnknownKind,
            _ => malformed(error),
        })
    }
}
