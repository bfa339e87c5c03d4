//! Genesys' webhook: what the agent, a bot or the flow writes (Genesys Developer Center, Open Messaging, "outboundMessages").

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::ids::GenesysMessageId;
use crate::json_fault::JsonFault;
use crate::state::question::Choice;

mod shown;
mod structured;

pub use shown::{Piece, pieces, question};

/// One webhook call. `Debug` leaves text and files out.
#[derive(Clone)]
pub struct Webhook {
    /// The same at each repetition.
    pub id: GenesysMessageId,
    /// The thread: the `from.id` of the messages it answers.
    pub to: String,
    /// When it was written.
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
    /// Text, with or without files.
    Text,
    /// Choices, cards, templates.
    Structured,
    /// Somebody is typing.
    Typing {
        /// How long the indicator is to be shown.
        duration_ms: Option<u64>,
    },
    /// About one of our own messages.
    Receipt,
    /// A kind that Genesys may introduce, or another event.
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
    /// One choice of a question.
    Choice(Choice),
}

/// A body that is no webhook call; nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
pub enum MalformedWebhook {
    /// Not JSON, or a field of another type.
    #[error("no JSON of a webhook")]
    Json(#[source] JsonFault),
    /// A required field is missing or unusable.
    #[error("the field {0} is missing or unusable")]
    Field(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawWebhook {
    id: Option<String>,
    channel: Option<RawChannel>,
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
    content: Option<Vec<Value>>,
    events: Option<Vec<Value>>,
    originating_entity: Option<String>,
    conversation_id: Option<String>,
}

#[derive(Deserialize)]
struct RawChannel {
    to: Option<RawAddress>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    time: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
struct RawAddress {
    id: Option<String>,
}

impl Webhook {
    /// Reads a webhook call; unknown fields are ignored.
    ///
    /// # Errors
    /// The body is not JSON, or lacks id, addressee or time.
    pub fn parse(body: &[u8]) -> Result<Self, MalformedWebhook> {
        let raw: RawWebhook =
            serde_json::from_slice(body).map_err(|error| MalformedWebhook::Json(error.into()))?;
        let id = raw
            .id
            .and_then(|id| id.parse().ok())
            .ok_or(MalformedWebhook::Field("id"))?;
        let channel = raw.channel.ok_or(MalformedWebhook::Field("channel"))?;
        let to = channel
            .to
            .and_then(|to| to.id)
            .ok_or(MalformedWebhook::Field("channel.to.id"))?;
        let time = channel
            .time
            .ok_or(MalformedWebhook::Field("channel.time"))?;
        let kind = match raw.kind.as_deref() {
            Some("Text") => Kind::Text,
            Some("Structured") => Kind::Structured,
            Some("Receipt") => Kind::Receipt,
            Some("Event") => typing(raw.events.as_deref().unwrap_or_default()),
            Some(other) => Kind::Other(other.to_owned()),
            None => return Err(MalformedWebhook::Field("type")),
        };
        let content = raw.content.unwrap_or_default();
        Ok(Self {
            id,
            to,
            time,
            kind,
            text: raw.text.filter(|text| !text.is_empty()),
            content: content.iter().map(content_item).collect(),
            conversation: raw.conversation_id,
            human: raw.originating_entity.map(|entity| entity == "Human"),
        })
    }
}

fn typing(events: &[Value]) -> Kind {
    let typing = events.iter().find(|event| event["eventType"] == "Typing");
    match typing {
        Some(event) => Kind::Typing {
            duration_ms: event["typing"]["duration"].as_u64(),
        },
        None => Kind::Other("Event".to_owned()),
    }
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
