use proptest::prelude::*;

use super::*;
use crate::rotation::testing::{DAY, Kept, MINUTE, NOW, Run, Stage, claimed, events, held, play};
use crate::rotation::{RENEWED_AFTER, SETTLED_AFTER};

const RUN: &str = "this run";

fn step(noted: &Noted, found: &Found, is_asked: bool) -> Step<Action> {
    next_step(noted, found, KEPT, RUN, NOW, is_asked)
}

/// One secret, current for so many days by now.
fn calm(days: u32) -> (Noted, Found) {
    let found = Found {
        current: held("one", NOW - days * DAY),
        ..Found::default()
    };
    (Noted::default().seeing_own(&found), found)
}

#[test]
fn a_secret_is_made_when_it_is_due_or_somebody_asks_and_only_once_claimed() {
    for (days, is_asked, is_made) in [(89, false, false), (90, false, true), (3, true, true)] {
        let (noted, found) = calm(days);
        let claim = claimed(&noted, RUN, RUN);
        let wanted = match is_made {
            true => Step::Note(claim.clone()),
            false => Step::Rest,
        };
        assert_eq!(step(&noted, &found, is_asked), wanted, "{days}");
        if is_made {
            let key = RUN.to_owned();
            assert_eq!(step(&claim, &found, is_asked), Step::Do(Action::Make(key)));
            let other = |now| next_step(&claim, &found, KEPT, "other", now, is_asked);
            assert_eq!(other(NOW + SETTLED_AFTER - MINUTE), Step::Rest);
            assert!(matches!(other(NOW + SETTLED_AFTER), Step::Note(_)));
        }
    }
}

#[test]
fn the_first_one_is_made_elsewhere() {
    let found = Found::default();
    assert_eq!(step(&Noted::default(), &found, true), Step::Rest);
}

#[test]
fn genesys_is_told_then_the_secret_is_current_and_the_one_before_goes_two_days_later() {
    let (mut noted, mut found) = calm(100);
    found.next = held("two", NOW);
    let two = || "two".to_owned();
    assert_eq!(step(&noted, &found, false), Step::Do(Action::Tell(two())));
    noted.accepted = Some(two());
    assert_eq!(step(&noted, &found, false), Step::Do(Action::Switch(two())));
    // A run ended between the two writes.
    found.previous = held("one", NOW);
    assert_eq!(step(&noted, &found, false), Step::Do(Action::Switch(two())));
    found.current = held("two", NOW);
    let Step::Note(noted) = step(&noted, &found, false) else {
        panic!("it is seen");
    };
    // The one before may still sign what is repeated, whoever asks.
    assert_eq!(step(&noted, &found, true), Step::Rest);
    found.current = held("two", NOW - GRACE);
    let Step::Note(noted) = step(&noted, &found, false) else {
        panic!("it is seen");
    };
    let claim = claimed(&noted, RUN, "one");
    assert_eq!(step(&noted, &found, false), Step::Note(claim.clone()));
    let key = "one".to_owned();
    assert_eq!(step(&claim, &found, false), Step::Do(Action::Remove(key)));
    let longer = next_step(&claim, &found, KEY_KEPT, RUN, NOW, false);
    assert_eq!(longer, Step::Rest);
    found.previous = None;
    assert_eq!(step(&claim.without("one"), &found, false), Step::Rest);
}

#[test]
fn what_a_person_has_replaced_does_not_come_back() {
    let (_, mut found) = calm(0);
    (found.previous, found.next) = (held("zero", NOW - DAY), held("one", NOW - DAY));
    found.current = held("hand", NOW);
    let (noted, next) = Noted::default().settled(|noted| step(noted, &found, true));
    assert_eq!(next, Step::Rest);
    // The next replacement makes a new one.
    found.previous = None;
    assert_eq!(
        step(&noted, &found, true),
        Step::Note(claimed(&noted, RUN, RUN))
    );
}

/// Genesys, the vault and the note, as runs and the webhook meet them.
#[derive(Debug, Default)]
struct World {
    now: Duration,
    /// What Genesys signs with, and what it signed with before and until when.
    signs: String,
    signed: Vec<(String, Duration)>,
    found: Found,
    note: Kept,
    runs: u32,
}

/// Where a run is, between two of its calls.
#[derive(Debug, Default)]
enum At {
    #[default]
    Start,
    ReadNote(Noted, u32),
    ReadCurrent(Noted, u32, Option<Held>),
    ReadPrevious(Noted, u32, Found),
    Decided(Noted, u32, Box<(Found, Step<Action>)>),
    Kept(String),
    Reminded(Noted, u32, Duration),
    Told(Noted, u32),
}

impl World {
    fn tell(&mut self, key: &str) {
        let before = std::mem::replace(&mut self.signs, key.to_owned());
        self.signed.push((before, self.now));
    }

    fn accepts(&self, key: &str) -> bool {
        let Found {
            current,
            previous,
            next,
        } = &self.found;
        let mut all = [current, previous, next].into_iter().flatten();
        all.any(|it| it.key.as_deref() == Some(key))
    }
}

fn key_of(held: Option<&Held>) -> String {
    held.and_then(|it| it.key.clone()).expect("one")
}

impl Stage for World {
    type At = At;

    fn clock(&mut self) -> &mut Duration {
        &mut self.now
    }

    fn advance(&mut self, run: &mut Run<At>) -> bool {
        run.end_in_time(self.now);
        let now = NOW + self.now;
        run.at = match std::mem::take(&mut run.at) {
            At::Start => {
                run.begin(self.now, &mut self.runs);
                let (note, version) = self.note.read();
                At::ReadNote(note, version)
            }
            At::ReadNote(note, version) => {
                At::ReadCurrent(note, version, self.found.current.clone())
            }
            At::ReadCurrent(note, version, current) => {
                let previous = self.found.previous.clone();
                let found = Found {
                    current,
                    previous,
                    next: None,
                };
                At::ReadPrevious(note, version, found)
            }
            At::ReadPrevious(note, version, mut found) => {
                found.next = self.found.next.clone();
                let began = NOW + run.begun;
                let step = next_step(&note, &found, KEPT, &run.name, began, run.is_asked);
                At::Decided(note, version, Box::new((found, step)))
            }
            At::Decided(note, version, decided) => match decided.1 {
                Step::Rest => return true,
                Step::Note(note) => {
                    self.note.save(note, version);
                    At::Start
                }
                Step::Do(Action::Make(key)) => {
                    run.is_asked = false;
                    self.found.next = held(&key, now);
                    At::Start
                }
                Step::Do(Action::Tell(key)) => {
                    self.tell(&key);
                    let accepted = Some(key);
                    At::Told(Noted { accepted, ..note }, version)
                }
                Step::Do(Action::Switch(key)) => {
                    let before = key_of(decided.0.current.as_ref());
                    self.found.previous = held(&before, now);
                    At::Kept(key)
                }
                Step::Do(Action::Remove(key)) => {
                    self.tell(&key_of(decided.0.current.as_ref()));
                    At::Reminded(note.without(&key), version, self.now)
                }
            },
            At::Kept(key) => {
                self.found.current = held(&key, now);
                At::Start
            }
            At::Reminded(note, version, at) if self.now < at + REPEATED_FOR => {
                At::Reminded(note, version, at)
            }
            At::Reminded(note, version, _) => {
                self.found.previous = None;
                At::Told(note, version)
            }
            At::Told(note, version) => {
                self.note.save(note, version);
                At::Start
            }
        };
        false
    }

    /// Terraform sets what the vault holds as the current one.
    fn disturb(&mut self) {
        self.tell(&key_of(self.found.current.as_ref()));
    }

    /// What Genesys signs with is accepted, and so is what it signed with a moment ago.
    fn check(&self) {
        let signed = self.signed.iter();
        let signed = signed.filter(|(_, until)| self.now < *until + REPEATED_FOR);
        for key in signed.map(|(key, _)| key).chain([&self.signs]) {
            assert!(self.accepts(key), "{key} is refused: {self:#?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever two runs and Terraform do in whatever order, and wherever a run is killed.
    #[test]
    fn what_genesys_signs_is_always_accepted_and_an_old_secret_is_not_for_long(
        events in events(),
        age in 0..120u32,
    ) {
        let mut world = World {
            found: Found { current: held("first", NOW - age * DAY), ..Found::default() },
            signs: "first".to_owned(),
            ..World::default()
        };
        play(&mut world, events, |world| {
            let current = world.found.current.as_ref().expect("one");
            let age = NOW + world.now - current.stored;
            assert!(age < RENEWED_AFTER + 2 * DAY, "it is not replaced: {world:#?}");
            if age > GRACE + 2 * DAY {
                assert_eq!(world.found.previous, None, "{world:#?}");
                assert_eq!(Some(&world.signs), current.key.as_ref());
            }
        });
    }
}
