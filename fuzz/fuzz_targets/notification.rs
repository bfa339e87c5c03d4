//! A notification of Graph, from its POST to what is told of the message that it encloses: no panic, what is enclosed comes out as
//! it went in, and nothing opens that was changed on the way or that we have no key for.
#![no_main]

use bridge::queue::envelope::{Content, Envelope, NotificationEnvelope};
use bridge::state::inbound::InboundState;
use bridge::teams::client_state::verify;
use bridge::teams::message::ChatMessage;
use bridge::teams::notification::{Change, ChangeType, Collection, Item, MOST_ITEMS, News};
use bridge::teams::unwrap::unwrap;
use fuzz::changed;
use fuzz::sealing::{key, sealed, tampered};
use fuzz::story::{NOW, play};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use secrecy::ExposeSecret;

const SECRET: &str = "a-secret-of-some-length";

fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    changed(data, size, most, seed)
});

fuzz_target!(|data: &[u8]| {
    if let Ok(collection) = Collection::parse(data) {
        assert!(collection.items.len() <= MOST_ITEMS);
        collection.items.into_iter().for_each(item);
    }
    enclosed(data);
});

/// An item of a POST that anybody may have sent.
fn item(item: Item) {
    if let Some(presented) = &item.client_state {
        let presented = presented.expose_secret();
        let account = verify(presented, &[SECRET.to_owned().into()]);
        let expected = |account: &str| format!("{account}.{SECRET}") == presented;
        assert!(account.is_none_or(|account| expected(account.as_str())));
    }
    let Ok(News::Change(change)) = item.news else {
        return;
    };
    if let Some(encrypted) = &change.encrypted {
        assert!(unwrap(encrypted, key()).is_err(), "{encrypted:?}");
    }
    let envelope = Envelope::new(NOW, Content::Notification(told(change)));
    let read = Envelope::parse(&envelope.to_json());
    assert_eq!(read.expect("what was written is read"), envelope);
    let _ = envelope.route(|| [0; 16]);
}

fn told(change: Change) -> NotificationEnvelope {
    NotificationEnvelope {
        change: change.change,
        chat: change.chat,
        message: change.message,
        account: "support".parse().expect("a name"),
        encrypted: change.encrypted,
    }
}

/// Anything at all as what a notification of a subscription of ours encloses.
fn enclosed(data: &[u8]) {
    let content = sealed(data);
    let opened = unwrap(&content, key());
    assert_eq!(opened.expect("it is as it was sealed"), data);
    let sum = |sum: usize, byte: &u8| sum.wrapping_mul(31).wrapping_add(usize::from(*byte));
    let number = data.iter().fold(0, sum);
    let tampered = tampered(content.clone(), number);
    assert!(unwrap(&tampered, key()).is_err(), "changed by {number}");
    let Ok(message) = ChatMessage::parse(data) else {
        return;
    };
    let chat: bridge::ids::ChatId = "19:a@unq.gbl.spaces".parse().expect("an id");
    let mut state = InboundState::new(chat.clone(), "support".parse().expect("a name"));
    for change in [
        ChangeType::Created,
        ChangeType::Updated,
        ChangeType::Deleted,
    ] {
        let notification = told(Change {
            change,
            chat: chat.clone(),
            message: message.id.clone(),
            encrypted: Some(content.clone()),
        });
        play(&notification, &message, &mut state, None);
    }
}
