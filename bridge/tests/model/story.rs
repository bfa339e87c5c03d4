//! What a story is made of, how one is made up, and how it is told to whoever reads a failure.

use std::fmt;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::faults::Strike;
use crate::teams::Fate;
use crate::world::{CHATS, SLOTS, Service};

/// What is wrong with the last chat, for ever: each call about it is refused, or fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    GraphRefuses,
    GraphFails,
    GenesysRefuses,
    GenesysFails,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A customer writes so many words.
    Writes { chat: usize, words: usize },
    /// One of the messages, counted from the newest, is edited.
    Edits(usize),
    /// One is deleted.
    Deletes(usize),
    /// An agent writes one of a few texts, short or in several parts.
    Says { chat: usize, text: u8, parts: usize },
    /// A process is killed after so many of its further steps.
    Kill {
        slot: usize,
        steps: u32,
        instance: bool,
    },
    /// All lanes of a queue are handed to somebody else while their holders still work.
    LosesLocks { outbound: bool },
    /// Something befalls a service's next calls.
    Strikes {
        service: Service,
        times: usize,
        strike: Strike,
    },
    /// A share of a service's calls fails for some time.
    BrownOut {
        service: Service,
        share: u8,
        seconds: u64,
    },
    /// Something becomes of Graph's next notifications.
    Notifies { times: usize, fate: Fate },
    /// Genesys' next webhook calls come once more.
    CallsTwice { times: usize, after: u16 },
    /// There is no subscription for some time.
    Unsubscribed { seconds: u64 },
}

#[derive(Clone, PartialEq)]
pub struct Story {
    /// Decides what nothing else does: which calls of a brown-out fail, jitter.
    pub seed: u64,
    /// Seconds that Graph's clock is ahead of ours.
    pub skew: i8,
    /// A flow answers each customer's first message at once.
    pub flow: bool,
    pub broken: Option<Broken>,
    /// Each with the time before it.
    pub events: Vec<(Duration, Event)>,
}

impl fmt::Display for Event {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Writes { chat, words } => {
                write!(to, "the customer of chat {chat} writes {words} words")
            }
            Self::Edits(back) => write!(to, "the {back}-th message from the end is edited"),
            Self::Deletes(back) => write!(to, "the {back}-th message from the end is deleted"),
            Self::Says { chat, text, parts } => {
                write!(
                    to,
                    "the agent of chat {chat} writes text {text}, {parts} times as long"
                )
            }
            Self::Kill {
                slot,
                steps,
                instance,
            } => {
                let what = if instance { "instance" } else { "handler" };
                write!(
                    to,
                    "the {what} of slot {slot} ({:?}) is killed at its step {steps} from here",
                    SLOTS[slot]
                )
            }
            Self::LosesLocks { outbound } => {
                let queue = if outbound { "outbound" } else { "inbound" };
                write!(to, "the lanes of {queue} are handed to others")
            }
            Self::Strikes {
                service,
                times,
                strike,
            } => {
                write!(to, "the next {times} calls of {service:?} meet {strike:?}")
            }
            Self::BrownOut {
                service,
                share,
                seconds,
            } => {
                write!(
                    to,
                    "{share} % of the calls of {service:?} fail for {seconds} s"
                )
            }
            Self::Notifies { times, fate } => {
                write!(to, "Graph's next {times} notifications are {fate:?}")
            }
            Self::CallsTwice { times, after } => {
                write!(
                    to,
                    "Genesys' next {times} webhook calls come again {after} s later"
                )
            }
            Self::Unsubscribed { seconds } => {
                write!(to, "there is no subscription for {seconds} s")
            }
        }
    }
}

impl fmt::Debug for Story {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            skew,
            flow,
            broken,
            ..
        } = self;
        writeln!(
            to,
            "a story (seed {seed}, Graph's clock {skew} s ahead, flow {flow}, broken {broken:?}):"
        )?;
        for (after, event) in &self.events {
            writeln!(to, "  {:>7.1} s later  {event}", after.as_secs_f64())?;
        }
        Ok(())
    }
}

/// A story of at most so many events.
pub fn story(most: usize) -> impl Strategy<Value = Story> {
    let broken = [
        Broken::GraphRefuses,
        Broken::GraphFails,
        Broken::GenesysRefuses,
        Broken::GenesysFails,
    ];
    let broken = prop::option::weighted(0.3, select(broken.to_vec()));
    let events = vec((wait(), event()), 1..=most);
    (any::<u16>(), -60..=60i8, any::<bool>(), broken, events).prop_map(
        |(seed, skew, flow, broken, events)| Story {
            seed: seed.into(),
            skew,
            flow,
            broken,
            events,
        },
    )
}

fn wait() -> impl Strategy<Value = Duration> {
    prop_oneof![
        6 => 0..400u64,
        4 => 400..5_000u64,
        3 => 5_000..60_000u64,
        1 => 60_000..1_200_000u64,
    ]
    .prop_map(Duration::from_millis)
}

fn event() -> impl Strategy<Value = Event> {
    let chat = || 0..CHATS;
    let seconds = || prop_oneof![4 => 1..60u64, 3 => 60..900u64, 1 => 900..7_200u64];
    let services = [
        Service::Graph,
        Service::Genesys,
        Service::Blob,
        Service::Bus,
    ];
    let service = move || select(services.to_vec());
    let kill = (0..SLOTS.len(), 0..24u32, any::<bool>());
    prop_oneof![
        10 => (chat(), 1..12usize).prop_map(|(chat, words)| Event::Writes { chat, words }),
        3 => (0..6usize).prop_map(Event::Edits),
        1 => (0..6usize).prop_map(Event::Deletes),
        8 => (chat(), 0..3u8, 1..3usize).prop_map(|(chat, text, parts)| Event::Says { chat, text, parts }),
        4 => kill.prop_map(|(slot, steps, instance)| Event::Kill { slot, steps, instance }),
        2 => any::<bool>().prop_map(|outbound| Event::LosesLocks { outbound }),
        4 => (service(), 1..4usize, strike())
            .prop_map(|(service, times, strike)| Event::Strikes { service, times, strike }),
        2 => (service(), select(vec![20u8, 50, 90, 100]), seconds())
            .prop_map(|(service, share, seconds)| Event::BrownOut { service, share, seconds }),
        3 => (1..4usize, fate()).prop_map(|(times, fate)| Event::Notifies { times, fate }),
        1 => (1..3usize, 0..600u16).prop_map(|(times, after)| Event::CallsTwice { times, after }),
        1 => seconds().prop_map(|seconds| Event::Unsubscribed { seconds }),
    ]
}

fn strike() -> impl Strategy<Value = Strike> {
    let within = |longest: u64| (0..longest).prop_map(Duration::from_millis);
    prop_oneof![
        2 => Just(Strike::Unavailable),
        1 => Just(Strike::Throttled),
        2 => Just(Strike::DoneAndFailed),
        // The work of a request may go on when nobody waits for its answer any more, but not for ever.
        2 => within(9_500).prop_map(Strike::AnswerLost),
        2 => within(9_500).prop_map(Strike::Slow),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Lost),
        2 => (0..900u16).prop_map(Fate::Twice),
        2 => (1..900u16).prop_map(Fate::Late),
    ]
}
