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

use super::app::QueueBinding;
use crate::service_bus::Message;

const SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// A .NET string: JSON inside a JSON string. (A number is its digits as a string.)
fn string(text: &str) -> Value {
    Value::String(Value::String(text.to_owned()).to_string())
}

/// A .NET `DateTime`: whole seconds, no zone.
fn date_time(at: OffsetDateTime) -> String {
    at.format(SECONDS).unwrap_or_default()
}

fn system(function: &str, now: OffsetDateTime) -> Value {
    let utc_now = format!("{}.{:07}Z", date_time(now), now.nanosecond() / 100);
    json!({ "MethodName": function, "UtcNow": utc_now, "RandGuid": Uuid::new_v4().to_string() })
}

/// The call of a queue function.
pub(super) fn of_message(function: &str, binding: &QueueBinding, message: &Message) -> Value {
    let draft = &message.draft;
    let broker = &draft.broker;
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    put("MessageId", string(&message.message_id));
    put("DeliveryCount", json!(message.delivery_count.to_string()));
    put("SequenceNumber", json!(message.sequence.to_string()));
    let expires_at = message.enqueued_at + message.time_to_live;
    for (name, at) in [
        ("EnqueuedTime", message.enqueued_at),
        ("ExpiresAt", expires_at),
    ] {
        let at = date_time(at);
        put(name, json!(format!("{at}+00:00")));
        put(&format!("{name}Utc"), json!(at));
    }
    put("LockToken", string(&Uuid::new_v4().to_string()));
    for (name, value) in [
        ("SessionId", &broker.session_id),
        ("ContentType", &draft.content_type),
        ("CorrelationId", &broker.correlation_id),
        ("Subject", &broker.label),
        ("Label", &broker.label),
        ("PartitionKey", &broker.partition_key),
    ] {
        // Absent values are left out.
        if let Some(value) = value {
            put(name, string(value));
        }
    }
    // Objects that mean nothing to a handler, but are there.
    for noise in [
        "ApplicationProperties",
        "UserProperties",
        "MessageReceiver",
        "MessageSession",
        "MessageActions",
        "SessionActions",
        "ReceiveActions",
        "Client",
    ] {
        put(noise, json!({}));
    }
    put("sys", system(function, OffsetDateTime::now_utc()));
    let body = STANDARD.encode(&draft.body);
    json!({ "Data": { &binding.name: body }, "Metadata": metadata })
}

/// The call of a timer function: when the last call was, and for when this one was meant.
pub(super) fn of_timer(
    function: &str,
    binding: &str,
    last: Option<OffsetDateTime>,
    next: OffsetDateTime,
) -> Value {
    let zoned = |at| format!("{}+00:00", date_time(at));
    // The least time of .NET.
    let last = last.map_or_else(|| "0001-01-01T00:00:00+00:00".to_owned(), zoned);
    let timer = json!({
        "Schedule": { "AdjustForDST": true },
        "ScheduleStatus": { "Last": last, "Next": zoned(next), "LastUpdated": last },
        "IsPastDue": false,
    });
    json!({ "Data": { binding: timer }, "Metadata": { "sys": system(function, next) } })
}
