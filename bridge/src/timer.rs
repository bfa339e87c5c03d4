//! The Functions host's payload of a timer function, as azure-functions-host writes it (`TimerInfo`): an object, not text inside
//! text.

use serde::Deserialize;

use crate::json_fault::JsonFault;

/// A call by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The host called later than the schedule says: it was not running at that time.
    pub is_past_due: bool,
}

/// A payload that is not what the host documents.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// No JSON, or not the host's shape.
    #[error("the payload is not the host's JSON")]
    Json(#[source] JsonFault),
    /// The binding is absent.
    #[error("the payload has no binding {0}")]
    Binding(String),
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "Data")]
    data: std::collections::HashMap<String, serde_json::Value>,
}

/// What it does not say is not worth a missed call.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Timer {
    is_past_due: bool,
}

impl Tick {
    /// Reads the payload of a timer function.
    ///
    /// # Errors
    /// The payload is not JSON of the host's shape, or the binding is missing.
    pub fn parse(payload: &[u8], binding: &str) -> Result<Self, TickError> {
        let json = |error: serde_json::Error| TickError::Json(error.into());
        let mut payload: Payload = serde_json::from_slice(payload).map_err(json)?;
        let timer = payload.data.remove(binding);
        let timer = timer.ok_or_else(|| TickError::Binding(binding.to_owned()))?;
        let Timer { is_past_due } = serde_json::from_value(timer).map_err(json)?;
        Ok(Self { is_past_due })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_payload_is_read() {
        let payload = include_str!("../fixtures/host_timer_payload.json");
        for late in [false, true] {
            let payload =
                payload.replace("\"IsPastDue\": false", &format!("\"IsPastDue\": {late}"));
            let tick = Tick::parse(payload.as_bytes(), "timer").expect("readable");
            assert_eq!(tick.is_past_due, late);
        }
        let bare = Tick::parse(br#"{"Data":{"timer":{}}}"#, "timer");
        assert!(!bare.expect("a call").is_past_due);
        let other = Tick::parse(payload.as_bytes(), "clock");
        assert!(matches!(other, Err(TickError::Binding(_))));
    }

    #[test]
    fn other_payloads_are_errors() {
        for payload in ["", "[]", r#"{"Data":{"timer":"now"}}"#] {
            let read = Tick::parse(payload.as_bytes(), "timer");
            assert!(matches!(read, Err(TickError::Json(_))), "{payload}");
        }
    }
}
