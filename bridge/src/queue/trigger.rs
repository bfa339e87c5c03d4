//! The Functions host's payload of a queue function, as azure-functions-host writes it
//! (`ScriptInvocationContextExtensions`): strings in `Metadata` are JSON inside JSON, binary data is base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::json_fault::JsonFault;

/// One Service Bus message with the broker's properties. `Debug` shows the body's length only.
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

impl std::fmt::Debug for Trigger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Trigger")
            .field("bytes", &self.body.len())
            .field("message_id", &self.message_id)
            .field("session_id", &self.session_id)
            .field("correlation_id", &self.correlation_id)
            .field("delivery_count", &self.delivery_count)
            .field("enqueued_at", &self.enqueued_at)
            .finish()
    }
}

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
        Ok(Self {
            body,
            message_id: text("MessageId"),
            session_id: text("SessionId"),
            correlation_id: text("CorrelationId"),
            delivery_count: text("DeliveryCount")
                .and_then(|count| count.parse().ok())
                .unwrap_or(1),
            enqueued_at: text("EnqueuedTime")
                .and_then(|time| OffsetDateTime::parse(&time, &Rfc3339).ok())
                .or_else(|| {
                    // The older spelling has no zone and means UTC.
                    let time = text("EnqueuedTimeUtc")?;
                    OffsetDateTime::parse(&format!("{}Z", time.trim_end_matches('Z')), &Rfc3339)
                        .ok()
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

    #[test]
    fn the_documented_payload_is_read() {
        let payload = include_bytes!("../../fixtures/host_queue_payload.json");
        let trigger = Trigger::parse(payload, "message").expect("readable");
        assert_eq!(
            trigger,
            Trigger {
                body: br#"{"type":"text"}"#.to_vec(),
                message_id: Some("a1".to_owned()),
                session_id: Some("conv-42".to_owned()),
                correlation_id: Some("c1".to_owned()),
                delivery_count: 3,
                enqueued_at: Some(datetime!(2024-05-01 10:20:30 UTC)),
            }
        );
    }

    #[test]
    fn single_encoding_and_absent_metadata_are_tolerated() {
        let trigger = Trigger::parse(br#"{"Data":{"message":"aGk="},"Metadata":{"SessionId":"s","DeliveryCount":2,"EnqueuedTimeUtc":"2024-05-01T10:20:30"}}"#, "message").expect("readable");
        assert_eq!(trigger.session_id.as_deref(), Some("s"));
        assert_eq!(trigger.delivery_count, 2);
        assert_eq!(
            trigger.enqueued_at,
            Some(datetime!(2024-05-01 10:20:30 UTC))
        );
        let bare = Trigger::parse(br#"{"Data":{"message":"aGk="}}"#, "message").expect("readable");
        assert_eq!((bare.delivery_count, bare.session_id), (1, None));
    }

    #[test]
    fn debug_output_holds_no_body() {
        let payload = include_bytes!("../../fixtures/host_queue_payload.json");
        let shown = format!("{:?}", Trigger::parse(payload, "message"));
        assert!(shown.contains("bytes: 15"), "{shown}");
    }

    #[test]
    fn other_payloads_are_errors() {
        assert!(matches!(
            Trigger::parse(b"", "message"),
            Err(TriggerError::Json(_))
        ));
        assert!(matches!(
            Trigger::parse(br#"{"Data":{}}"#, "message"),
            Err(TriggerError::Binding(_))
        ));
        assert!(matches!(
            Trigger::parse(br#"{"Data":{"message":"{}"}}"#, "message"),
            Err(TriggerError::Base64(_))
        ));
    }
}
