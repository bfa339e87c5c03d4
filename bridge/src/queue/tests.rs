//! Envelopes as they travel, and where they go.

use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;

use super::envelope::{
    ActivityEnvelope, AgentEnvelope, AnsweredEnvelope, CatchUpEnvelope, Content, EndedEnvelope,
    EndingEnvelope, Envelope, EnvelopeError, LifecycleEnvelope, NoticeEnvelope,
    NotificationEnvelope, ReceiptEnvelope,
};
use super::route::{Queue, Route};
use crate::bot::activity::What;
use crate::genesys::receipt::{ReasonCode, ReceiptOutcome};
use crate::ids::{ChatId, CorrelationId, Digest, Lane, TeamsMessageId};
use crate::notices::NoticeKind;
use crate::teams::notification::{ChangeType, EncryptedContent, LifecycleEvent};

const AT: OffsetDateTime = datetime!(2026-01-02 03:04:05.678 UTC);
const ANNA: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

fn chat() -> ChatId {
    "19:8ea0e38b_97b8@unq.gbl.spaces".parse().expect("an id")
}

fn message() -> TeamsMessageId {
    "1612289765949".parse().expect("an id")
}

fn notification(change: ChangeType, encrypted: Option<EncryptedContent>) -> Content {
    Content::Notification(NotificationEnvelope {
        change,
        chat: chat(),
        message: message(),
        account: "support".parse().expect("a name"),
        encrypted,
    })
}

fn agent(webhook: &[u8]) -> Content {
    Content::AgentMessage(AgentEnvelope::of(webhook))
}

fn agent_text(to: &str) -> Content {
    let webhook = format!(r#"{{"id":"b71f","type":"Text","channel":{{"to":{{"id":"{to}"}}}}}}"#);
    agent(webhook.as_bytes())
}

fn receipt() -> Content {
    Content::Receipt(ReceiptEnvelope {
        message: "b71f".parse().expect("an id"),
        to: ANNA.to_owned(),
        outcome: ReceiptOutcome::Failed {
            code: ReasonCode::ServerError,
            message: "why".to_owned(),
        },
        at: AT,
    })
}

fn notice(thread: Option<&str>) -> Content {
    Content::Notice(NoticeEnvelope {
        chat: chat(),
        message: message(),
        account: "support".parse().expect("a name"),
        thread: thread.map(|thread| thread.parse().expect("a thread")),
        says: NoticeKind::Failed,
        language: None,
    })
}

fn catch_up(message: Option<TeamsMessageId>) -> Content {
    Content::CatchUp(CatchUpEnvelope {
        chat: chat(),
        account: "support".parse().expect("a name"),
        since: AT,
        gap: Some(AT),
        message,
        part: None,
    })
}

fn lifecycle() -> Content {
    Content::Lifecycle(LifecycleEnvelope {
        account: "support".parse().expect("a name"),
        event: LifecycleEvent::Missed,
        subscription: None,
    })
}

fn activity(what: What) -> Content {
    Content::Activity(ActivityEnvelope {
        what,
        chat: chat(),
        message: message(),
        account: "bot".parse().expect("a name"),
        activity: r#"{"text":"secret"}"#.to_owned(),
    })
}

fn answered() -> Content {
    Content::Answered(AnsweredEnvelope {
        thread: ANNA.parse().expect("a thread"),
        chat: chat(),
        question: "b71f".parse().expect("an id"),
        card: message(),
        answer: "secret".to_owned(),
    })
}

fn ending() -> Content {
    Content::Ending(EndingEnvelope {
        chat: chat(),
        message: message(),
        account: "bot".parse().expect("a name"),
    })
}

fn ended(session: &str, transferred: bool) -> Content {
    let conversation = "be9c1b6e-0000-4000-8000-c0ffee000001";
    Content::Ended(EndedEnvelope {
        conversation: conversation.parse().expect("an id"),
        session: Digest::of("session", session),
        thread: ANNA.parse().expect("a thread"),
        transferred,
    })
}

fn route(content: Content, replay: Option<&str>, random: u8) -> Route {
    Envelope::new(AT, content)
        .replayed(replay.map(str::to_owned))
        .route(|| [random; 16])
}

#[test]
fn envelopes_as_they_travel() {
    let encrypted = EncryptedContent {
        data: "ZGF0YQ==".to_owned(),
        data_signature: "c2lnbmF0dXJl".to_owned(),
        data_key: "a2V5".to_owned(),
        certificate_id: "support-2024".to_owned(),
    };
    let blob = "claims/0.json".to_owned();
    let claim = Content::Claim { blob };
    let lines = [
        (notification(ChangeType::Created, None), None),
        (notification(ChangeType::Updated, Some(encrypted)), None),
        (agent(br#"{"id": "1",  "raw":true}"#), None),
        (agent(b"{\xff}"), None),
        (agent(b"{}"), Some("replay-1")),
        (receipt(), None),
        (notice(Some(ANNA)), None),
        (catch_up(Some(message())), None),
        (catch_up(None), None),
        (lifecycle(), None),
        (activity(What::Written), None),
        (answered(), None),
        (ending(), None),
        (ended("s", false), None),
        (ended("s", true), None),
        (claim, None),
    ]
    .map(|(content, replay)| {
        let envelope = Envelope::new(AT, content).replayed(replay.map(str::to_owned));
        let json = envelope.to_json();
        assert_eq!(Envelope::parse(&json).expect("readable"), envelope);
        let json = String::from_utf8(json).expect("UTF-8");
        // The same kind with nothing in it is broken, and no kind of a newer release.
        let kind: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let bare = serde_json::json!({ "version": 1, "kind": kind["kind"] }).to_string();
        let broken = Envelope::parse(bare.as_bytes());
        assert!(matches!(broken, Err(EnvelopeError::Malformed(_))), "{bare}");
        json
    });
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(*AgentEnvelope::of(b"{\xff}").body(), *b"{\xff}");
}

#[test]
fn envelopes_of_older_and_newer_releases_are_read() {
    let older = br#"{"version":1,"accepted_at":"2026-01-02T03:04:05Z","kind":"notice","chat":"19:a","message":"1","account":"support"}"#;
    let envelope = Envelope::parse(older).expect("readable");
    assert!(matches!(envelope.content, Content::Notice(notice) if notice.thread.is_none()));
    let newer = br#"{"version":1,"accepted_at":"2026-01-02T03:04:05Z","kind":"claim","blob":"claims/0.json","later":{"a":1}}"#;
    let envelope = Envelope::parse(newer).expect("readable");
    assert!(matches!(envelope.content, Content::Claim { blob } if blob == "claims/0.json"));
    let next = Envelope::parse(br#"{"version":2,"kind":"new"}"#);
    assert!(matches!(next, Err(EnvelopeError::UnknownVersion(2))));
    let next =
        Envelope::parse(br#"{"version":1,"kind":"new","accepted_at":"2026-01-02T03:04:05Z"}"#);
    assert!(matches!(next, Err(EnvelopeError::UnknownKind)));
    for foreign in [
        &br#"{"version":1}"#[..],
        br#"{"version":1,"kind":1}"#,
        b"hello",
    ] {
        let parsed = Envelope::parse(foreign);
        assert!(matches!(parsed, Err(EnvelopeError::Malformed(_))));
    }
}

#[test]
fn debug_output_holds_no_text_and_no_person() {
    for content in [agent(b"teams:support"), receipt()] {
        let shown = format!("{:?}", Envelope::new(AT, content));
        assert!(!shown.contains("teams:support"), "{shown}");
    }
    for content in [activity(What::Written), answered()] {
        let shown = format!("{:?}", Envelope::new(AT, content));
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[test]
fn a_new_message_is_known_again_and_a_changed_one_is_not() {
    let of = |change, random| route(notification(change, None), None, random);
    let created = of(ChangeType::Created, 1);
    assert_eq!(created, of(ChangeType::Created, 2));
    assert_eq!(created.queue, Queue::Inbound);
    assert_eq!(created.lane, Some(Lane::inbound(&chat())));
    let correlation = CorrelationId::of_teams_message(&chat(), &message());
    assert_eq!(created.correlation, correlation);
    for change in [ChangeType::Updated, ChangeType::Deleted] {
        let (first, second) = (of(change, 1), of(change, 2));
        assert_ne!(first.message_id, second.message_id);
        assert_eq!(first.lane, created.lane);
    }
}

#[test]
fn an_agent_s_message_a_notice_and_their_thread_share_a_lane() {
    let lane = Some(Lane::of_thread(&ANNA.parse().expect("a thread")));
    let (now, later) = (agent_text(ANNA), agent_text(&format!("{ANNA}:2")));
    for content in [now, later, notice(Some(ANNA))] {
        let route = route(content, None, 0);
        assert_eq!((route.queue, &route.lane), (Queue::Outbound, &lane));
    }
    assert_ne!(route(notice(None), None, 0).lane, lane);
}

#[test]
fn a_receipt_is_in_nobody_s_way() {
    let receipt = route(receipt(), None, 0);
    assert_eq!(receipt.queue, Queue::Inbound);
    assert_ne!(receipt.lane, Some(Lane::inbound(&chat())));
    let message = route(agent_text(ANNA), None, 0);
    assert_eq!(receipt.correlation, message.correlation);
}

#[test]
fn typing_has_no_lane_and_a_short_life() {
    let typing = agent(include_bytes!("../../fixtures/webhook_typing.json"));
    for typing in [typing, activity(What::Typing)] {
        let route = route(typing, None, 0);
        assert_eq!(route.queue, Queue::Typing);
        assert_eq!((route.lane, route.message_id), (None, None));
        assert_eq!(route.time_to_live, Some(Duration::from_secs(5)));
    }
}

#[test]
fn a_bot_s_messages_have_the_chat_s_lane_and_ids_of_their_own() {
    let by_graph = route(notification(ChangeType::Created, None), None, 0);
    let written = route(activity(What::Written), None, 1);
    assert_eq!(written, route(activity(What::Written), None, 2));
    assert_eq!(
        (&written.queue, &written.lane, &written.correlation),
        (&by_graph.queue, &by_graph.lane, &by_graph.correlation)
    );
    // Either door's word of a message in a group may be the only one that is for the agent.
    assert_ne!(written.message_id, by_graph.message_id);
    for what in [What::Edited, What::Deleted, What::Reacted, What::Installed] {
        let [first, second] = [1, 2].map(|random| route(activity(what), None, random));
        assert_ne!(first.message_id, second.message_id);
        assert_eq!(first.lane, by_graph.lane);
    }
    let ending = route(ending(), None, 0);
    assert_eq!(ending.lane, by_graph.lane, "behind the message that asks");
}

#[test]
fn what_follows_an_agent_s_message_stays_in_its_lane() {
    let lane = route(agent_text(ANNA), None, 0).lane;
    let ends = ["s", "t"].map(|session| route(ended(session, false), None, 0));
    for one in [&ends[0], &ends[1], &route(answered(), None, 0)] {
        assert_eq!((one.queue, &one.lane), (Queue::Outbound, &lane));
    }
    assert_ne!(ends[0].message_id, ends[1].message_id);
    assert_eq!(ends[0], route(ended("s", false), None, 1));
}

#[test]
fn what_nobody_can_read_or_deliver_has_a_lane_of_its_own() {
    let unreadable = [&b"no JSON"[..], b"nor this", b"\xff"].map(agent);
    let strange = unreadable.into_iter().chain(["a", "b"].map(agent_text));
    let strange: Vec<Route> = strange.map(|content| route(content, None, 0)).collect();
    for (index, one) in strange.iter().enumerate() {
        assert_eq!(one.queue, Queue::Outbound);
        assert!(one.lane.is_some() && one.message_id.is_some());
        for other in &strange[..index] {
            assert_ne!(other.lane, one.lane);
        }
    }
    assert_ne!(strange[0].message_id, strange[1].message_id);
    assert_eq!(strange[0], route(agent(b"no JSON"), None, 0));
}

#[test]
fn a_chat_is_read_in_its_own_lane_and_once_for_each_occasion() {
    let for_message = route(catch_up(Some(message())), None, 0);
    let since = route(catch_up(None), None, 0);
    assert_eq!(for_message, route(catch_up(Some(message())), None, 1));
    assert_eq!(since, route(catch_up(None), None, 1));
    // A run that is repeated much later reads once more: what was written since would be older than its overlap.
    let at = |at: OffsetDateTime| Envelope::new(at, catch_up(None)).route(|| [0; 16]);
    assert_eq!(since, at(AT + Duration::from_secs(60)));
    assert_ne!(since, at(AT + crate::catch_up::OVERLAP));
    assert_ne!(for_message.message_id, since.message_id);
    let created = route(notification(ChangeType::Created, None), None, 0);
    assert_ne!(for_message.message_id, created.message_id);
    for route in [&for_message, &since] {
        assert_eq!((&route.queue, &route.lane), (&created.queue, &created.lane));
    }
    // What Graph tells of a subscription counts each time, and holds no chat up.
    let told = [route(lifecycle(), None, 1), route(lifecycle(), None, 2)];
    assert_ne!(told[0].message_id, told[1].message_id);
    assert_ne!(told[0].lane, created.lane);
}

#[test]
fn a_replay_passes_in_the_same_lane() {
    for content in [
        notification(ChangeType::Created, None),
        agent_text(ANNA),
        agent(b"no JSON"),
        receipt(),
        notice(None),
        catch_up(None),
        activity(What::Written),
        answered(),
        ending(),
        ended("s", false),
    ] {
        let first = route(content.clone(), None, 0);
        let replayed = route(content, Some("1"), 0);
        assert_ne!(replayed.message_id, first.message_id);
        assert_eq!(replayed.queue, first.queue);
        assert_eq!(replayed.correlation, first.correlation);
    }
}
