//! Whose call is next where several wait for the same limit.

use std::collections::{BTreeSet, HashMap};

use crate::ids::Digest;

/// Chats whose turns are remembered while somebody waits; above that all are forgotten, which costs fairness for a moment.
const MOST_CHATS: usize = 10_000;

/// What waits for a limit, the more urgent first: each gives way to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// What a person wrote, and what leads to it.
    Message,
    /// What became of a message.
    Receipt,
    /// That somebody is writing: worth nothing when it comes late.
    Typing,
}

impl Rank {
    const COUNT: usize = 3;
}

/// A place in the line; the smallest is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    rank: Rank,
    round: u64,
    number: u64,
}

/// Those who wait for one limit. Within a rank the chats take turns: a chat is served once in each round, and in the order of
/// their coming within the round, so that one with many calls holds up another by one call at most.
#[derive(Debug, Default)]
pub struct Line {
    waiting: BTreeSet<Place>,
    /// The round that each rank is in.
    rounds: [u64; Rank::COUNT],
    /// The round of each chat's last place.
    places: HashMap<(Rank, Digest), u64>,
    /// Places that were given.
    number: u64,
}

impl Line {
    /// The place of a call for this chat, which comes now.
    pub fn join(&mut self, rank: Rank, chat: &Digest) -> Place {
        if self.waiting.is_empty() || self.places.len() >= MOST_CHATS {
            self.places.clear();
        }
        let current = self.rounds[rank as usize];
        let last = self.places.get(&(rank, chat.clone()));
        let round = last.map_or(current, |last| current.max(last + 1));
        self.places.insert((rank, chat.clone()), round);
        self.number += 1;
        let place = Place {
            rank,
            round,
            number: self.number,
        };
        self.waiting.insert(place);
        place
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether this place is the next to be served.
    #[must_use]
    pub fn is_first(&self, place: Place) -> bool {
        self.waiting.first() == Some(&place)
    }

    /// Takes a place out, because it was served or because its call gave up waiting.
    pub fn leave(&mut self, place: Place, is_served: bool) {
        self.waiting.remove(&place);
        if is_served {
            let round = &mut self.rounds[place.rank as usize];
            *round = place.round.max(*round);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chat(number: u64) -> Digest {
        Digest::of("chat", &number.to_string())
    }

    /// Serves everybody; what each place stood for, in the order of service.
    fn served<T: Copy>(line: &mut Line, mut waiting: Vec<(Place, T)>) -> Vec<T> {
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let first = waiting
                .iter()
                .position(|(place, _)| line.is_first(*place))
                .expect("somebody is first");
            let (place, what) = waiting.remove(first);
            line.leave(place, true);
            order.push(what);
        }
        order
    }

    #[test]
    fn typing_gives_way_to_receipts_and_receipts_to_messages() {
        let mut line = Line::default();
        let ranks = [Rank::Typing, Rank::Receipt, Rank::Message];
        let waiting = ranks
            .iter()
            .cycle()
            .take(6)
            .enumerate()
            .map(|(number, rank)| (line.join(*rank, &chat(number as u64)), (*rank, number)))
            .collect();
        assert_eq!(
            served(&mut line, waiting),
            [
                (Rank::Message, 2),
                (Rank::Message, 5),
                (Rank::Receipt, 1),
                (Rank::Receipt, 4),
                (Rank::Typing, 0),
                (Rank::Typing, 3),
            ]
        );
    }

    #[test]
    fn a_busy_chat_holds_up_another_by_one_call() {
        let mut line = Line::default();
        let mut waiting: Vec<(Place, u64)> = (0..100)
            .map(|_| (line.join(Rank::Message, &chat(0)), 0))
            .collect();
        waiting.extend((1..4).map(|other| (line.join(Rank::Message, &chat(other)), other)));
        let order = served(&mut line, waiting);
        assert_eq!(order[..5], [0, 1, 2, 3, 0]);
    }

    #[test]
    fn who_comes_back_stands_behind_those_who_wait() {
        let mut line = Line::default();
        let mine = line.join(Rank::Message, &chat(0));
        let other = line.join(Rank::Message, &chat(1));
        line.leave(mine, true);
        let again = line.join(Rank::Message, &chat(0));
        assert!(line.is_first(other) && !line.is_first(again));
        line.leave(other, false);
        assert!(line.is_first(again));
    }

    #[test]
    fn its_memory_is_bounded() {
        let mut line = Line::default();
        let waits = line.join(Rank::Typing, &chat(0));
        for number in 0..30_000 {
            let place = line.join(Rank::Message, &chat(number));
            line.leave(place, true);
        }
        assert!(line.places.len() <= MOST_CHATS && line.waiting.len() == 1);
        assert!(line.is_first(waits));
    }

    proptest! {
        /// While a chat waits, none that came with it is more than one turn ahead.
        #[test]
        fn nobody_who_waits_falls_behind(chats in proptest::collection::vec(0u64..6, 2..60)) {
            let mut line = Line::default();
            let waiting = chats.iter().map(|number| (line.join(Rank::Message, &chat(*number)), *number)).collect();
            let order = served(&mut line, waiting);
            for mine in 0..6 {
                let last = order.iter().rposition(|number| *number == mine).unwrap_or(0);
                let mut turns = [0; 6];
                for number in &order[..last] {
                    turns[usize::try_from(*number).expect("small")] += 1;
                    let most = turns.iter().max().copied().unwrap_or(0);
                    prop_assert!(most <= turns[usize::try_from(mine).expect("small")] + 1, "{order:?}");
                }
            }
        }

        /// The calls of one chat keep their order.
        #[test]
        fn a_chat_is_served_in_order(chats in proptest::collection::vec(0u64..4, 1..60)) {
            let mut line = Line::default();
            let waiting = chats.iter().enumerate()
                .map(|(index, number)| (line.join(Rank::Message, &chat(*number)), (*number, index))).collect();
            let order = served(&mut line, waiting);
            for number in 0..4 {
                let mine: Vec<usize> = order.iter().filter(|(of, _)| *of == number).map(|(_, index)| *index).collect();
                prop_assert!(mine.is_sorted());
            }
        }
    }
}
