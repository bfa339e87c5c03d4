//! The JSON that the host sends for everything but HTTP: `Data` and `Metadata`, with the host's odd encoding.
//!
//! Source: Azure/azure-functions-host, `Workers/MessageExtensions/HttpScriptInvocationContextExtensions.cs` and
//! `DefaultHttpWorkerServiceTests.cs`; azure-sdk-for-net, `ServiceBusTriggerBindingStrategy.cs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use uuid::Uuid;

use crate::service_bus::Delivery;

const SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// A .NET string: JSON inside a JSON string.
fn string(text: &str) -> Value {
    Value::String(Value::String(text.to_owned()).to_string())
}

/// A .NET number: its digits as a string.
fn number(number: impl std::fmt::Display) -> Value {
    Value::String(number.to_string())
}

/// A .NET `DateTime`: whole seconds, no zone.
fn date_time(at: OffsetDateTime) -> String {
    at.format(SECONDS).unwrap_or_default()
}

fn system(function: &str) -> Value {
    let now = OffsetDateTime::now_utc();
    let utc_now = format!("{}.{:07}Z", date_time(now), now.nanosecond() / 100);
    json!({ "MethodName": function, "UtcNow": utc_now, "RandGuid": Uuid::new_v4().to_string() })
}

/// The call of a queue function.
#[must_use]
pub fn of_message(function: &str, binding: &str, binary: bool, delivery: &Delivery) -> Value {
    let message = &delivery.message;
    let draft = &message.draft;
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    put("MessageId", string(&message.message_id));
    put("DeliveryCount", number(delivery.delivery_count));
    put("SequenceNumber", number(message.sequence));
    for (plain, with_offset, at) in [
        ("EnqueuedTimeUtc", "EnqueuedTime", message.enqueued_at),
        (
            "ExpiresAtUtc",
            "ExpiresAt",
            message.enqueued_at + message.time_to_live,
        ),
    ] {
        put(plain, Value::String(date_time(at)));
        put(
            with_offset,
            Value::String(format!("{}+00:00", date_time(at))),
        );
    }
    put("LockToken", string(&Uuid::new_v4().to_string()));
    for (name, value) in [
        ("SessionId", &draft.session_id),
        ("ContentType", &draft.content_type),
        ("CorrelationId", &draft.correlation_id),
        ("Subject", &draft.label),
        ("Label", &draft.label),
        ("PartitionKey", &draft.partition_key),
    ] {
        // Absent values are left out.
        if let Some(value) = value {
            put(name, string(value));
        }
    }
    put("ApplicationProperties", json!(draft.properties));
    put("UserProperties", json!(draft.properties));
    // Objects of the SDK that mean nothing to a handler, but are there.
    for noise in [
        "MessageReceiver",
        "MessageSession",
        "MessageActions",
        "SessionActions",
        "ReceiveActions",
        "Client",
    ] {
        put(noise, json!({}));
    }
    put("sys", system(function));
    let body = if binary {
        Value::String(STANDARD.encode(&draft.body))
    } else {
        let text = String::from_utf8_lossy(&draft.body);
        // Delivered as text, a JSON object's own fields overwrite metadata of the same name.
        if let Ok(Value::Object(fields)) = serde_json::from_str(&text) {
            for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_array()) {
                metadata.insert(name, leaked(value));
            }
        }
        string(&text)
    };
    json!({ "Data": { binding: body }, "Metadata": metadata })
}

fn leaked(value: Value) -> Value {
    match value {
        Value::String(text) => string(&text),
        Value::Object(_) => value,
        other => Value::String(other.to_string()),
    }
}

/// The call of a timer function.
#[must_use]
pub fn of_timer(function: &str, binding: &str) -> Value {
    let now = format!("{}+00:00", date_time(OffsetDateTime::now_utc()));
    let timer = json!({
        "Schedule": { "AdjustForDST": true },
        "ScheduleStatus": { "Last": now, "Next": now, "LastUpdated": now },
        "IsPastDue": false,
    });
    json!({ "Data": { binding: timer }, "Metadata": { "sys": system(function) } })
}
