//! What the inbound endpoints take: the request models `OpenInboundNormalizedMessage`, `OpenInboundNormalizedEvent` and
//! `OpenInboundNormalizedReceipt` of the Platform API, field by field. Fields that no model names are ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::Refusal;
use super::conversations::{Arrival, Attachment, Receipt};
use crate::shared::download::media_type;

/// Kinds of media (Platform API, model `ConversationContentAttachment`).
pub const MEDIA_TYPES: [&str; 5] = ["Image", "Video", "Audio", "File", "Link"];
/// Longest text in characters. Genesys publishes no limit; this one and the next are stricter than anything seen.
pub const TEXT_LIMIT: usize = 10_000;
/// Longest `customAttributes` as JSON, in bytes.
pub const ATTRIBUTES_LIMIT: usize = 2_000;

/// The reason codes of a failed receipt (Genesys Cloud Developer Center, "Inbound receipt messages").
const REASONS: [&str; 13] = [
    "MessageExpired",
    "RateLimited",
    "MessageNotAllowed",
    "GeneralError",
    "UnsupportedMessage",
    "UnknownMessage",
    "InvalidMessageStructure",
    "InvalidDestination",
    "ServerError",
    "MediaTypeNotAllowed",
    "InvalidMediaContentLength",
    "RecipientOptedOut",
    "DataFiltered",
];

/// What passed, or why it did not.
pub type Checked<T> = Result<T, Refusal>;
type Object = Map<String, Value>;

/// The channel of a message or of the response to a structured one.
pub struct Channel {
    thread: String,
    time: OffsetDateTime,
    message_id: Option<String>,
    attributes: BTreeMap<String, String>,
}

impl Channel {
    /// What came over it, with this text and nothing else yet.
    pub fn with_text(self, text: String) -> Arrival {
        Arrival {
            thread: self.thread,
            text,
            time: self.time,
            message_id: self.message_id,
            attributes: self.attributes,
            attachment: None,
            button: None,
        }
    }
}

/// The channel in a request's body.
pub fn channel(body: &Object) -> Checked<Channel> {
    let channel = required_object(body, "channel", "channel")?;
    Ok(Channel {
        thread: sender(channel)?,
        time: moment(channel)?,
        message_id: optional_text(channel, "messageId", "channel.messageId")?,
        attributes: custom_attributes(channel)?,
    })
}

/// A customer's message.
pub fn message(body: &Value) -> Checked<Arrival> {
    let body = object(body, "the body")?;
    let channel = channel(body)?;
    if let Some(metadata) = present(body, "metadata") {
        strings(metadata, "metadata")?;
    }
    let text = optional_text(body, "text", "text")?.unwrap_or_default();
    if text.chars().count() > TEXT_LIMIT {
        return bad(format!("text is longer than {TEXT_LIMIT} characters"));
    }
    let attachment = content(body)?;
    if text.is_empty() && attachment.is_none() {
        return bad("text or content is required");
    }
    Ok(Arrival {
        attachment,
        ..channel.with_text(text)
    })
}

/// A typing event: the thread it is about.
pub fn event(body: &Value) -> Checked<String> {
    let body = object(body, "the body")?;
    let channel = required_object(body, "channel", "channel")?;
    let thread = sender(channel)?;
    moment(channel)?;
    let events = present(body, "events").and_then(Value::as_array);
    let Some(events) = events.filter(|events| !events.is_empty()) else {
        return bad("events is required");
    };
    for event in events {
        one_of(
            object(event, "events")?,
            "eventType",
            "eventType",
            &["Typing"],
        )?;
    }
    Ok(thread)
}

/// A receipt: message id, addressee, and what is recorded.
pub fn receipt(body: &Value) -> Checked<(String, String, Receipt)> {
    let body = object(body, "the body")?;
    let id = required_text(body, "id", "id")?;
    let channel = required_object(body, "channel", "channel")?;
    let to = required_object(channel, "to", "channel.to")?;
    let addressee = required_text(to, "id", "channel.to.id")?;
    if present(to, "idType").is_some() {
        one_of(to, "idType", "channel.to.idType", &ID_TYPES)?;
    }
    moment(channel)?;
    let status = one_of(body, "status", "status", &["Delivered", "Failed"])?;
    if present(body, "isFinalReceipt").is_some_and(|value| !value.is_boolean()) {
        return bad("isFinalReceipt must be a boolean");
    }
    let mut codes = Vec::new();
    if let Some(reasons) = present(body, "reasons") {
        let Some(reasons) = reasons.as_array() else {
            return bad("reasons must be a list");
        };
        if status != "Failed" && !reasons.is_empty() {
            return bad("reasons may only be given with the status Failed");
        }
        for reason in reasons {
            let reason = object(reason, "reasons")?;
            codes.push(one_of(reason, "code", "reasons.code", &REASONS)?);
            required_text(reason, "message", "reasons.message")?;
        }
    }
    let reason = codes.into_iter().next();
    Ok((id, addressee, Receipt { status, reason }))
}

const ID_TYPES: [&str; 3] = ["Email", "Phone", "Opaque"];

fn sender(channel: &Object) -> Checked<String> {
    let from = required_object(channel, "from", "channel.from")?;
    one_of(from, "idType", "channel.from.idType", &ID_TYPES)?;
    for name in ["nickname", "firstName", "lastName", "image", "email"] {
        optional_text(from, name, name)?;
    }
    required_text(from, "id", "channel.from.id")
}

fn moment(channel: &Object) -> Checked<OffsetDateTime> {
    let text = required_text(channel, "time", "channel.time")?;
    OffsetDateTime::parse(&text, &Rfc3339)
        .map_err(|_| Refusal::bad_request("channel.time is no ISO-8601 time"))
}

fn custom_attributes(channel: &Object) -> Checked<BTreeMap<String, String>> {
    let Some(metadata) = present(channel, "metadata") else {
        return Ok(BTreeMap::new());
    };
    let metadata = object(metadata, "channel.metadata")?;
    let Some(attributes) = present(metadata, "customAttributes") else {
        return Ok(BTreeMap::new());
    };
    if attributes.to_string().len() > ATTRIBUTES_LIMIT {
        return bad(format!(
            "channel.metadata.customAttributes is larger than {ATTRIBUTES_LIMIT} bytes"
        ));
    }
    strings(attributes, "channel.metadata.customAttributes")
}

/// The file of a message; there is at most one.
fn content(body: &Object) -> Checked<Option<Attachment>> {
    let Some(content) = present(body, "content") else {
        return Ok(None);
    };
    match content.as_array().map(Vec::as_slice) {
        Some([]) => Ok(None),
        Some([item]) => attachment(item).map(Some),
        Some(_) => bad("content has more than one item"),
        None => bad("content must be a list"),
    }
}

fn attachment(item: &Value) -> Checked<Attachment> {
    let item = object(item, "content")?;
    let attachment = required_object(item, "attachment", "content.attachment")?;
    let optional = |name: &str| optional_text(attachment, name, &format!("attachment.{name}"));
    optional("id")?;
    if let Some(thumbnail) = present(attachment, "thumbnail") {
        let thumbnail = object(thumbnail, "attachment.thumbnail")?;
        for name in ["url", "mime", "sha256"] {
            optional_text(thumbnail, name, &format!("attachment.thumbnail.{name}"))?;
        }
    }
    let mime = required_text(attachment, "mime", "attachment.mime")?;
    if media_type(&mime).is_err() {
        return bad("attachment.mime is no media type");
    }
    Ok(Attachment {
        media_type: one_of(
            attachment,
            "mediaType",
            "attachment.mediaType",
            &MEDIA_TYPES,
        )?,
        mime,
        url: address(attachment)?,
        filename: optional("filename")?,
        text: optional("text")?,
        sha256: optional("sha256")?,
        fetched: None,
        dropped: false,
    })
}

/// An absolute https address without credentials, for it must be fetched without any.
fn address(attachment: &Object) -> Checked<String> {
    let text = required_text(attachment, "url", "attachment.url")?;
    let fetchable = url::Url::parse(&text).is_ok_and(|url| {
        url.scheme() == "https" && url.username().is_empty() && url.password().is_none()
    });
    if fetchable {
        Ok(text)
    } else {
        bad("attachment.url must be an absolute https address")
    }
}

fn bad<T>(message: impl Into<String>) -> Checked<T> {
    Err(Refusal::bad_request(message))
}

/// A field that is there and not null.
fn present<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

/// An object.
pub fn object<'a>(value: &'a Value, path: &str) -> Checked<&'a Object> {
    value
        .as_object()
        .ok_or_else(|| Refusal::bad_request(format!("{path} must be an object")))
}

/// An object that must be there.
pub fn required_object<'a>(holder: &'a Object, name: &str, path: &str) -> Checked<&'a Object> {
    match present(holder, name) {
        Some(value) => object(value, path),
        None => bad(format!("{path} is required")),
    }
}

fn optional_text(holder: &Object, name: &str, path: &str) -> Checked<Option<String>> {
    match present(holder, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => bad(format!("{path} must be a string")),
    }
}

/// Text that must be there and not be empty.
pub fn required_text(holder: &Object, name: &str, path: &str) -> Checked<String> {
    match optional_text(holder, name, path)? {
        Some(text) if !text.is_empty() => Ok(text),
        _ => bad(format!("{path} is required")),
    }
}

/// Text that is one of these.
pub fn one_of(holder: &Object, name: &str, path: &str, allowed: &[&str]) -> Checked<String> {
    let text = required_text(holder, name, path)?;
    if allowed.contains(&text.as_str()) {
        Ok(text)
    } else {
        bad(format!("{path} must be one of {}", allowed.join(", ")))
    }
}

fn strings(value: &Value, path: &str) -> Checked<BTreeMap<String, String>> {
    object(value, path)?
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            _ => bad(format!("{path} takes strings only")),
        })
        .collect()
}
