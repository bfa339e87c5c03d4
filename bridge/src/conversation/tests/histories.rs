//! Random histories of a chat, told of by notifications that come twice, late and in any order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Something that happens in the chat.
#[derive(Debug, Clone)]
enum Event {
    Writes {
        by_hand: bool,
        parts: usize,
    },
    /// The bridge posts; how much of it the state knows in the end.
    Posts(Fate),
    /// Something happens to one of the messages.
    Changes(Change, usize),
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Edit,
    Delete,
    Restore,
    React,
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    Pending,
    Unknown,
}

fn event() -> impl Strategy<Value = Event> {
    const FATES: &[Fate] = &[Fate::Answered, Fate::Pending, Fate::Unknown];
    let change = prop_oneof![
        4 => Just(Change::Edit),
        1 => Just(Change::Delete),
        1 => Just(Change::Restore),
        1 => Just(Change::React),
    ];
    prop_oneof![
        4 => (any::<bool>(), 1..4usize).prop_map(|(by_hand, parts)| Event::Writes { by_hand, parts }),
        3 => prop::sample::select(FATES).prop_map(Event::Posts),
        7 => (change, 0..20usize).prop_map(|(change, which)| Event::Changes(change, which)),
    ]
}

/// A notification: the change, and the message as it was then.
type Told = (ChangeType, ChatMessage);

struct History {
    world: World,
    messages: Vec<ChatMessage>,
    notifications: Vec<Told>,
}

impl History {
    fn of(events: &[Event]) -> Self {
        let mut history = Self {
            world: World::begun(),
            messages: Vec::new(),
            notifications: Vec::new(),
        };
        for (number, event) in events.iter().enumerate() {
            history.world.now = START + Duration::from_secs(60 * (number as u64 + 1));
            history.happens(number, event);
        }
        history
    }

    fn happens(&mut self, number: usize, event: &Event) {
        let now = self.world.now;
        let name = format!("m{number}");
        match *event {
            Event::Writes { by_hand, parts } => {
                let words = format!("w{number} ").repeat(parts * LIMIT / 4);
                let written = message(&name, &words, now);
                let written = match by_hand {
                    true => of_support(written),
                    false => written,
                };
                self.messages.push(written.clone());
                self.notifications.push((ChangeType::Created, written));
            }
            Event::Posts(fate) => {
                let text = format!("p{number}");
                let echo = self.world.begins_to_post(&name, &text, Says::Words);
                match fate {
                    Fate::Answered => self.world.outbound.posted(id(&name), now),
                    Fate::Pending => {}
                    Fate::Unknown => self.world.outbound.clear_pending(),
                }
                self.notifications.push((ChangeType::Created, echo));
            }
            Event::Changes(change, which) => {
                if let Some(index) = which.checked_rem(self.messages.len()) {
                    self.changes(number, change, index);
                }
            }
        }
    }

    fn changes(&mut self, number: usize, change: Change, index: usize) {
        let now = self.world.now;
        let message = &mut self.messages[index];
        message.etag = Some(number.to_string());
        let is_gone = message.deleted.is_some();
        let mut told = ChangeType::Updated;
        match change {
            Change::Edit if !is_gone => {
                message.body.content = format!("e{number}");
                message.last_edited = Some(now);
            }
            Change::Delete if !is_gone => {
                message.deleted = Some(now);
                told = ChangeType::Deleted;
            }
            Change::Restore if is_gone => message.deleted = None,
            Change::React if !is_gone => message.reactions.push(thumb(user('a'))),
            _ => return,
        }
        self.notifications.push((told, message.clone()));
    }

    fn deliver(&mut self, (change, message): &Told, patience: usize) {
        let now = self.messages.iter().find(|now| now.id == message.id);
        self.world.fresh = Asked::Told(now.filter(|now| now.deleted.is_none()).cloned());
        let before = self.world.inbound.messages.clone();
        self.world.patience = patience;
        if self.world.notified(*change, message) == End::Broken {
            self.world.patience = usize::MAX;
            self.world.notified(*change, message);
        }
        for (id, carried) in before {
            let after = &self.world.inbound.messages[&id];
            assert!(after.genesys.starts_with(&carried.genesys), "went back");
            assert!(after.complete || !carried.complete, "went back");
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_told_twice_and_nothing_of_ours_at_all(
        events in proptest::collection::vec(event(), 1..25),
        order in proptest::collection::vec((any::<prop::sample::Index>(), 0..4usize), 0..40),
    ) {
        let mut history = History::of(&events);
        let all = history.notifications.clone();
        for (index, patience) in order {
            if !all.is_empty() {
                history.deliver(index.get(&all), patience);
            }
        }
        // In the end each has come at least once.
        for notification in &all {
            history.deliver(notification, usize::MAX);
        }
        let told = &history.world.genesys;
        let ids: BTreeSet<&str> = told.iter().map(|(id, _)| id.as_str()).collect();
        prop_assert_eq!(ids.len(), told.len(), "an id comes twice: {:#?}", told);
        let mut counts = BTreeMap::<&str, usize>::new();
        for word in told.iter().flat_map(|(_, text)| text.split_whitespace()) {
            prop_assert!(!word.starts_with('p'), "an echo: {:#?}", told);
            if word.starts_with('e') {
                *counts.entry(word).or_default() += 1;
            }
        }
        for message in &history.messages {
            if all.iter().any(|(change, gone)| *change == ChangeType::Deleted && gone.id == message.id) {
                continue;
            }
            // What it says in the end is told, once.
            let word = message.body.content.split_whitespace().next().unwrap_or_default();
            if message.last_edited.is_some() {
                prop_assert_eq!(counts.get(word), Some(&1), "{}: {:#?}", word, told);
            } else {
                let words = told.iter().flat_map(|(_, text)| text.split_whitespace());
                let expected = message.body.content.split_whitespace().count();
                prop_assert_eq!(words.filter(|found| *found == word).count(), expected);
            }
        }
        let restored = |word: &str| told.iter().any(|(id, text)| id.contains("restored") && text.contains(word));
        prop_assert!(counts.iter().all(|(word, times)| *times == 1 || restored(word)), "{:?}", counts);
    }
}
