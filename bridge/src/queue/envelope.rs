//! Envelopes: the versioned JSON that the webhooks put on the queues.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::genesys::receipt::ReceiptOutcome;
use crate::ids::{ChatId, GenesysMessageId, SupportAccountName, TeamsMessageId, ThreadId};
use crate::json_fault::JsonFault;
use crate::teams::notification::{ChangeType, EncryptedContent};

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
    #[serde(with = "time::serde::rfc3339")]
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
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// An agent's message. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentEnvelope {
    /// The webhook's raw body.
    pub webhook: String,
    /// Whether it is written as base64, because it is not UTF-8 (and therefore no JSON either).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub base64: bool,
}

/// A customer's message that could not be delivered, whose chat is to be told.
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
}

impl AgentEnvelope {
    /// Holds these bytes.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) => Self {
                webhook: text.to_owned(),
                base64: false,
            },
            Err(_) => Self {
                webhook: STANDARD.encode(body),
                base64: true,
            },
        }
    }

    /// The webhook's raw body; what should be base64 and is not, is handed out as it is.
    #[must_use]
    pub fn body(&self) -> Cow<'_, [u8]> {
        let decoded = self.base64.then(|| STANDARD.decode(&self.webhook).ok());
        match decoded.flatten() {
            Some(body) => Cow::Owned(body),
            None => Cow::Borrowed(self.webhook.as_bytes()),
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
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
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
            Self::Claim { .. } => "claim",
        }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Notification(notification) => formatter
                .debug_tuple("Notification")
                .field(notification)
                .finish(),
            Self::AgentMessage(message) => formatter
                .debug_tuple("AgentMessage")
                .field(message)
                .finish(),
            Self::Receipt(receipt) => formatter.debug_tuple("Receipt").field(receipt).finish(),
            Self::Notice(notice) => formatter.debug_tuple("Notice").field(notice).finish(),
            Self::Claim { blob } => formatter.debug_struct("Claim").field("blob", blob).finish(),
        }
    }
}

impl std::fmt::Debug for AgentEnvelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AgentEnvelope")
            .field("bytes", &self.webhook.len())
            .finish()
    }
}

impl std::fmt::Debug for ReceiptEnvelope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ReceiptEnvelope")
            .field("message", &self.message)
            .field("outcome", &self.outcome)
            .field("at", &self.at)
            .finish_non_exhaustive()
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
}

#[derive(Deserialize)]
struct Version {
    version: u32,
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
    /// It is not JSON of an envelope, or of a version that this release does not know.
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        let malformed = |error: serde_json::Error| EnvelopeError::Malformed(error.into());
        let Version { version } = serde_json::from_slice(body).map_err(malformed)?;
        if version != VERSION {
            return Err(EnvelopeError::UnknownVersion(version));
        }
        serde_json::from_slice(body).map_err(malformed)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::genesys::receipt::ReasonCode;

    const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05.678 UTC);

    fn round_trip(content: Content) -> serde_json::Value {
        let envelope = Envelope::new(AT, content);
        let json = envelope.to_json();
        assert_eq!(Envelope::parse(&json).expect("readable"), envelope);
        serde_json::from_slice(&json).expect("JSON")
    }

    fn notification(encrypted: Option<EncryptedContent>) -> Content {
        Content::Notification(NotificationEnvelope {
            change: ChangeType::Created,
            chat: "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id"),
            message: "1612289765949".parse().expect("an id"),
            account: "support".parse().expect("a name"),
            encrypted,
        })
    }

    #[test]
    fn basic_notification() {
        insta::assert_json_snapshot!(round_trip(notification(None)));
    }

    #[test]
    fn rich_notification() {
        insta::assert_json_snapshot!(round_trip(notification(Some(EncryptedContent {
            data: "ZGF0YQ==".to_owned(),
            data_signature: "c2lnbmF0dXJl".to_owned(),
            data_key: "a2V5".to_owned(),
            certificate_id: "support-2024".to_owned(),
        }))));
    }

    #[test]
    fn agent_message() {
        let webhook = "{\"id\": \"1\",  \"raw\":true}".to_owned();
        let content = Content::AgentMessage(AgentEnvelope::of(webhook.as_bytes()));
        insta::assert_json_snapshot!(round_trip(content));
    }

    #[test]
    fn agent_message_that_is_not_utf_8() {
        let message = AgentEnvelope::of(b"{\xff}");
        assert_eq!(*message.body(), *b"{\xff}");
        insta::assert_json_snapshot!(round_trip(Content::AgentMessage(message)));
    }

    #[test]
    fn replay() {
        let content = Content::AgentMessage(AgentEnvelope::of(b"{}"));
        let envelope = Envelope::new(AT, content).replayed(Some("replay-1".to_owned()));
        let json = envelope.to_json();
        assert_eq!(Envelope::parse(&json).expect("readable"), envelope);
        insta::assert_snapshot!(String::from_utf8(json).expect("UTF-8"));
    }

    #[test]
    fn receipt() {
        insta::assert_json_snapshot!(round_trip(Content::Receipt(ReceiptEnvelope {
            message: "b71f5f0c00004000800000000000000a".parse().expect("an id"),
            to: "teams:support:0f0e0d0c-0000-4000-8000-00000000000a".to_owned(),
            outcome: ReceiptOutcome::Failed {
                code: ReasonCode::ServerError,
                message: "why".to_owned()
            },
            at: AT,
        })));
    }

    #[test]
    fn notice() {
        insta::assert_json_snapshot!(round_trip(Content::Notice(NoticeEnvelope {
            chat: "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id"),
            message: "1612289765949".parse().expect("an id"),
            account: "support".parse().expect("a name"),
            thread: "teams:support:0f0e0d0c-0000-4000-8000-00000000000a"
                .parse()
                .ok(),
        })));
    }

    #[test]
    fn a_notice_of_an_older_release_is_read() {
        let json = br#"{"version":1,"accepted_at":"2026-01-02T03:04:05Z","kind":"notice","chat":"19:a","message":"1","account":"support"}"#;
        let envelope = Envelope::parse(json).expect("readable");
        assert!(matches!(envelope.content, Content::Notice(notice) if notice.thread.is_none()));
    }

    #[test]
    fn claim() {
        insta::assert_json_snapshot!(round_trip(Content::Claim {
            blob: "claims/0.json".to_owned()
        }));
    }

    #[test]
    fn debug_output_holds_no_text_and_no_person() {
        let texts = [
            Content::AgentMessage(AgentEnvelope::of(b"my secret words")),
            Content::Receipt(ReceiptEnvelope {
                message: "b71f".parse().expect("an id"),
                to: "teams:support:secret".to_owned(),
                outcome: ReceiptOutcome::Delivered,
                at: AT,
            }),
        ];
        for content in texts {
            let shown = format!("{:?}", Envelope::new(AT, content));
            assert!(!shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let json = br#"{"version":1,"accepted_at":"2026-01-02T03:04:05Z","kind":"claim","blob":"claims/0.json","later":{"a":1}}"#;
        let envelope = Envelope::parse(json).expect("readable");
        assert!(matches!(envelope.content, Content::Claim { blob } if blob == "claims/0.json"));
    }

    #[test]
    fn newer_and_foreign_ones_are_told_apart() {
        assert!(matches!(
            Envelope::parse(br#"{"version":2,"kind":"new"}"#),
            Err(EnvelopeError::UnknownVersion(2))
        ));
        assert!(matches!(
            Envelope::parse(br#"{"version":1,"kind":"new"}"#),
            Err(EnvelopeError::Malformed(_))
        ));
        assert!(matches!(
            Envelope::parse(b"hello"),
            Err(EnvelopeError::Malformed(_))
        ));
    }
}
