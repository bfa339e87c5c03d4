//! The `BrokerProperties` of the REST interface: strict where Service Bus is strict.
//!
//! Source: Service Bus REST reference, "Send Message", "Send Message Batch" and "Message headers and properties".

use std::time::Duration;

use serde_json::{Map, Value};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::message::Draft;

/// Longest `MessageId`, `SessionId` and `PartitionKey`, in characters.
const ID_LIMIT: usize = 128;

/// Why properties were refused (status 400).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PropertiesError {
    /// No JSON object.
    #[error("BrokerProperties is not a JSON object")]
    NotAnObject,
    /// A value of another type or form than the property has.
    #[error("BrokerProperties: {0} has a wrong value")]
    WrongValue(&'static str),
    /// An id beyond 128 characters.
    #[error("BrokerProperties: {0} is longer than 128 characters")]
    TooLong(&'static str),
    /// Session and partition differ.
    #[error("BrokerProperties: PartitionKey differs from SessionId")]
    PartitionDiffers,
}

/// Reads the header's text into the draft. Unknown properties are ignored, as Service Bus does.
///
/// # Errors
/// [`PropertiesError`], to be answered with 400.
pub fn read_header(text: &str, draft: &mut Draft) -> Result<(), PropertiesError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(properties)) => read(&properties, draft),
        _ => Err(PropertiesError::NotAnObject),
    }
}

/// Reads a JSON object of properties into the draft.
///
/// # Errors
/// [`PropertiesError`], to be answered with 400.
pub fn read(properties: &Map<String, Value>, draft: &mut Draft) -> Result<(), PropertiesError> {
    draft.message_id = id(properties, "MessageId")?;
    draft.session_id = id(properties, "SessionId")?;
    draft.partition_key = id(properties, "PartitionKey")?;
    draft.correlation_id = text(properties, "CorrelationId")?;
    draft.label = text(properties, "Label")?;
    draft.reply_to = text(properties, "ReplyTo")?;
    draft.reply_to_session_id = id(properties, "ReplyToSessionId")?;
    draft.to = text(properties, "To")?;
    draft.time_to_live = time_to_live(properties)?;
    draft.scheduled_at = scheduled_at(properties)?;
    match (&draft.session_id, &draft.partition_key) {
        (Some(session), Some(partition)) if session != partition => {
            Err(PropertiesError::PartitionDiffers)
        }
        _ => Ok(()),
    }
}

fn text(
    properties: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, PropertiesError> {
    match properties.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value.clone())),
        Some(_) => Err(PropertiesError::WrongValue(name)),
    }
}

fn id(
    properties: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, PropertiesError> {
    let value = text(properties, name)?;
    match &value {
        Some(value) if value.chars().count() > ID_LIMIT => Err(PropertiesError::TooLong(name)),
        Some(value) if value.is_empty() => Err(PropertiesError::WrongValue(name)),
        _ => Ok(value),
    }
}

fn time_to_live(properties: &Map<String, Value>) -> Result<Option<Duration>, PropertiesError> {
    if let Some(span) = text(properties, "TimeToLiveTimeSpan")? {
        return time_span(&span)
            .map(Some)
            .ok_or(PropertiesError::WrongValue("TimeToLiveTimeSpan"));
    }
    let wrong = PropertiesError::WrongValue("TimeToLive");
    match properties.get("TimeToLive") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(seconds)) => match seconds.as_f64() {
            Some(seconds) if seconds > 0.0 => Duration::try_from_secs_f64(seconds)
                .map(Some)
                .map_err(|_| wrong),
            _ => Err(wrong),
        },
        Some(_) => Err(wrong),
    }
}

fn scheduled_at(
    properties: &Map<String, Value>,
) -> Result<Option<OffsetDateTime>, PropertiesError> {
    let name = "ScheduledEnqueueTimeUtc";
    let Some(text) = text(properties, name)? else {
        return Ok(None);
    };
    // RFC 1123 in GMT is the documented form; others are refused here although the service may take some.
    if !text.ends_with("GMT") {
        return Err(PropertiesError::WrongValue(name));
    }
    OffsetDateTime::parse(&text, &Rfc2822)
        .map(Some)
        .map_err(|_| PropertiesError::WrongValue(name))
}

/// A .NET time span, `[days.]hours:minutes:seconds[.fraction]`.
#[must_use]
pub fn time_span(text: &str) -> Option<Duration> {
    let mut parts = text.splitn(3, ':');
    let (first, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let whole = |text: &str| text.parse::<u32>().ok();
    let (days, hours, minutes) = (whole(days)?, whole(hours)?, whole(minutes)?);
    let seconds: f64 = seconds.parse().ok()?;
    if hours > 23 || minutes > 59 || !(0.0..60.0).contains(&seconds) {
        return None;
    }
    let minutes = (u64::from(days) * 24 + u64::from(hours)) * 60 + u64::from(minutes);
    Some(Duration::from_secs(minutes * 60) + Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Draft, PropertiesError> {
        let mut draft = Draft::default();
        read_header(text, &mut draft).map(|()| draft)
    }

    #[test]
    fn known_properties_are_read_and_unknown_ones_ignored() {
        let draft = read_text(
            r#"{"SessionId":"s","MessageId":"m","CorrelationId":"c","TimeToLive":600,
               "ScheduledEnqueueTimeUtc":"Wed, 02 Jul 2014 01:32:27 GMT","Priority":"High"}"#,
        )
        .expect("valid");
        assert_eq!(draft.session_id.as_deref(), Some("s"));
        assert_eq!(draft.message_id.as_deref(), Some("m"));
        assert_eq!(draft.time_to_live, Some(Duration::from_secs(600)));
        assert_eq!(
            draft.scheduled_at.map(OffsetDateTime::unix_timestamp),
            Some(1_404_264_747)
        );
    }

    #[test]
    fn wrong_properties_are_refused() {
        let long = format!(r#"{{"MessageId":"{}"}}"#, "x".repeat(129));
        assert_eq!(
            read_text(&long).err(),
            Some(PropertiesError::TooLong("MessageId"))
        );
        assert_eq!(read_text("[]").err(), Some(PropertiesError::NotAnObject));
        assert_eq!(
            read_text(r#"{"SessionId":7}"#).err(),
            Some(PropertiesError::WrongValue("SessionId"))
        );
        assert_eq!(
            read_text(r#"{"TimeToLive":"600"}"#).err(),
            Some(PropertiesError::WrongValue("TimeToLive"))
        );
        assert_eq!(
            read_text(r#"{"SessionId":"a","PartitionKey":"b"}"#).err(),
            Some(PropertiesError::PartitionDiffers)
        );
        assert_eq!(
            read_text(r#"{"ScheduledEnqueueTimeUtc":"2014-07-02T01:32:27Z"}"#).err(),
            Some(PropertiesError::WrongValue("ScheduledEnqueueTimeUtc"))
        );
    }

    #[test]
    fn time_spans_read_as_in_dot_net() {
        assert_eq!(time_span("00:00:03"), Some(Duration::from_secs(3)));
        assert_eq!(time_span("0.00:00:40"), Some(Duration::from_secs(40)));
        assert_eq!(
            time_span("14.01:00:00.5"),
            Some(Duration::from_millis(1_213_200_500))
        );
        assert_eq!(time_span("3"), None);
        assert_eq!(time_span("00:61:00"), None);
    }
}
