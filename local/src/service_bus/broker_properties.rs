//! The `BrokerProperties` of the REST interface: strict where Service Bus is strict.
//!
//! Source: Service Bus REST reference, "Send Message", "Send Message Batch" and "Message headers and properties".

use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Longest `MessageId`, `SessionId` and `PartitionKey`, in characters.
const ID_LIMIT: usize = 128;

/// What a sender says of a message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Given")]
pub struct BrokerProperties {
    /// Sender-chosen id; Service Bus makes one when absent.
    pub message_id: Option<String>,
    /// The session; required on queues with sessions.
    pub session_id: Option<String>,
    /// Partition; equals the session when both are given.
    pub partition_key: Option<String>,
    /// Sender-chosen correlation.
    pub correlation_id: Option<String>,
    /// `Label`, nowadays called subject.
    pub label: Option<String>,
    /// How long it lives, counted from when it becomes active.
    pub time_to_live: Option<Duration>,
    /// Not active before.
    pub scheduled_at: Option<OffsetDateTime>,
}

/// The properties that the service knows; others are ignored, as Service Bus does.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    message_id: Option<String>,
    session_id: Option<String>,
    partition_key: Option<String>,
    correlation_id: Option<String>,
    label: Option<String>,
    /// Seconds.
    time_to_live: Option<f64>,
    time_to_live_time_span: Option<String>,
    scheduled_enqueue_time_utc: Option<String>,
}

impl TryFrom<Given> for BrokerProperties {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        let (session, partition) = (&given.session_id, &given.partition_key);
        let ids = [&given.message_id, session, partition];
        let fits = |id: &String| (1..=ID_LIMIT).contains(&id.chars().count());
        if !ids.into_iter().flatten().all(fits) {
            return Err("an id has 1 to 128 characters");
        }
        if session.is_some() && partition.is_some() && session != partition {
            return Err("PartitionKey differs from SessionId");
        }
        let life = given.time_to_live.map(|seconds| {
            let life = Duration::try_from_secs_f64(seconds).ok();
            let life = life.filter(|life| !life.is_zero());
            life.ok_or("TimeToLive is 0 or too long")
        });
        let span = given.time_to_live_time_span;
        let span = span.map(|text| time_span(&text).ok_or("no time span"));
        let scheduled = given.scheduled_enqueue_time_utc;
        let scheduled = scheduled.map(|text| date(&text).ok_or("no RFC 1123 date in GMT"));
        let (life, span) = (life.transpose()?, span.transpose()?);
        Ok(Self {
            message_id: given.message_id,
            session_id: given.session_id,
            partition_key: given.partition_key,
            correlation_id: given.correlation_id,
            label: given.label,
            time_to_live: span.or(life),
            scheduled_at: scheduled.transpose()?,
        })
    }
}

/// RFC 1123 in GMT is the documented form; others are refused here although the service may take some.
fn date(text: &str) -> Option<OffsetDateTime> {
    let parsed = OffsetDateTime::parse(text, &Rfc2822).ok();
    parsed.filter(|_| text.ends_with("GMT"))
}

/// A .NET time span, `[days.]hours:minutes:seconds[.fraction]`.
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

    #[test]
    fn known_properties_are_read_unknown_ones_ignored_and_wrong_ones_refused() {
        let read = serde_json::from_str::<BrokerProperties>;
        let known = read(
            r#"{"SessionId":"s","MessageId":"m","CorrelationId":null,"TimeToLive":600,
               "ScheduledEnqueueTimeUtc":"Wed, 02 Jul 2014 01:32:27 GMT","Priority":"High"}"#,
        )
        .expect("valid");
        assert_eq!(known.session_id.as_deref(), Some("s"));
        assert_eq!(known.message_id.as_deref(), Some("m"));
        assert_eq!(known.time_to_live, Some(Duration::from_secs(600)));
        let scheduled = known.scheduled_at.map(OffsetDateTime::unix_timestamp);
        assert_eq!(scheduled, Some(1_404_264_747));
        for wrong in [
            &format!(r#"{{"MessageId":"{}"}}"#, "x".repeat(129)),
            r#"{"MessageId":""}"#,
            "[]",
            r#"{"SessionId":7}"#,
            r#"{"TimeToLive":"600"}"#,
            r#"{"TimeToLive":-1}"#,
            r#"{"TimeToLive":0}"#,
            r#"{"TimeToLiveTimeSpan":"40"}"#,
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
        for wrong in ["3", "00:61:00", "-00:00:01"] {
            assert_eq!(time_span(wrong), None, "{wrong}");
        }
    }
}
