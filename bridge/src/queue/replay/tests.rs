use std::collections::BTreeSet;

use time::macros::datetime;

use super::*;
use crate::genesys::receipt::ReceiptOutcome;
use crate::ids::{BusMessageId, Lane};
use crate::queue::envelope::{
    AgentEnvelope, CatchUpEnvelope, LifecycleEnvelope, NoticeEnvelope, NotificationEnvelope,
    ReceiptEnvelope,
};
use crate::queue::failed::{Direction, FailedMessage};
use crate::teams::notification::{ChangeType, LifecycleEvent};

const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
const NOW: OffsetDateTime = datetime!(2026-01-02 12:00:00 UTC);
const ANNA: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

fn stored(blob: &str, envelope: serde_json::Value) -> Failed {
    let message = FailedMessage {
        message_id: Some("created-1".to_owned()),
        ..FailedMessage::refused(Direction::Inbound, AT, envelope)
    };
    Failed {
        blob: blob.to_owned(),
        message,
    }
}

fn failed(content: Content) -> Failed {
    let envelope = Envelope::new(AT, content);
    stored("lane/1.json", serde_json::to_value(envelope).expect("JSON"))
}

fn changed(change: ChangeType) -> Content {
    Content::Notification(NotificationEnvelope {
        change,
        chat: "19:a@unq.gbl.spaces".parse().expect("an id"),
        message: "1".parse().expect("an id"),
        account: "support".parse().expect("a name"),
        encrypted: None,
    })
}

fn notice(says: NoticeKind) -> Content {
    Content::Notice(NoticeEnvelope {
        chat: "19:a@unq.gbl.spaces".parse().expect("an id"),
        message: "1".parse().expect("an id"),
        account: "support".parse().expect("a name"),
        thread: Some(ANNA.parse().expect("a thread")),
        says,
        language: None,
    })
}

fn reading(since: OffsetDateTime) -> Content {
    Content::CatchUp(CatchUpEnvelope {
        chat: "19:a@unq.gbl.spaces".parse().expect("an id"),
        account: "support".parse().expect("a name"),
        since,
        gap: None,
        message: None,
        part: None,
    })
}

fn agents(time: &str) -> Content {
    let webhook = format!(
        r#"{{"id":"b","type":"Text","channel":{{"time":"{time}","to":{{"id":"{ANNA}"}}}}}}"#
    );
    Content::AgentMessage(AgentEnvelope::of(webhook.as_bytes()))
}

fn receipt() -> Content {
    Content::Receipt(ReceiptEnvelope {
        message: "b".parse().expect("an id"),
        to: ANNA.to_owned(),
        outcome: ReceiptOutcome::Delivered,
        at: AT,
    })
}

fn lifecycle() -> Content {
    Content::Lifecycle(LifecycleEnvelope {
        account: "support".parse().expect("a name"),
        event: LifecycleEvent::Missed,
        subscription: None,
    })
}

/// All that goes back on a queue.
fn all() -> [Content; 8] {
    [
        changed(ChangeType::Created),
        changed(ChangeType::Updated),
        changed(ChangeType::Deleted),
        agents("2026-01-02T03:04:04Z"),
        receipt(),
        notice(NoticeKind::Failed),
        reading(AT),
        lifecycle(),
    ]
}

fn one(failed: &Failed) -> Replay {
    let replay = plan(std::slice::from_ref(failed), NOW);
    replay.into_iter().next().expect("one")
}

fn sent(replay: &Replay) -> (Envelope, Route) {
    let Step::Send(envelope) = &replay.step else {
        panic!("not sent: {replay:?}");
    };
    (envelope.as_ref().clone(), replay.route(envelope))
}

fn id(replay: &Replay) -> BusMessageId {
    sent(replay).1.message_id.expect("an id")
}

#[test]
fn a_replay_keeps_all_but_its_name_and_is_one_message_however_often_it_is_run() {
    for content in all() {
        let failed = failed(content.clone());
        let original = Envelope::new(AT, content);
        let (envelope, route) = sent(&one(&failed));
        assert_eq!(sent(&one(&failed)), (envelope.clone(), route.clone()));
        // The verdict on the original is looked for by the body, and is none on this one.
        assert_ne!(envelope.to_json(), original.to_json());
        assert_eq!(envelope.clone().replayed(None), original);
        let first = original.route(|| [0; 16]);
        assert_ne!(route.message_id, first.message_id, "{original:?}");
        let kept = (route.queue, &route.lane, &route.correlation);
        assert_eq!(kept, (first.queue, &first.lane, &first.correlation));
    }
}

#[test]
fn each_failure_and_each_blob_has_a_replay_of_its_own() {
    for content in all() {
        let first = failed(content.clone());
        let mut again = failed(content.clone());
        again.message.last_attempt += Duration::NANOSECOND;
        let mut elsewhere = failed(content.clone());
        elsewhere.blob = "lane/2.json".to_owned();
        let mut replayed = failed(content);
        replayed.message.envelope = serde_json::to_value(sent(&one(&first)).0).expect("JSON");
        replayed.message.last_attempt = NOW;
        let all = [first, again, elsewhere, replayed];
        let ids: BTreeSet<String> = all
            .iter()
            .map(|it| id(&one(it)).as_str().to_owned())
            .collect();
        assert_eq!(ids.len(), all.len());
    }
}

#[test]
fn what_would_fail_again_or_be_told_twice_stays() {
    let long_ago = NOW - KEPT;
    for (failed, left) in [
        (failed(reading(long_ago)), Left::ReadingTooOld),
        (
            failed(reading(long_ago + Duration::MINUTE * 59)),
            Left::ReadingTooOld,
        ),
        (failed(agents("2026-01-01T21:04:04Z")), Left::Late),
        (
            failed(Content::AgentMessage(AgentEnvelope::of(b"{\xff"))),
            Left::Unreadable,
        ),
        (
            failed(Content::AgentMessage(AgentEnvelope::of(b"[]"))),
            Left::Unreadable,
        ),
        (stored("1", serde_json::json!("aGVsbG8=")), Left::Unreadable),
        (
            stored("1", serde_json::json!({ "version": 1, "kind": "notice" })),
            Left::Unreadable,
        ),
        (
            stored("1", serde_json::json!({ "version": 1, "kind": "new" })),
            Left::OtherRelease,
        ),
        (
            stored("1", serde_json::json!({ "version": 2, "kind": "new" })),
            Left::OtherRelease,
        ),
    ] {
        assert_eq!(one(&failed).step, Step::Leave(left));
    }
    let recent = failed(reading(long_ago + Duration::HOUR));
    assert!(matches!(one(&recent).step, Step::Send(_)));
}

#[test]
fn a_large_message_s_content_is_read_from_its_blob() {
    let blob = "claims/0.json".to_owned();
    let replay = one(&failed(Content::Claim { blob: blob.clone() }));
    assert_eq!(replay.step, Step::Open(blob.clone()));
    let inner = Envelope::new(AT, changed(ChangeType::Updated));
    let opened = replay.opened(Some(&inner.to_json()), NOW);
    let (envelope, route) = sent(&opened);
    assert_eq!(envelope.clone().replayed(None), inner);
    let chat = "19:a@unq.gbl.spaces".parse().expect("an id");
    assert_eq!(route.lane, Some(Lane::inbound(&chat)));
    assert!(envelope.replay.is_some());
    let claim = Envelope::new(AT, Content::Claim { blob }).to_json();
    for (content, left) in [
        (None, Left::ContentGone),
        (Some(&b"hello"[..]), Left::Unreadable),
        (Some(br#"{"version":2}"#), Left::OtherRelease),
        (Some(&claim), Left::Unreadable),
    ] {
        assert_eq!(replay.opened(content, NOW).step, Step::Leave(left));
    }
}

#[test]
fn nobody_is_told_that_a_message_failed_which_is_on_its_way() {
    let message = || failed(changed(ChangeType::Created));
    let steps = |all: &[Failed]| {
        let replays = plan(all, NOW).into_iter();
        let is_sent = |it: Replay| matches!(it.step, Step::Send(_));
        replays.map(is_sent).collect::<Vec<_>>()
    };
    let failure = || failed(notice(NoticeKind::Failed));
    let turned_away = || failed(notice(NoticeKind::TurnedAway));
    assert_eq!(steps(&[failure(), message()]), [false, true]);
    assert_eq!(steps(&[failure()]), [true]);
    assert_eq!(steps(&[turned_away(), message()]), [true, true]);
}
