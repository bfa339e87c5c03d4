//! What the inbound endpoints take: the request models `OpenInboundNormalizedMessage`, `OpenInboundNormalizedEvent` and
//! `OpenInboundNormalizedReceipt` of the Platform API, field by field. Fields that no model names are ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::Refusal;
use super::conversations::{Arrival, Receipt};

/// Longest text in characters.
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

type Checked<T> = Result<T, Refusal>;
type Object = Map<String, Value>;

/// A customer's message.
pub fn message(body: &Value) -> Checked<Arrival> {
    let body = object(body, "the body")?;
    let channel = required_object(body, "channel", "channel")?;
    let thread = sender(channel)?;
    let time = moment(channel)?;
    let message_id = optional_text(channel, "messageId", "channel.messageId")?;
    let attributes = custom_attributes(channel)?;
    if let Some(metadata) = present(body, "metadata") {
        strings(metadata, "metadata")?;
    }
    let text = optional_text(body, "text", "text")?.filter(|text| !text.is_empty());
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > TEXT_LIMIT)
    {
        return bad(format!("text is longer than {TEXT_LIMIT} characters"));
    }
    let file = content(body)?;
    let Some(text) = text.or(file) else {
        return bad("text or content is required");
    };
    Ok(Arrival {
        thread,
        text,
        time,
        message_id,
        attributes,
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

/// The address of the first file, when there is one.
fn content(body: &Object) -> Checked<Option<String>> {
    let Some(content) = present(body, "content") else {
        return Ok(None);
    };
    let Some(items) = content.as_array() else {
        return bad("content must be a list");
    };
    let mut first = None;
    for item in items {
        let item = object(item, "content")?;
        let attachment = required_object(item, "attachment", "content.attachment")?;
        let kinds = ["Image", "Video", "Audio", "File", "Link"];
        one_of(attachment, "mediaType", "attachment.mediaType", &kinds)?;
        required_text(attachment, "mime", "attachment.mime")?;
        let url = required_text(attachment, "url", "attachment.url")?;
        first.get_or_insert(url);
    }
    Ok(first)
}

fn bad<T>(message: impl Into<String>) -> Checked<T> {
    Err(Refusal::bad_request(message))
}

/// A field that is there and not null.
fn present<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn object<'a>(value: &'a Value, path: &str) -> Checked<&'a Object> {
    value
        .as_object()
        .ok_or_else(|| Refusal::bad_request(format!("{path} must be an object")))
}

fn required_object<'a>(holder: &'a Object, name: &str, path: &str) -> Checked<&'a Object> {
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

fn required_text(holder: &Object, name: &str, path: &str) -> Checked<String> {
    match optional_text(holder, name, path)? {
        Some(text) if !text.is_empty() => Ok(text),
        _ => bad(format!("{path} is required")),
    }
}

fn one_of(holder: &Object, name: &str, path: &str, allowed: &[&str]) -> Checked<String> {
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
