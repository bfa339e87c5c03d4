//! Genesys' webhook: what the agent, a bot or the flow writes (Genesys Developer Center, Open Messaging, "outboundMessages").
//!
//! Genesys' own schema (`OpenOutboundNormalizedMessage`, draft-07) requires no field at all, and a 4xx to a signed call makes
//! the whole conversation fail; so whatever is an object is read, and the delivering side tells the agent what is wrong with it.

use std::time::Duration;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::ids::GenesysMessageId;
use crate::json_fault::JsonFault;
use crate::state::question::Choice;

mod shown;
mod structured;

pub use shown::{Piece, pieces, question};

/// One webhook call. `Debug` leaves text and files out.
#[derive(Clone)]
pub struct Webhook {
    /// The same at each repetition; made of the body where Genesys gave none.
    pub id: GenesysMessageId,
    /// The thread: the `from.id` of the messages it answers. Empty where the call names nobody.
    pub to: String,
    /// When it was written; when it was received, where the call does not tell.
    pub time: OffsetDateTime,
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: Option<String>,
    /// Files, choices, cards and the like, in order.
    pub content: Vec<ContentItem>,
    /// Genesys' conversation.
    pub conversation: Option<String>,
    /// Whether a person wrote it; unknown when Genesys does not say.
    pub human: Option<bool>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Webhook")
            .field("id", &self.id)
            .field("time", &self.time)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Kind of a webhook call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Something for the customer: text, files, choices, cards, templates.
    Message,
    /// Somebody is typing.
    Typing {
        /// How long the indicator is to be shown.
        duration_ms: Option<u64>,
    },
    /// About one of our own messages.
    Receipt,
    /// Another event, or a kind that Genesys may introduce, with nothing to show.
    Other(String),
}

/// A file of an agent's message.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookAttachment {
    /// `Image`, `Video`, `Audio`, `File` or `Link`.
    pub media_type: String,
    /// Where it can be fetched.
    pub url: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
    /// Its name.
    pub filename: Option<String>,
    /// A caption.
    pub text: Option<String>,
    /// Its length in bytes, as Genesys tells it.
    pub size: Option<u64>,
    /// The SHA-256 of its bytes, as Genesys tells it.
    pub sha256: Option<String>,
}

impl std::fmt::Debug for WebhookAttachment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WebhookAttachment")
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

/// One item of a message's content. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum ContentItem {
    /// A file.
    File(WebhookAttachment),
    /// Anything else.
    Structured(Vec<StructuredPart>),
}

impl std::fmt::Debug for ContentItem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::File(_) => "File",
            Self::Structured(_) => "Structured",
        })
    }
}

/// What a structured content item shows.
#[derive(Clone, PartialEq, Eq)]
pub enum StructuredPart {
    /// Words: a title, a description, a link.
    Words(String),
    /// The file of a template's header.
    File(WebhookAttachment),
    /// One choice of a question.
    Choice(Choice),
}

/// A body that is no JSON object; nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
#[error("no JSON object")]
pub struct MalformedWebhook(#[source] JsonFault);

/// Retention of the queue's duplicate detection: an older call can no longer be told from a replayed one.
const OLDEST: Duration = Duration::from_secs(6 * 3600);

impl Webhook {
    /// Reads a webhook call that was received at this time; unknown fields, and fields of another type, are ignored.
    ///
    /// # Errors
    /// The body is not a JSON object.
    pub fn parse(body: &[u8], received: OffsetDateTime) -> Result<Self, MalformedWebhook> {
        let raw: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| MalformedWebhook(error.into()))?;
        let text = |name: &str| raw.get(name).and_then(Value::as_str);
        let list = |name: &str| {
            raw.get(name)
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice)
        };
        let channel = raw.get("channel").unwrap_or(&Value::Null);
        let id = [text("id"), channel["messageId"].as_str()]
            .into_iter()
            .find_map(|id| id?.parse().ok())
            .unwrap_or_else(|| GenesysMessageId::of_body(body));
        let words = text("text").filter(|text| !text.is_empty());
        let content = list("content");
        let kind = match (text("type"), typing(list("events"))) {
            (Some("Text" | "Structured" | "Message"), _) => Kind::Message,
            (Some("Receipt"), _) => Kind::Receipt,
            (Some("Event"), Some(typing)) => typing,
            _ if words.is_some() || !content.is_empty() => Kind::Message,
            (other, _) => Kind::Other(other.unwrap_or_default().to_owned()),
        };
        Ok(Self {
            id,
            to: channel["to"]["id"].as_str().unwrap_or_default().to_owned(),
            time: channel["time"]
                .as_str()
                .and_then(|time| OffsetDateTime::parse(time, &Rfc3339).ok())
                .unwrap_or(received),
            kind,
            text: words.map(str::to_owned),
            content: content.iter().map(content_item).collect(),
            conversation: text("conversationId").map(str::to_owned),
            human: text("originatingEntity").map(|entity| entity == "Human"),
        })
    }

    /// Whether the call is too old to be told from a replayed one, at the time when it was received.
    #[must_use]
    pub fn is_late(&self, received: OffsetDateTime) -> bool {
        self.time < received - OLDEST
    }
}

fn typing(events: &[Value]) -> Option<Kind> {
    let event = events.iter().find(|event| event["eventType"] == "Typing")?;
    Some(Kind::Typing {
        duration_ms: event["typing"]["duration"].as_u64(),
    })
}

fn attachment(item: &Value) -> Option<WebhookAttachment> {
    let attachment = item.get("attachment")?.as_object()?;
    let text = |name: &str| {
        attachment
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    Some(WebhookAttachment {
        media_type: text("mediaType").unwrap_or_else(|| "File".to_owned()),
        url: text("url"),
        mime: text("mime"),
        filename: text("filename"),
        text: text("text"),
        size: attachment.get("contentSizeBytes").and_then(Value::as_u64),
        sha256: text("sha256"),
    })
}

fn content_item(item: &Value) -> ContentItem {
    match attachment(item) {
        Some(file) => ContentItem::File(file),
        None => ContentItem::Structured(structured::parts(item)),
    }
}

#[cfg(test)]
mod tests;
