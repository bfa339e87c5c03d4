//! The spool: agents' messages that Service Bus did not take lie in Blob until it does. Their names alone tell what belongs
//! together and what comes first, so that nothing has to be read to sort them.

use std::time::Duration;

use time::OffsetDateTime;

use super::envelope::{Content, Envelope};
use super::route::Route;
use crate::genesys::webhook::Webhook;
use crate::ids::Digest;

/// What the names of all messages in the spool begin with, in the container `state`.
pub const SPOOL: &str = "spool/";

/// Digits of the milliseconds since 1970, up to the year 9999.
const DIGITS: usize = 15;

/// What the names of a lane's messages in the spool begin with.
#[must_use]
pub fn folder(route: &Route) -> String {
    let lane = route.lane.as_ref().map_or("", |lane| lane.as_str());
    format!("{SPOOL}{}/", Digest::of("lane", lane))
}

/// The name of an agent's message in the spool: its lane, then when it was written at Genesys (`channel.time`), then its identity
/// for duplicate detection. A repeated webhook call has the same name. Without a time of its own it is the time of its
/// acceptance; what cannot be read has a lane of its own, and no time.
#[must_use]
pub fn name(envelope: &Envelope, route: &Route) -> String {
    let written = match &envelope.content {
        Content::AgentMessage(message) => {
            let webhook = Webhook::parse(&message.body(), envelope.accepted_at);
            webhook.map_or(0, |webhook| milliseconds(webhook.time))
        }
        _ => milliseconds(envelope.accepted_at),
    };
    let id = route.message_id.as_ref().map_or("", |id| id.as_str());
    let id = Digest::of("spool", id);
    format!("{}{written:0DIGITS$}-{id}.json", folder(route))
}

fn milliseconds(time: OffsetDateTime) -> u64 {
    u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// Messages of one lane in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What their names begin with.
    pub folder: String,
    /// Their names, in the order in which they are forwarded.
    pub names: Vec<String>,
}

/// Sorts the names of a listing by their lanes. What was not put there by [`name`] is left out, and holds up nothing.
#[must_use]
pub fn by_lane(listed: &[String]) -> Vec<Waiting> {
    let mut names: Vec<&String> = listed.iter().filter(|name| parts(name).is_some()).collect();
    names.sort();
    let mut lanes: Vec<Waiting> = Vec::new();
    for name in names {
        let folder = &name[..name.rfind('/').map_or(0, |end| end + 1)];
        match lanes.last_mut() {
            Some(lane) if lane.folder == folder => lane.names.push(name.clone()),
            _ => lanes.push(Waiting {
                folder: folder.to_owned(),
                names: vec![name.clone()],
            }),
        }
    }
    lanes
}

/// For how long a message of this name has waited, as far as its name tells.
#[must_use]
pub fn age(name: &str, now: OffsetDateTime) -> Option<Duration> {
    let written = parts(name)?.1;
    let age = milliseconds(now).checked_sub(written)?;
    (written > 0).then(|| Duration::from_millis(age))
}

/// The lane and the time in a name of [`name`].
fn parts(name: &str) -> Option<(Digest, u64)> {
    let (lane, rest) = name.strip_prefix(SPOOL)?.split_once('/')?;
    let (written, id) = rest.strip_suffix(".json")?.split_once('-')?;
    let _: Digest = id.parse().ok()?;
    let written = (written.len() == DIGITS).then(|| written.parse().ok())??;
    Some((lane.parse().ok()?, written))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::queue::envelope::AgentEnvelope;

    const NOON: OffsetDateTime = datetime!(2026-01-02 12:00:00 UTC);
    const ANNA: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";
    const BERT: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000b";

    fn named(accepted: OffsetDateTime, body: &str) -> String {
        let content = Content::AgentMessage(AgentEnvelope::of(body.as_bytes()));
        let envelope = Envelope::new(accepted, content);
        let route = envelope.route(|| [0; 16]);
        let name = name(&envelope, &route);
        assert!(name.starts_with(&folder(&route)));
        name
    }

    fn message(to: &str, id: &str, at: &str) -> String {
        let channel = json!({ "to": { "id": to }, "time": at });
        json!({ "id": id, "type": "Text", "text": "hello", "channel": channel }).to_string()
    }

    #[test]
    fn a_repeated_call_has_the_same_name_whenever_it_comes() {
        let body = message(ANNA, "m-1", "2026-01-02T11:59:58.123Z");
        let first = named(NOON, &body);
        assert_eq!(first, named(NOON + Duration::from_secs(80), &body));
        assert_eq!(age(&first, NOON), Some(Duration::from_millis(1_877)));
        let other = message(ANNA, "m-2", "2026-01-02T11:59:58.123Z");
        assert_ne!(first, named(NOON, &other));
        let unreadable = named(NOON, "no JSON");
        assert_eq!(unreadable, named(NOON + Duration::from_secs(5), "no JSON"));
        assert_eq!(age(&unreadable, NOON), None);
        assert!(
            !first.contains("support") && !first.contains("m-1"),
            "{first}"
        );
    }

    #[test]
    fn names_sort_by_lane_and_by_the_time_of_writing() {
        let names = [
            named(NOON, &message(ANNA, "m-3", "2026-01-02T12:00:00.001Z")),
            named(NOON, &message(BERT, "m-4", "2026-01-02T11:00:00Z")),
            named(NOON, &message(ANNA, "m-1", "2026-01-02T13:00:00.000+02:00")),
            named(
                NOON,
                &message(&format!("{ANNA}:2"), "m-2", "2026-01-02T12:00:00Z"),
            ),
        ];
        let foreign = ["spool/x/1.json", "spool/", "claims/1.json"].map(str::to_owned);
        let lanes = by_lane(&[&names[..], &foreign].concat());
        let of_anna = lanes.iter().find(|lane| lane.names.len() == 3);
        let expected = [2, 3, 0].map(|number: usize| names[number].clone());
        assert_eq!(of_anna.expect("Anna's lane").names, expected);
        assert_eq!(lanes.len(), 2);
    }

    #[test]
    fn times_beyond_those_of_people_still_make_names_that_are_read() {
        for at in [
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "yesterday",
            "",
        ] {
            let name = named(NOON, &message(ANNA, "m-1", at));
            assert_eq!(by_lane(&[name]).len(), 1, "{at}");
        }
    }
}
