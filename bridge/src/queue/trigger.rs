//! The Functions host's payload of a queue function, as azure-functions-host writes it
//! (`ScriptInvocationContextExtensions`): strings in `Metadata` are JSON inside JSON, binary data is base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::json_fault::JsonFault;

/// One Service Bus message with the broker's properties. `Debug` leaves the body out.
#[derive(Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The exact bytes that were sent.
    pub body: Vec<u8>,
    /// The sender's `MessageId`.
    pub message_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The sender's `CorrelationId`.
    pub correlation_id: Option<String>,
    /// 1 on the first delivery.
    pub delivery_count: u32,
    /// When the queue accepted it.
    pub enqueued_at: Option<OffsetDateTime>,
}

debug_shows!(Trigger: message_id, session_id, correlation_id, delivery_count, enqueued_at);

/// A payload that is not what the host documents.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// No JSON, or not the host's shape.
    #[error("the payload is not the host's JSON")]
    Json(#[source] JsonFault),
    /// The binding is absent.
    #[error("the payload has no binding {0}")]
    Binding(String),
    /// The binding is no base64: its `dataType` is not `binary`.
    #[error("the message is not base64: the binding needs dataType binary")]
    Base64(#[source] base64::DecodeError),
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "Data")]
    data: serde_json::Map<String, Value>,
    #[serde(rename = "Metadata", default)]
    metadata: serde_json::Map<String, Value>,
}

impl Trigger {
    /// Reads the payload of a binding with `dataType: binary`.
    ///
    /// # Errors
    /// The payload is not JSON of the host's shape, or the binding is missing or not base64.
    pub fn parse(payload: &[u8], binding: &str) -> Result<Self, TriggerError> {
        let payload: Payload =
            serde_json::from_slice(payload).map_err(|error| TriggerError::Json(error.into()))?;
        let Some(Value::String(body)) = payload.data.get(binding) else {
            return Err(TriggerError::Binding(binding.to_owned()));
        };
        let body = STANDARD.decode(body).map_err(TriggerError::Base64)?;
        let text = |name: &str| payload.metadata.get(name).and_then(text_of);
        let time = |text: String| crate::moment::parse(&text);
        Ok(Self {
            body,
            message_id: text("MessageId"),
            session_id: text("SessionId"),
            correlation_id: text("CorrelationId"),
            delivery_count: text("DeliveryCount")
                .and_then(|count| count.parse().ok())
                .unwrap_or(1),
            enqueued_at: text("EnqueuedTime").and_then(time).or_else(|| {
                // The older spelling has no zone and means UTC.
                let utc = text("EnqueuedTimeUtc")?;
                time(format!("{}Z", utc.trim_end_matches('Z')))
            }),
        })
    }
}

/// A metadata value as text, whether it is encoded once or twice.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(outer) => match serde_json::from_str::<Value>(outer) {
            Ok(Value::String(inner)) => Some(inner),
            _ => Some(outer.clone()),
        },
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const AT: OffsetDateTime = datetime!(2024-05-01 10:20:30 UTC);

    fn parsed(payload: &str) -> Result<Trigger, TriggerError> {
        Trigger::parse(payload.as_bytes(), "message")
    }

    #[test]
    fn the_documented_payload_is_read() {
        let payload = include_str!("../../fixtures/host_queue_payload.json");
        let trigger = parsed(payload).expect("readable");
        let expected = Trigger {
            body: br#"{"type":"text"}"#.to_vec(),
            message_id: Some("a1".to_owned()),
            session_id: Some("conv-42".to_owned()),
            correlation_id: Some("c1".to_owned()),
            delivery_count: 3,
            enqueued_at: Some(AT),
        };
        assert_eq!(trigger, expected);
        assert!(!format!("{trigger:?}").contains("body"));
    }

    #[test]
    fn single_encoding_and_absent_metadata_are_tolerated() {
        let metadata =
            r#"{"SessionId":"s","DeliveryCount":2,"EnqueuedTimeUtc":"2024-05-01T10:20:30"}"#;
        let payload = format!(r#"{{"Data":{{"message":"aGk="}},"Metadata":{metadata}}}"#);
        let trigger = parsed(&payload).expect("readable");
        assert_eq!(trigger.session_id.as_deref(), Some("s"));
        assert_eq!((trigger.delivery_count, trigger.enqueued_at), (2, Some(AT)));
        let bare = parsed(r#"{"Data":{"message":"aGk="}}"#).expect("readable");
        assert_eq!((bare.delivery_count, bare.session_id), (1, None));
    }

    #[test]
    fn other_payloads_are_errors() {
        assert!(matches!(parsed(""), Err(TriggerError::Json(_))));
        let nothing = r#"{"Data":{}}"#;
        assert!(matches!(parsed(nothing), Err(TriggerError::Binding(_))));
        let text = r#"{"Data":{"message":"{}"}}"#;
        assert!(matches!(parsed(text), Err(TriggerError::Base64(_))));
    }
}
