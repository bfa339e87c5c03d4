//! A document out of Blob or off a queue, whoever wrote it: no panic, what is read is written such that it is read again as the same,
//! and what is decided by it is decided.
#![no_main]

use std::fmt::Debug;
use std::time::Duration;

use bridge::catch_up::reading::{Listed, untold};
use bridge::catch_up::{Newest, Progress};
use bridge::conversation::case::Chat;
use bridge::pace::Bookings;
use bridge::pace::limits::{GRAPH_POSTS, genesys};
use bridge::queue::envelope::{Envelope, NotificationEnvelope};
use bridge::queue::failed::FailedMessage;
use bridge::queue::replay;
use bridge::queue::selection::{self, Failed};
use bridge::queue::spool;
use bridge::rotation::{self, Noted, genesys_client, own_secret};
use bridge::sign_in::record::SignInRecord;
use bridge::sign_in::ticket::Ticket;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::OutboundState;
use bridge::state::thread::ThreadRecord;
use bridge::state::timer::TimerState;
use bridge::status::{Fact, Found, Now, Part, screen};
use bridge::subscriptions::Standing;
use bridge::teams::message::ChatMessage;
use bridge::teams::notification::ChangeType;
use fuzz::changed;
use fuzz::story::{NOW, play};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Time between two looks, and the life of a lease.
const WHILE: Duration = Duration::from_secs(600);

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    changed(data, size, most, seed)
});

fuzz_target!(|data: &[u8]| {
    if let Some(state) = read(data) {
        towards_genesys(state);
    }
    if let Some(state) = read(data) {
        towards_teams(state);
    }
    if let Some(record) = read::<ThreadRecord>(data) {
        let _ = record.is_use_due(NOW);
    }
    if let Some(state) = read(data) {
        timer(state);
    }
    if let Some(bookings) = read(data) {
        booked(bookings);
    }
    if let Some(progress) = read(data) {
        caught_up(progress);
    }
    if let Some(noted) = read(data) {
        rotated(&noted);
    }
    if let Some(standing) = read::<Standing>(data) {
        seen(Part::Subscription, Found::Subscription(Some(standing)));
    }
    if let Some(record) = read(data) {
        signed_in(record);
    }
    if let Ok(envelope) = Envelope::parse(data) {
        let read = Envelope::parse(&envelope.to_json());
        assert_eq!(read.expect("what was written is read"), envelope);
        let _ = spool::name(&envelope, &envelope.route(|| [0; 16]));
    }
    if let Ok(message) = FailedMessage::parse(data) {
        failed(message);
    }
});

/// The document, if it is one of these: then it is read again from what is written of it.
fn read<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) -> Option<T> {
    let value: T = serde_json::from_slice(data).ok()?;
    let written = serde_json::to_vec(&value).expect("what was read can be written");
    let again: T = serde_json::from_slice(&written).expect("what was written is read");
    assert_eq!(again, value);
    Some(value)
}

fn towards_genesys(mut state: InboundState) {
    let mut known: Vec<_> = state.messages.keys().take(4).cloned().collect();
    known.push("1".parse().expect("an id"));
    let listed = |message| Listed {
        message,
        created: NOW,
        edited: Some(NOW),
        deleted: None,
    };
    let listed: Vec<Listed> = known.iter().cloned().map(listed).collect();
    let chat = Chat {
        inbound: &state,
        outbound: None,
    };
    let _ = untold(chat, &listed, NOW - WHILE);
    for id in known {
        for change in [
            ChangeType::Created,
            ChangeType::Updated,
            ChangeType::Deleted,
        ] {
            let notification = NotificationEnvelope {
                change,
                chat: state.chat.clone(),
                message: id.clone(),
                account: state.account.clone(),
                encrypted: None,
            };
            play(&notification, &message(id.as_str()), &mut state, None);
        }
    }
    state.forget(NOW);
}

/// A customer's message that was edited a moment ago.
fn message(id: &str) -> ChatMessage {
    let json = serde_json::json!({
        "id": id, "messageType": "message", "createdDateTime": "2026-01-02T03:00:00Z", "etag": "2",
        "lastEditedDateTime": "2026-01-02T03:04:00Z", "body": { "contentType": "text", "content": "2" },
        "from": { "user": { "id": "0f0e0d0c-0000-4000-8000-00000000000a", "userIdentityType": "aadUser" } },
    });
    ChatMessage::parse(json.to_string().as_bytes()).expect("a message")
}

fn towards_teams(mut posts: OutboundState) {
    let mut state = InboundState::new(posts.chat.clone(), "support".parse().expect("a name"));
    let notification = NotificationEnvelope {
        change: ChangeType::Created,
        chat: posts.chat.clone(),
        message: "1".parse().expect("an id"),
        account: "support".parse().expect("a name"),
        encrypted: None,
    };
    play(&notification, &message("1"), &mut state, Some(&posts));
    if let Some(question) = &posts.question {
        let _ = question.chosen("2", NOW);
    }
    let _ = posts.taken();
    posts.posted("2".parse().expect("an id"), NOW);
    posts.forget_before(NOW);
}

fn timer(mut state: TimerState) {
    let shown = Found::Timer {
        state: Some(state.clone()),
        patience: WHILE,
    };
    seen(Part::Timer, shown);
    if state.take("ours", NOW, WHILE).is_ok() {
        assert!(state.is_held_by("ours"));
    }
    state.end(NOW, Ok(()));
}

fn booked(mut bookings: Bookings) {
    for limit in [GRAPH_POSTS, genesys(300)] {
        let times = bookings.book(&limit, NOW, 3);
        assert!(times.is_sorted() && times[0] >= NOW, "{times:?}");
        bookings.pause(&limit, NOW + WHILE);
        assert!(bookings.wait(&limit, NOW) >= WHILE);
    }
}

fn caught_up(mut progress: Progress) {
    seen(Part::CatchUp, Found::CatchUp(Some(progress.clone())));
    for every in [Duration::ZERO, WHILE] {
        if let Some(sweep) = progress.due(NOW, every) {
            let newest = Newest {
                message: "1".parse().expect("an id"),
                created: NOW - WHILE,
                user: None,
                is_system: false,
            };
            let _ = sweep.look(Some(&newest), |_| false);
            progress.done(&sweep);
        }
        progress.note_gap(NOW);
    }
}

fn rotated(noted: &Noted) {
    let due = rotation::due(noted);
    let shown = Found::Secret {
        stored: Some(NOW),
        due,
    };
    seen(Part::Secret, shown);
    let key = noted.current.as_ref().map(|it| it.key.clone());
    let held = || {
        Some(rotation::Held {
            key: key.clone(),
            stored: NOW - WHILE,
        })
    };
    let of_app = rotation::Found {
        credentials: Vec::new(),
        current: held(),
        next: held(),
    };
    let pair = genesys_client::Found {
        pair: ["a".to_owned(), "b".to_owned()],
        current: held(),
        next: held(),
    };
    let own = own_secret::Found {
        current: held(),
        previous: held(),
        next: held(),
    };
    for is_asked in [false, true] {
        let _ = rotation::next_step(noted, &of_app, NOW, is_asked);
        let _ = genesys_client::next_step(noted, &pair, "run", NOW, is_asked);
        let _ = own_secret::next_step(noted, &own, own_secret::KEPT, "run", NOW, is_asked);
    }
}

fn signed_in(mut record: SignInRecord) {
    let ticket = |number| Ticket::new("support".parse().expect("a name"), [number; 32]);
    let _ = record.begin(&ticket(1), &ticket(2), "verifier", NOW);
    let _ = record.take(&ticket(2), NOW);
    let _ = SignInRecord::offer(Some(record), &ticket(3), NOW);
}

fn failed(message: FailedMessage) {
    let stored = message.to_json();
    let read = FailedMessage::parse(&stored).expect("what was stored is read");
    assert_eq!(read.to_json(), stored);
    let (_, _) = (message.label(), message.without_words());
    let blob = |name: &str, message| Failed {
        blob: name.to_owned(),
        message,
    };
    let mut all = [blob("b", message), blob("a", read)];
    selection::sort(&mut all);
    for planned in replay::plan(&all, NOW) {
        if let replay::Step::Send(envelope) = &planned.step {
            let _ = planned.route(envelope);
        }
    }
}

fn seen(part: Part, found: Found) {
    let fact = Fact {
        part,
        subject: "support".to_owned(),
        found,
    };
    let now = Now {
        renewals: NOW,
        messages: NOW,
    };
    let _ = screen(&[fact], now);
}
