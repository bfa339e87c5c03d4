//! How well a service has been lately, and for whom.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::WELL_FOR;
use crate::ids::Digest;

/// Length of one slot.
const SLOT: Duration = Duration::from_secs(60);

/// Spans of [`WELL_FOR`] that must each have been well, so that one good minute does not speak for the others.
const SPANS: u32 = 3;

/// Calls of others that one span must hold to say anything.
const LEAST_CALLS: u64 = 3;

/// Other chats that must have been served.
const LEAST_CHATS: usize = 3;

/// Chats of one slot that are told apart; the calls of further ones are not counted at all.
const MOST_CHATS: usize = 500;

/// Calls of one kind by minute and chat, over the last quarter of an hour. Times are readings of a monotonic clock, as the
/// time since some fixed start.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    slots: VecDeque<Slot>,
}

#[derive(Debug, Clone)]
struct Slot {
    number: u64,
    chats: HashMap<Digest, Calls>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Calls {
    served: u64,
    failed: u64,
}

impl Meter {
    /// Notes a call for a chat that was served, or that failed transiently. Refusals and throttling are neither.
    pub fn note(&mut self, now: Duration, chat: &Digest, served: bool) {
        let number = slot_of(now);
        if self.slots.back().is_none_or(|slot| slot.number < number) {
            self.slots.push_back(Slot {
                number,
                chats: HashMap::new(),
            });
        }
        let oldest = slot_of(now.saturating_sub(WELL_FOR));
        while self.slots.front().is_some_and(|slot| slot.number < oldest) {
            self.slots.pop_front();
        }
        let Some(slot) = self.slots.back_mut() else {
            return;
        };
        if slot.chats.len() >= MOST_CHATS && !slot.chats.contains_key(chat) {
            return;
        }
        let calls = slot.chats.entry(chat.clone()).or_default();
        match served {
            true => calls.served += 1,
            false => calls.failed += 1,
        }
    }

    /// Whether the service was well for other chats over all of [`WELL_FOR`]: several of them were served, and in each third
    /// of that time at least nine of ten calls.
    #[must_use]
    pub fn well_for_others(&self, now: Duration, mine: &Digest) -> bool {
        let mut chats: HashSet<&Digest> = HashSet::new();
        for span in 0..SPANS {
            let (mut served, mut all) = (0, 0);
            let end = slot_of(now.saturating_sub(WELL_FOR * span / SPANS));
            let start = slot_of(now.saturating_sub(WELL_FOR * (span + 1) / SPANS));
            let slots = self.slots.iter();
            let slots = slots.filter(|slot| slot.number > start && slot.number <= end);
            let chats_of_span = slots.flat_map(|slot| &slot.chats);
            for (chat, calls) in chats_of_span.filter(|(chat, _)| *chat != mine) {
                served += calls.served;
                all += calls.served + calls.failed;
                if calls.served > 0 && chats.len() < LEAST_CHATS {
                    chats.insert(chat);
                }
            }
            if all < LEAST_CALLS || served * 10 < all * 9 {
                return false;
            }
        }
        chats.len() >= LEAST_CHATS
    }

    /// Whether any other chat was served within [`WELL_FOR`].
    #[must_use]
    pub fn served_others(&self, now: Duration, mine: &Digest) -> bool {
        self.lately(now)
            .any(|(chat, calls)| chat != mine && calls.served > 0)
    }

    /// Whether calls for this chat failed within [`WELL_FOR`].
    #[must_use]
    pub fn failed_for(&self, now: Duration, chat: &Digest) -> bool {
        self.lately(now)
            .any(|(other, calls)| other == chat && calls.failed > 0)
    }

    fn lately(&self, now: Duration) -> impl Iterator<Item = (&Digest, &Calls)> {
        let oldest = slot_of(now.saturating_sub(WELL_FOR));
        self.slots
            .iter()
            .filter(move |slot| slot.number >= oldest)
            .flat_map(|slot| &slot.chats)
    }
}

fn slot_of(time: Duration) -> u64 {
    time.as_secs() / SLOT.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(name: u32) -> Digest {
        Digest::of("chat", &name.to_string())
    }

    /// Calls of these chats, one every ten seconds each, of which every `failing`-th fails; 0 for none.
    fn meter(chats: u32, minutes: std::ops::Range<u64>, failing: u32) -> Meter {
        let mut meter = Meter::default();
        let mut call = 0;
        for second in (minutes.start * 60..minutes.end * 60).step_by(10) {
            for name in 0..chats {
                call += 1;
                let fails = failing > 0 && call % failing == 0;
                meter.note(Duration::from_secs(second), &chat(name), !fails);
            }
        }
        meter
    }

    #[test]
    fn it_is_well_when_several_others_were_served_all_the_time() {
        let now = Duration::from_secs(60 * 60);
        let mine = chat(99);
        let well = |meter: &Meter| meter.well_for_others(now, &mine);
        assert!(well(&meter(5, 40..60, 0)));
        assert!(well(&meter(5, 40..60, 11)), "one call of eleven fails");
        assert!(!well(&meter(5, 40..60, 9)), "one call of nine fails");
        assert!(!well(&meter(2, 40..60, 0)), "two chats are not several");
        let with_mine = meter(3, 40..60, 0);
        assert!(!with_mine.well_for_others(now, &chat(0)));
        assert!(!well(&meter(5, 52..60, 0)), "not over all of the time");
        assert!(!well(&meter(5, 40..50, 0)), "nothing is known of now");
        assert!(!well(&Meter::default()));
        let mut only_mine = Meter::default();
        for minute in 40..60 {
            for _ in 0..10 {
                only_mine.note(Duration::from_secs(minute * 60), &mine, true);
            }
        }
        assert!(!well(&only_mine));
        assert!(!only_mine.served_others(now, &mine) && only_mine.served_others(now, &chat(1)));
    }

    #[test]
    fn its_memory_is_bounded() {
        let mut meter = Meter::default();
        for second in 0..10_000u32 {
            meter.note(Duration::from_secs(second.into()), &chat(second), true);
        }
        assert!(meter.slots.len() <= 17);
        for name in 0..10_000 {
            meter.note(Duration::from_secs(10_000), &chat(name), true);
        }
        assert!(
            meter
                .slots
                .back()
                .is_some_and(|slot| slot.chats.len() <= MOST_CHATS)
        );
    }
}
