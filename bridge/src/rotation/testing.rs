//! What the tests of all rotations share: two runs beside each other, which are killed, asked and disturbed, and what they meet.

use proptest::prelude::*;
use time::macros::datetime;

use super::*;

pub(in crate::rotation) const NOW: OffsetDateTime = datetime!(2026-12-01 03:17:00 UTC);
pub(in crate::rotation) const MINUTE: Duration = Duration::from_secs(60);
pub(in crate::rotation) const DAY: Duration = Duration::from_secs(24 * 3600);

/// A run is ended after this.
const RUN: Duration = Duration::from_secs(10 * 60);

pub(in crate::rotation) fn held(key: &str, stored: OffsetDateTime) -> Option<Held> {
    let key = Some(key.to_owned());
    Some(Held { key, stored })
}

/// The note that a run claims with now.
pub(in crate::rotation) fn claimed(noted: &Noted, run: &str, key: &str) -> Noted {
    let claim = Claim {
        key: key.to_owned(),
        run: run.to_owned(),
        since: NOW,
    };
    Noted {
        claim: Some(claim),
        accepted: None,
        ..noted.clone()
    }
}

/// The note, which is replaced only when it is still the one that was read.
#[derive(Debug, Default)]
pub(in crate::rotation) struct Kept {
    pub(in crate::rotation) note: Noted,
    version: u32,
}

impl Kept {
    pub(in crate::rotation) fn read(&self) -> (Noted, u32) {
        (self.note.clone(), self.version)
    }

    pub(in crate::rotation) fn save(&mut self, note: Noted, version: u32) {
        if version == self.version {
            self.note = note;
            self.version += 1;
        }
    }
}

/// What runs and readers meet, and how a run goes on between two of its calls.
pub(in crate::rotation) trait Stage: std::fmt::Debug {
    /// Where a run is.
    type At: std::fmt::Debug + Default;

    /// Time since the beginning.
    fn clock(&mut self) -> &mut Duration;

    /// One call of a run; tells whether the run is over.
    fn advance(&mut self, run: &mut Run<Self::At>) -> bool;

    /// Somebody else changes something.
    fn disturb(&mut self) {}

    /// Whether all is well with whoever uses the secrets.
    fn check(&self);
}

/// A run.
#[derive(Debug, Default)]
pub(in crate::rotation) struct Run<At> {
    pub(in crate::rotation) at: At,
    pub(in crate::rotation) begun: Duration,
    pub(in crate::rotation) is_asked: bool,
    /// Given when it begins.
    pub(in crate::rotation) name: String,
}

impl<At: Default> Run<At> {
    /// Begins now under a name of its own, unless it has begun.
    pub(in crate::rotation) fn begin(&mut self, now: Duration, runs: &mut u32) {
        if self.name.is_empty() {
            self.begun = now;
            *runs += 1;
            self.name = format!("run {runs}");
        }
    }

    /// A run that is not over in time is ended, and begins again.
    pub(in crate::rotation) fn end_in_time(&mut self, now: Duration) {
        if now > self.begun + RUN {
            self.at = At::default();
            self.name.clear();
        }
    }
}

#[derive(Debug, Clone)]
pub(in crate::rotation) enum Event {
    Advance(usize, u8),
    Wait(u64),
    Kill(usize),
    Ask(usize),
    Disturb,
}

/// What can happen to two runs.
pub(in crate::rotation) fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => (0..2usize, 1..8u8).prop_map(|(run, calls)| Event::Advance(run, calls)),
        2 => (0..2usize, 8..40u8).prop_map(|(run, calls)| Event::Advance(run, calls)),
        2 => (1..900u64).prop_map(Event::Wait),
        1 => (900..200_000u64).prop_map(Event::Wait),
        1 => (0..2usize).prop_map(Event::Kill),
        1 => (0..2usize).prop_map(Event::Ask),
        1 => Just(Event::Disturb),
    ];
    prop::collection::vec(event, 1..150)
}

/// Lets it happen, and then lets one undisturbed run a day come to rest, after each of which it is looked at.
pub(in crate::rotation) fn play<S: Stage>(stage: &mut S, events: Vec<Event>, look: impl Fn(&S)) {
    let mut runs = [Run::default(), Run::default()];
    for event in events {
        match event {
            Event::Advance(run, calls) => {
                for _ in 0..calls {
                    if stage.advance(&mut runs[run]) {
                        runs[run] = Run::default();
                    }
                    stage.check();
                }
            }
            Event::Wait(seconds) => *stage.clock() += Duration::from_secs(seconds),
            Event::Kill(run) => runs[run] = Run::default(),
            Event::Ask(run) => runs[run].is_asked = true,
            Event::Disturb => stage.disturb(),
        }
        stage.check();
    }
    for _ in 0..100 {
        *stage.clock() += DAY;
        let mut run = Run::default();
        let mut calls = 0;
        while !stage.advance(&mut run) {
            *stage.clock() += Duration::from_secs(20);
            stage.check();
            calls += 1;
            assert!(calls < 200, "it does not come to rest: {stage:#?}");
            run.begun = *stage.clock();
        }
        look(stage);
    }
}
