//! The `BrokerProperties` of the REST interface: strict where Service Bus is strict.
//!
//! Source: Service Bus REST reference, "Send Message", "Send Message Batch" and "Message headers and properties".

use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::message::Draft;

/// Longest `MessageId`, `SessionId` and `PartitionKey`, in characters.
const ID_LIMIT: usize = 128;

/// The properties that the service knows; others are ignored, as Service Bus does.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BrokerProperties {
    message_id: Option<Id>,
    session_id: Option<Id>,
    partition_key: Option<Id>,
    correlation_id: Option<String>,
    label: Option<String>,
    /// Seconds.
    time_to_live: Option<Life>,
    time_to_live_time_span: Option<Span>,
    scheduled_enqueue_time_utc: Option<Schedule>,
}

impl BrokerProperties {
    /// Puts them into a draft.
    ///
    /// # Errors
    /// When session and partition differ, to be answered with 400.
    pub fn fill(self, draft: &mut Draft) -> Result<(), &'static str> {
        let id = |id: Option<Id>| id.map(|id| id.0);
        draft.message_id = id(self.message_id);
        draft.session_id = id(self.session_id);
        draft.partition_key = id(self.partition_key);
        draft.correlation_id = self.correlation_id;
        draft.label = self.label;
        let span = self.time_to_live_time_span.map(|span| span.0);
        draft.time_to_live = span.or(self.time_to_live.map(|life| life.0));
        draft.scheduled_at = self.scheduled_enqueue_time_utc.map(|at| at.0);
        match (&draft.session_id, &draft.partition_key) {
            (Some(session), Some(partition)) if session != partition => {
                Err("BrokerProperties: PartitionKey differs from SessionId")
            }
            _ => Ok(()),
        }
    }
}

/// An id of at most 128 characters.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Id(String);

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        if (1..=ID_LIMIT).contains(&id.chars().count()) {
            Ok(Self(id))
        } else {
            Err("an id has 1 to 128 characters")
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "f64")]
struct Life(Duration);

impl TryFrom<f64> for Life {
    type Error = &'static str;

    fn try_from(seconds: f64) -> Result<Self, Self::Error> {
        let life = Duration::try_from_secs_f64(seconds).map_err(|_| "TimeToLive is too long")?;
        if life.is_zero() {
            return Err("TimeToLive is 0");
        }
        Ok(Self(life))
    }
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Span(Duration);

impl TryFrom<String> for Span {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        time_span(&text).map(Self).ok_or("no time span")
    }
}

/// RFC 1123 in GMT is the documented form; others are refused here although the service may take some.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Schedule(OffsetDateTime);

impl TryFrom<String> for Schedule {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parsed = OffsetDateTime::parse(&text, &Rfc2822).ok();
        parsed
            .filter(|_| text.ends_with("GMT"))
            .map(Self)
            .ok_or("ScheduledEnqueueTimeUtc is no RFC 1123 date in GMT")
    }
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

    fn read(text: &str) -> Result<Draft, String> {
        let mut draft = Draft::default();
        let properties: Result<BrokerProperties, _> = serde_json::from_str(text);
        let properties = properties.map_err(|problem| problem.to_string())?;
        properties
            .fill(&mut draft)
            .map(|()| draft)
            .map_err(str::to_owned)
    }

    #[test]
    fn known_properties_are_read_unknown_ones_ignored_and_wrong_ones_refused() {
        let draft = read(
            r#"{"SessionId":"s","MessageId":"m","CorrelationId":null,"TimeToLive":600,
               "ScheduledEnqueueTimeUtc":"Wed, 02 Jul 2014 01:32:27 GMT","Priority":"High"}"#,
        )
        .expect("valid");
        assert_eq!(draft.session_id.as_deref(), Some("s"));
        assert_eq!(draft.message_id.as_deref(), Some("m"));
        assert_eq!(draft.time_to_live, Some(Duration::from_secs(600)));
        let scheduled = draft.scheduled_at.map(OffsetDateTime::unix_timestamp);
        assert_eq!(scheduled, Some(1_404_264_747));
        for wrong in [
            &format!(r#"{{"MessageId":"{}"}}"#, "x".repeat(129)),
            r#"{"MessageId":""}"#,
            "[]",
            r#"{"SessionId":7}"#,
            r#"{"TimeToLive":"600"}"#,
            r#"{"TimeToLive":-1}"#,
            r#"{"TimeToLive":0}"#,
            r#"{"SessionId":"a","PartitionKey":"b"}"#,
            r#"{"ScheduledEnqueueTimeUtc":"2014-07-02T01:32:27Z"}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn time_spans_read_as_in_dot_net() {
        assert_eq!(time_span("00:00:03"), Some(Duration::from_secs(3)));
        assert_eq!(time_span("0.00:00:40"), Some(Duration::from_secs(40)));
        let days = Duration::from_millis(1_213_200_500);
        assert_eq!(time_span("14.01:00:00.5"), Some(days));
        assert_eq!(time_span("3"), None);
        assert_eq!(time_span("00:61:00"), None);
    }
}
