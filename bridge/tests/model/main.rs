//! A model of the whole bridge: its pure decisions, in paused time, between simulated services.
//!
//! A story is a list of events: people write, edit and delete, notifications are lost or come twice and late, calls fail, hang or
//! lose their answers, processes are killed between any two steps, lanes are handed over while their holder still works. It is
//! played until all is worked off, and then what [`invariants`] says must hold.
//!
//! What decides is the product's own: `conversation`, `catch_up`, `patience`, `recognise`, the states, the routes, replay and
//! spool. What lies between those decisions in the functions (read the state, plan, save, post, save) is asynchronous code around
//! real clients, and is re-stated here in [`to_genesys`], [`to_teams`], [`settlement`] and [`webhooks`], each beside the files that
//! it is to be kept like. Left out are files, groups, notices, typing, lifecycle events and pace.
//!
//! A failure prints the shortest story that still fails, and all that happened in it.

mod bus;
mod faults;
mod genesys;
mod invariants;
mod play;
mod settlement;
mod store;
mod story;
mod teams;
mod to_genesys;
mod to_teams;
mod webhooks;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::story::story;

/// Stories of each test, unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 500;

/// Plays stories of at most so many events.
fn stories_end_well(most_events: usize) {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let config = ProptestConfig {
        cases: cases.and_then(|cases| cases.parse().ok()).unwrap_or(CASES),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let played = TestRunner::new(config).run(&story(most_events), |story| {
        play::play(&story).map_err(TestCaseError::fail)
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
}

#[test]
fn short_stories_end_well() {
    stories_end_well(6);
}

#[test]
fn long_stories_end_well() {
    stories_end_well(30);
}

/// A message that is deleted before a reading of its chat is first told of by its notification, which comes after what the reading
/// brought: that is no breach of the order.
#[test]
fn a_deleted_message_may_be_told_of_later_than_a_reading() {
    use crate::story::{Event, Story};
    use crate::teams::Fate;
    use std::time::Duration;

    let late = Fate::Late(721);
    let events = [
        (0, Event::Unsubscribed { seconds: 1 }),
        (0, Event::Writes { chat: 0, words: 1 }),
        (
            46_800,
            Event::Notifies {
                times: 1,
                fate: late,
            },
        ),
        (
            400,
            Event::Notifies {
                times: 1,
                fate: Fate::Lost,
            },
        ),
        (12_900, Event::Writes { chat: 2, words: 1 }),
        (0, Event::Deletes(0)),
        (120_100, Event::Writes { chat: 2, words: 1 }),
    ];
    let after = |(wait, event)| (Duration::from_millis(wait), event);
    let story = Story {
        seed: 37062,
        skew: 0,
        flow: false,
        broken: None,
        events: events.map(after).to_vec(),
    };
    if let Err(what) = play::play(&story) {
        panic!("{what}");
    }
}
