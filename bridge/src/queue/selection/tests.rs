use time::macros::datetime;

use super::*;
use crate::queue::envelope::{AgentEnvelope, Envelope, NotificationEnvelope};
use crate::teams::notification::ChangeType;

const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
const CHAT: &str = "19:a@unq.gbl.spaces";

fn seconds(seconds: i64) -> OffsetDateTime {
    AT + Duration::seconds(seconds)
}

fn failed(blob: &str, content: Content, accepted: OffsetDateTime) -> Failed {
    let direction = match content {
        Content::AgentMessage(_) => Direction::Outbound,
        _ => Direction::Inbound,
    };
    let envelope = Envelope::new(accepted, content);
    let envelope = serde_json::to_value(envelope).expect("JSON");
    let message = FailedMessage {
        last_attempt: seconds(60),
        ..FailedMessage::refused(direction, seconds(0), envelope)
    };
    Failed {
        blob: blob.to_owned(),
        message,
    }
}

fn customers(message: &str) -> Content {
    Content::Notification(NotificationEnvelope {
        change: ChangeType::Created,
        chat: CHAT.parse().expect("an id"),
        message: message.parse().expect("an id"),
        account: "support".parse().expect("a name"),
        encrypted: None,
    })
}

fn agents(time: &str, to: &str) -> Content {
    let webhook =
        format!(r#"{{"id":"b","type":"Text","channel":{{"time":"{time}","to":{{"id":"{to}"}}}}}}"#);
    Content::AgentMessage(AgentEnvelope::of(webhook.as_bytes()))
}

#[test]
fn each_filter_leaves_out_what_it_does_not_mean() {
    let one = failed("lane/1.json", customers("1"), AT);
    let all = Selection::default();
    assert!(all.is_of_all() && all.takes(&one) && !all.is_certain(1));
    let chat = |text| chat(text).ok();
    let digest = one.message.chat().expect("a chat").to_string();
    type Change<'a> = &'a dyn Fn(&mut Selection);
    let cases: [(Change, bool); 12] = [
        (&|it| it.since = Some(seconds(60)), true),
        (&|it| it.since = Some(seconds(61)), false),
        (&|it| it.until = Some(seconds(61)), true),
        (&|it| it.until = Some(seconds(60)), false),
        (&|it| it.kind = Some("refused".to_owned()), true),
        (&|it| it.kind = Some("expired".to_owned()), false),
        (&|it| it.chat = chat(CHAT), true),
        (&|it| it.chat = chat(&digest), true),
        (&|it| it.chat = chat("19:b@unq.gbl.spaces"), false),
        (&|it| it.direction = Some(Direction::Outbound), false),
        (&|it| it.blobs.extend(["lane/1.json".to_owned()]), true),
        (&|it| it.blobs.extend(["lane/2.json".to_owned()]), false),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        let mut selection = Selection::default();
        change(&mut selection);
        assert!(!selection.is_of_all(), "{number}");
        assert!(
            selection.is_certain(1) && !selection.is_certain(2),
            "{number}"
        );
        assert_eq!(selection.takes(&one), expected, "{number}");
    }
}

#[test]
fn the_chat_is_known_where_anything_tells_it() {
    let group = "teams-chat:support:0123456789abcdef0123456789abcdef";
    let direct = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";
    let chat_of = |content| {
        let chat = failed("b", content, AT).message.chat();
        chat.map(|chat| chat.to_string())
    };
    let group = chat_of(agents("2026-01-02T03:04:05Z", group));
    assert_eq!(group.as_deref(), Some("0123456789abcdef0123456789abcdef"));
    assert_eq!(chat_of(agents("2026-01-02T03:04:05Z", direct)), None);
    let mut stored = failed("b", agents("2026-01-02T03:04:05Z", direct), AT).message;
    stored.chat = Some(Digest::of("chat", "c"));
    assert_eq!(stored.chat(), stored.chat);
}

#[test]
fn a_lane_keeps_the_order_in_which_its_messages_were_accepted() {
    let mut later = failed("5", customers("1700000000009"), seconds(2));
    // It was replayed before, and keeps its place all the same.
    let mut again = failed("0", customers("1700000000005"), seconds(1));
    again.message.first_attempt = seconds(500);
    let mut other = failed("4", customers("1"), seconds(0));
    other.message.lane = "zebra".to_owned();
    later.message.first_attempt = seconds(3);
    let mut unreadable = failed("9", customers("1"), AT);
    unreadable.message.envelope = serde_json::json!("aGVsbG8=");
    unreadable.message.first_attempt = seconds(-5);
    let mut all = vec![
        other,
        later,
        // One batch of Graph's: accepted at the same moment, and told in any order.
        failed("8", customers("1700000000002"), seconds(0)),
        failed("7", customers("1700000000010"), seconds(0)),
        failed("6", customers("999999999999"), seconds(0)),
        again,
        unreadable,
    ];
    sort(&mut all);
    let order: String = all.iter().map(|it| it.blob.as_str()).collect();
    assert_eq!(order, "9687054");
    let mut agents = vec![
        failed("2", agents("2026-01-02T03:04:04.9Z", "a"), AT),
        failed("1", agents("2026-01-02T03:04:04.1Z", "a"), AT),
    ];
    sort(&mut agents);
    assert_eq!(agents[0].blob, "1");
}

#[test]
fn times_are_given_as_people_write_them() {
    let now = seconds(0);
    for (text, expected) in [
        ("2h", Some(now - Duration::hours(2))),
        ("90m", Some(now - Duration::minutes(90))),
        ("3d", Some(now - Duration::days(3))),
        ("2026-01-01", Some(datetime!(2026-01-01 00:00 UTC))),
        (
            "2026-01-01T08:00:00+01:00",
            Some(datetime!(2026-01-01 07:00 UTC)),
        ),
        ("65535d", Some(now - Duration::days(65_535))),
        ("2", None),
        ("h", None),
        ("-2h", None),
        ("2ä", None),
        ("yesterday", None),
        ("", None),
    ] {
        let given = text.parse::<GivenTime>().ok().map(|it| it.at(now));
        assert_eq!(given, expected, "{text}");
    }
}
