//! What is stored of a message that could not be delivered.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::envelope::{AgentEnvelope, Content, Envelope, EnvelopeError};
use crate::genesys::receipt::ReasonCode;
use crate::genesys::webhook::Webhook;
use crate::ids::{Digest, Party, ThreadId};
use crate::json_fault::JsonFault;

/// Which way a message was going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// To Genesys.
    Inbound,
    /// To Teams.
    Outbound,
}

/// One blob of the container `failed`: everything that a person needs to understand and replay the message.
#[derive(Serialize, Deserialize)]
pub struct FailedMessage {
    /// Which way it was going.
    pub direction: Direction,
    /// The queue, the session and the `MessageId` that it came with: what a replay needs.
    pub queue: String,
    /// See `queue`.
    pub lane: String,
    /// See `queue`.
    pub message_id: Option<String>,
    /// Digest of the chat, where it is known.
    pub chat: Option<Digest>,
    /// Id to search the logs for.
    pub correlation: String,
    /// Stable word for the kind of failure.
    pub kind: String,
    /// One sentence.
    pub reason: String,
    /// What the agent is told, when the message is an agent's.
    pub receipt: ReasonCode,
    /// The service that said no.
    pub service: Option<String>,
    /// Its HTTP status.
    pub status: Option<u16>,
    /// Ids that its support asks for.
    pub request_ids: BTreeMap<String, String>,
    /// When the queue accepted the message.
    #[serde(with = "crate::moment")]
    pub first_attempt: OffsetDateTime,
    /// When it was given up.
    #[serde(with = "crate::moment")]
    pub last_attempt: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// The whole envelope.
    pub envelope: serde_json::Value,
}

impl Direction {
    /// A word for people and machines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// A queue message's body as a failed message keeps it: the JSON that it is, else its base64. So is JSON that is nested too deeply to be
/// read again where it stands within other JSON.
#[must_use]
pub fn kept(body: &[u8]) -> Value {
    let json: Option<[Value; 1]> = serde_json::from_slice::<Value>(body)
        .ok()
        .and_then(|value| serde_json::to_vec(&[value]).ok())
        .and_then(|within| serde_json::from_slice(&within).ok());
    match json {
        Some([json]) => json,
        None => STANDARD.encode(body).into(),
    }
}

impl FailedMessage {
    /// The blob's content, indented for people.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// Reads a blob's content.
    ///
    /// # Errors
    /// It is not what [`FailedMessage::to_json`] writes.
    pub fn parse(json: &[u8]) -> Result<Self, JsonFault> {
        serde_json::from_slice(json).map_err(JsonFault::from)
    }

    /// The envelope, which may be none of ours at all, or one of another release.
    ///
    /// # Errors
    /// Those of [`Envelope::parse`].
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        Envelope::parse(self.envelope.to_string().as_bytes())
    }

    /// What the envelope holds, in a word.
    #[must_use]
    pub fn label(&self) -> &'static str {
        self.envelope()
            .map_or("unreadable", |envelope| envelope.content.label())
    }

    /// The chat, as far as it was known or the envelope tells. An agent's message names only a group's chat.
    #[must_use]
    pub fn chat(&self) -> Option<Digest> {
        if self.chat.is_some() {
            return self.chat.clone();
        }
        let envelope = self.envelope().ok()?;
        match &envelope.content {
            Content::Notification(notification) => Some(notification.chat.digest()),
            Content::Notice(notice) => Some(notice.chat.digest()),
            Content::CatchUp(reading) => Some(reading.chat.digest()),
            Content::Activity(activity) => Some(activity.chat.digest()),
            Content::Answered(answered) => Some(answered.chat.digest()),
            Content::AgentMessage(message) => {
                let webhook = Webhook::parse(&message.body(), envelope.accepted_at).ok()?;
                group_of(&webhook.to)
            }
            Content::Receipt(receipt) => group_of(&receipt.to),
            Content::Ending(ending) => Some(ending.chat.digest()),
            Content::Ended(ended) => group_of(&ended.thread.to_string()),
            Content::Lifecycle(_) | Content::Claim { .. } => None,
        }
    }

    /// All that is stored but what people wrote, which is left out whatever may be told from it. Ids are shown: they are what
    /// a person searches Teams and Genesys for.
    #[must_use]
    pub fn without_words(&self) -> Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        shown["envelope"] = match self.envelope() {
            Ok(envelope) => envelope_without_words(&envelope),
            Err(_) => json!({ "left_out": "nothing of it can be read by this release" }),
        };
        shown
    }
}

/// The digest of a group's chat out of the id of its thread.
fn group_of(thread: &str) -> Option<Digest> {
    match thread.parse::<ThreadId>().ok()?.party {
        Party::Group(chat) => Some(chat),
        Party::Customer(_) | Party::Guest(_) => None,
    }
}

fn envelope_without_words(envelope: &Envelope) -> Value {
    let mut shown = serde_json::to_value(envelope).unwrap_or_default();
    match &envelope.content {
        Content::Notification(notification) => {
            if let Some(encrypted) = &notification.encrypted {
                shown["encrypted"] = left_out(encrypted.data.len());
            }
        }
        Content::AgentMessage(message) => {
            shown["webhook"] = webhook_without_words(message, envelope)
        }
        Content::Activity(activity) => shown["activity"] = left_out(activity.activity.len()),
        Content::Answered(answered) => shown["answer"] = left_out(answered.answer.len()),
        Content::Receipt(_)
        | Content::Ending(_)
        | Content::Ended(_)
        | Content::Notice(_)
        | Content::CatchUp(_)
        | Content::Lifecycle(_)
        | Content::Claim { .. } => {}
    }
    shown
}

fn webhook_without_words(message: &AgentEnvelope, envelope: &Envelope) -> Value {
    let body = message.body();
    let mut shown = left_out(body.len());
    if let Ok(webhook) = Webhook::parse(&body, envelope.accepted_at) {
        shown["id"] = json!(webhook.id);
        shown["to"] = json!(webhook.to);
    }
    shown
}

fn left_out(bytes: usize) -> Value {
    json!({ "left_out": format!("{bytes} bytes") })
}

/// What tests need such a message for: one that was refused twice at this time.
#[cfg(test)]
impl FailedMessage {
    pub(crate) fn refused(
        direction: Direction,
        at: OffsetDateTime,
        envelope: serde_json::Value,
    ) -> Self {
        Self {
            direction,
            queue: direction.as_str().to_owned(),
            lane: "lane".to_owned(),
            message_id: None,
            chat: None,
            correlation: String::new(),
            kind: "refused".to_owned(),
            reason: String::new(),
            receipt: ReasonCode::GeneralError,
            service: None,
            status: None,
            request_ids: BTreeMap::new(),
            first_attempt: at,
            last_attempt: at,
            attempts: 2,
            envelope,
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn whatever_is_kept_is_read_again() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (body, is_json) in [
            (r#"{"kind":"odd"}"#.to_owned(), true),
            (nested(100), true),
            (nested(127), false),
            (nested(500), false),
            ("1],[2".to_owned(), false),
            ("no JSON".to_owned(), false),
        ] {
            let message = of(kept(body.as_bytes()));
            assert_eq!(!message.envelope.is_string(), is_json, "{body}");
            let stored = message.to_json();
            let read = FailedMessage::parse(&stored).expect("what was stored is read");
            assert_eq!(read.to_json(), stored);
        }
    }

    #[test]
    fn a_failed_message_as_it_is_stored() {
        let message = FailedMessage {
            direction: Direction::Outbound,
            queue: "outbound".to_owned(),
            lane: "thread-0123".to_owned(),
            message_id: Some("agent-4567".to_owned()),
            chat: Some(Digest::of("chat", "19:a")),
            correlation: "0f0e0d0c-0000-4000-8000-00000000000a".to_owned(),
            kind: "kept_failing".to_owned(),
            reason: "graph kept failing for this message (unavailable) while it worked for others"
                .to_owned(),
            receipt: ReasonCode::ServerError,
            service: Some("graph".to_owned()),
            status: Some(500),
            request_ids: BTreeMap::from([("request-id".to_owned(), "c0ffee".to_owned())]),
            first_attempt: datetime!(2026-01-02 03:04:05 UTC),
            last_attempt: datetime!(2026-01-02 03:06:05 UTC),
            attempts: 5,
            envelope: serde_json::json!({ "version": 1, "kind": "agentMessage", "webhook": "{}" }),
        };
        insta::assert_snapshot!(String::from_utf8(message.to_json()).expect("UTF-8"));
        let read = FailedMessage::parse(&message.to_json()).expect("readable");
        assert_eq!(read.to_json(), message.to_json());
        assert!(FailedMessage::parse(b"{}").is_err());
    }

    fn of(envelope: Value) -> FailedMessage {
        let stored = json!({
            "direction": "outbound", "queue": "outbound", "lane": "thread-0123", "message_id": null, "chat": null,
            "correlation": "c", "kind": "refused", "reason": "graph refused the message", "receipt": "ServerError",
            "service": "graph", "status": 403, "request_ids": {}, "first_attempt": "2026-01-02T03:04:05Z",
            "last_attempt": "2026-01-02T03:04:05Z", "attempts": 2, "envelope": envelope,
        });
        FailedMessage::parse(stored.to_string().as_bytes()).expect("readable")
    }

    #[test]
    fn what_people_wrote_is_left_out() {
        let webhook = r#"{"id":"b71f","type":"Text","text":"secret","channel":{"to":{"id":"teams:support:x"},"from":{"nickname":"secret"}}}"#;
        let agents = json!({ "version": 1, "accepted_at": "2026-01-02T03:04:05Z", "kind": "agentMessage", "webhook": webhook });
        let encrypted = json!({ "version": 1, "accepted_at": "2026-01-02T03:04:05Z", "kind": "notification", "change": "created",
            "chat": "19:a", "message": "1", "account": "support", "encrypted": { "data": "secret", "dataSignature": "s",
            "dataKey": "k", "encryptionCertificateId": "c" } });
        let unknown = json!({ "version": 2, "text": "secret" });
        for (envelope, shown, label) in [
            (agents, "b71f", "agent message"),
            (encrypted, "19:a", "created"),
            (unknown, "left_out", "unreadable"),
            (json!("secret"), "left_out", "unreadable"),
        ] {
            let message = of(envelope);
            let without = message.without_words().to_string();
            assert!(!without.contains("secret"), "{without}");
            assert!(
                without.contains(shown) && without.contains("graph refused"),
                "{without}"
            );
            assert_eq!(message.label(), label, "{without}");
        }
    }
}
