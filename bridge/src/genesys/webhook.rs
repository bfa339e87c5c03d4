//! Genesys' webhook: what the agent, a bot or the flow writes (Genesys Developer Center, Open Messaging, "outboundMessages").

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::html::shown_address;
use crate::ids::GenesysMessageId;
use crate::json_fault::JsonFault;

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
    /// Its files, in order.
    pub attachments: Vec<WebhookAttachment>,
    /// Choices, cards and the like, in order.
    pub structured: Vec<StructuredPart>,
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

/// What a structured content item shows.
#[derive(Clone, PartialEq, Eq)]
pub enum StructuredPart {
    /// Words: a title, a description, a link.
    Words(String),
    /// One choice of a question.
    Choice(String),
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
            attachments: content.iter().filter_map(attachment).collect(),
            structured: content.iter().flat_map(structured).collect(),
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

/// Titles, descriptions, links and choices of one content item, whatever its kind: Genesys nests them in an object named after
/// the kind (`quickReply`, `buttonResponse`, `card`, `carousel`, `datePicker`, `listPicker`, …).
fn structured(item: &Value) -> Vec<StructuredPart> {
    let mut parts = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match name.as_str() {
            "contentType" | "attachment" => {}
            "quickReply" | "buttonResponse" => parts.extend(action(value)),
            _ => elements(value, &mut parts),
        }
    }
    parts
}

/// A link with its address, or a choice.
fn action(value: &Value) -> Option<StructuredPart> {
    let text = ["text", "title"]
        .iter()
        .find_map(|name| value[*name].as_str())
        .filter(|text| !text.trim().is_empty());
    match (text, value["url"].as_str().and_then(shown_address)) {
        (Some(text), Some(address)) => Some(StructuredPart::Words(format!("{text}: {address}"))),
        (None, Some(address)) => Some(StructuredPart::Words(address.to_owned())),
        (Some(text), None) => Some(StructuredPart::Choice(text.to_owned())),
        (None, None) => None,
    }
}

/// Fields of an element that the customer reads, in the order in which cards show them.
const TEXTS: [&str; 7] = [
    "header",
    "title",
    "subtitle",
    "description",
    "address",
    "text",
    "body",
];
/// Fields with the address of a picture, a film or a page.
const ADDRESSES: [&str; 3] = ["image", "video", "url"];
/// Fields with an action or a list of them.
const ACTIONS: [&str; 5] = [
    "defaultAction",
    "actions",
    "quickReplies",
    "components",
    "buttons",
];
/// Fields with further elements.
const ELEMENTS: [&str; 6] = ["header", "body", "cards", "sections", "items", "footer"];

fn elements(value: &Value, parts: &mut Vec<StructuredPart>) {
    // A stack of our own instead of recursion; the last entry comes next.
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        if let Value::Array(values) = value {
            waiting.extend(values.iter().rev());
            continue;
        }
        let field = |name: &&str| value.get(*name);
        let texts = TEXTS.iter().filter_map(field).filter_map(Value::as_str);
        let addresses = ADDRESSES.iter().filter_map(field).filter_map(Value::as_str);
        let words = texts
            .filter(|text| !text.trim().is_empty())
            .chain(addresses.filter_map(shown_address));
        parts.extend(words.map(|words| StructuredPart::Words(words.to_owned())));
        for actions in ACTIONS.iter().filter_map(field) {
            match actions {
                Value::Array(actions) => parts.extend(actions.iter().filter_map(action)),
                one => parts.extend(action(one)),
            }
        }
        let times = field(&"availableTimes").and_then(Value::as_array);
        let times = times.into_iter().flatten();
        parts.extend(
            times
                .filter_map(|time| time["dateTime"].as_str())
                .map(|time| StructuredPart::Choice(time.to_owned())),
        );
        waiting.extend(ELEMENTS.iter().rev().filter_map(field));
    }
}

/// What the customer reads: the text, the words of structured content with numbered choices, and a line for each file.
/// `None` when there is nothing to show.
#[must_use]
pub fn text_for_customer(webhook: &Webhook) -> Option<String> {
    let mut lines: Vec<String> = webhook.text.iter().cloned().collect();
    let mut number = 0;
    for part in &webhook.structured {
        match part {
            // Genesys repeats the text of a question inside its content.
            StructuredPart::Words(words) if webhook.text.as_ref() == Some(words) => {}
            StructuredPart::Words(words) => lines.push(words.clone()),
            StructuredPart::Choice(choice) => {
                number += 1;
                lines.push(format!("{number}. {choice}"));
            }
        }
    }
    for attachment in &webhook.attachments {
        let name = attachment
            .filename
            .as_deref()
            .or(attachment.text.as_deref());
        let line = match (name, attachment.url.as_deref()) {
            (Some(name), Some(url)) => format!("{name}: {url}"),
            (None, Some(url)) => url.to_owned(),
            (Some(name), None) => name.to_owned(),
            (None, None) => continue,
        };
        lines.push(line);
    }
    let text = lines.join("\n");
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
