use proptest::prelude::*;

use super::*;
use crate::rotation::testing::{DAY, Kept, MINUTE, NOW, Run, Stage, claimed, events, held, play};
use crate::rotation::{RENEWED_AFTER, SETTLED_AFTER};

const RUN: &str = "this run";

fn pair() -> [String; 2] {
    ["a", "b"].map(str::to_owned)
}

/// Client `a` is current for so many days by now.
fn calm(days: u32) -> (Noted, Found) {
    let current = held("a", NOW - days * DAY);
    let found = Found {
        pair: pair(),
        next: current.clone(),
        current,
    };
    let noted = Noted::default().seeing_client(&found);
    (noted, found)
}

fn step(noted: &Noted, found: &Found, is_asked: bool) -> Step<Action> {
    next_step(noted, found, RUN, NOW, is_asked)
}

#[test]
fn a_secret_is_replaced_after_ninety_days_or_when_somebody_asks_and_only_once_claimed() {
    for (days, is_asked, is_replaced) in [(89, false, false), (90, false, true), (3, true, true)] {
        let (noted, found) = calm(days);
        let claim = claimed(&noted, RUN, "b");
        let wanted = match is_replaced {
            true => Step::Note(claim.clone()),
            false => Step::Rest,
        };
        assert_eq!(step(&noted, &found, is_asked), wanted, "{days}");
        if is_replaced {
            let client = "b".to_owned();
            assert_eq!(
                step(&claim, &found, is_asked),
                Step::Do(Action::Renew(client))
            );
        }
    }
    // Without any, the first client gets one.
    let found = Found {
        pair: pair(),
        ..Found::default()
    };
    let noted = Noted::default();
    assert_eq!(
        step(&noted, &found, false),
        Step::Note(claimed(&noted, RUN, "a"))
    );
}

#[test]
fn what_another_run_has_claimed_is_left_to_it_for_an_hour() {
    let (noted, mut found) = calm(100);
    let mut noted = claimed(&noted, RUN, "b");
    let other = |noted: &Noted, found: &Found, now| next_step(noted, found, "other", now, true);
    let last = NOW + SETTLED_AFTER - MINUTE;
    assert_eq!(other(&noted, &found, last), Step::Rest);
    // What was there before is not to be tried either: it may end at any moment.
    found.next = held("b", NOW - DAY);
    assert_eq!(other(&noted, &found, last), Step::Rest);
    found.next = held("b", NOW + MINUTE);
    let Step::Note(seen) = other(&noted, &found, last) else {
        panic!("it is stored");
    };
    assert_eq!(seen.claim, None);
    found.next = None;
    noted.accepted = None;
    let late = other(&noted, &found, NOW + SETTLED_AFTER);
    assert!(
        matches!(late, Step::Note(it) if it.claim.as_ref().is_some_and(|it| it.run == "other"))
    );
}

#[test]
fn a_next_one_is_tried_then_made_current_and_the_other_client_is_emptied_two_days_later() {
    let (mut noted, mut found) = calm(100);
    let client = "b".to_owned();
    found.next = held("b", NOW - MINUTE);
    assert_eq!(step(&noted, &found, false), Step::Do(Action::Probe(client)));
    noted.accepted = Some("b".to_owned());
    let client = "b".to_owned();
    assert_eq!(
        step(&noted, &found, false),
        Step::Do(Action::Switch(client))
    );
    found.current = held("b", NOW);
    let Step::Note(seen) = step(&noted, &found, false) else {
        panic!("it is seen");
    };
    assert_eq!((&seen.accepted, seen.retired.contains("a")), (&None, true));
    // Somebody may still have its secret, whoever asks.
    assert_eq!(step(&seen, &found, true), Step::Rest);
    found.current = held("b", NOW - GRACE);
    let Step::Note(seen) = step(&seen, &found, false) else {
        panic!("it is seen");
    };
    let client = "a".to_owned();
    let claim = claimed(&seen, RUN, "a");
    assert_eq!(step(&seen, &found, false), Step::Note(claim.clone()));
    assert_eq!(
        step(&claim, &found, false),
        Step::Do(Action::Discard(client))
    );
    assert_eq!(step(&claim.without("a"), &found, false), Step::Rest);
}

#[test]
fn one_that_is_never_taken_is_given_up() {
    let (noted, mut found) = calm(100);
    found.next = held("b", NOW - ABANDONED_AFTER + MINUTE);
    assert!(matches!(
        step(&noted, &found, false),
        Step::Do(Action::Probe(_))
    ));
    found.next = held("b", NOW - ABANDONED_AFTER);
    assert_eq!(
        step(&noted, &found, false),
        Step::Note(claimed(&noted, RUN, "b"))
    );
}

#[test]
fn what_a_person_has_replaced_does_not_come_back_and_ends_two_days_later() {
    let (_, mut found) = calm(0);
    (found.current, found.next) = (held("b", NOW - DAY), held("b", NOW - DAY));
    let (noted, _) = Noted::default().settled(|noted| step(noted, &found, false));
    found.current = held("a", NOW);
    let (noted, next) = noted.settled(|noted| step(noted, &found, true));
    assert_eq!(next, Step::Rest);
    let over = NOW + GRACE;
    let (_, next) = noted.settled(|noted| next_step(noted, &found, RUN, over, false));
    assert_eq!(next, Step::Do(Action::Discard("b".to_owned())));
}

/// A secret: its client, and its number among all that were made.
type Secret = (usize, u32);

/// Genesys, the vault and the note, as runs and readers meet them.
#[derive(Debug, Default)]
struct World {
    now: Duration,
    /// The number of each client's secret, and from when on it is taken.
    clients: [(u32, Duration); 2],
    current: Option<(Secret, Held)>,
    next: Option<(Secret, Held)>,
    note: Kept,
    made: u32,
    runs: u32,
    propagation: Duration,
    /// What readers got, and until when.
    uses: Vec<(Secret, Option<Duration>)>,
}

/// Where a run is, between two of its calls.
#[derive(Debug, Default)]
enum At {
    #[default]
    Start,
    ReadNote(Noted, u32),
    ReadCurrent(Noted, u32, Option<Held>),
    Decided(Noted, u32, Step<Action>, Option<Secret>),
    Renewed(Secret),
    Done(Noted, u32),
}

impl World {
    fn renew(&mut self, client: &str) -> Secret {
        let client = usize::from(client == "b");
        self.made += 1;
        self.clients[client] = (self.made, self.now + self.propagation);
        (client, self.made)
    }

    fn exists(&self, (client, number): Secret) -> bool {
        self.clients[client].0 == number
    }

    fn takes(&self, secret: Secret) -> bool {
        self.exists(secret) && self.now >= self.clients[secret.0].1
    }

    fn held(&self, secret: Secret) -> (Secret, Held) {
        let held = held(["a", "b"][secret.0], NOW + self.now);
        (secret, held.expect("one"))
    }
}

impl Stage for World {
    type At = At;

    fn clock(&mut self) -> &mut Duration {
        &mut self.now
    }

    fn advance(&mut self, run: &mut Run<At>) -> bool {
        run.end_in_time(self.now);
        run.at = match std::mem::take(&mut run.at) {
            At::Start => {
                run.begin(self.now, &mut self.runs);
                let (note, version) = self.note.read();
                At::ReadNote(note, version)
            }
            At::ReadNote(note, version) => {
                let current = self.current.clone().map(|it| it.1);
                At::ReadCurrent(note, version, current)
            }
            At::ReadCurrent(note, version, current) => {
                let (next, held) = self.next.clone().unzip();
                let found = Found {
                    pair: pair(),
                    current,
                    next: held,
                };
                let began = NOW + run.begun;
                let step = next_step(&note, &found, &run.name, began, run.is_asked);
                At::Decided(note, version, step, next)
            }
            At::Decided(note, version, step, next) => match step {
                Step::Rest => return true,
                Step::Note(note) => {
                    self.note.save(note, version);
                    At::Start
                }
                Step::Do(Action::Renew(client)) => {
                    run.is_asked = false;
                    At::Renewed(self.renew(&client))
                }
                Step::Do(Action::Probe(client)) => {
                    if !next.is_some_and(|secret| self.takes(secret)) {
                        return true;
                    }
                    let accepted = Some(client);
                    self.note.save(Noted { accepted, ..note }, version);
                    At::Start
                }
                Step::Do(Action::Switch(_)) => {
                    let secret = next.expect("it was read");
                    if let Some((_, until)) = self.uses.last_mut() {
                        *until = Some(self.now);
                    }
                    self.uses.push((secret, None));
                    self.current = Some(self.held(secret));
                    At::Start
                }
                Step::Do(Action::Discard(client)) => {
                    self.renew(&client);
                    At::Done(note.without(&client), version)
                }
            },
            At::Renewed(secret) => {
                self.next = Some(self.held(secret));
                At::Start
            }
            At::Done(note, version) => {
                self.note.save(note, version);
                At::Start
            }
        };
        false
    }

    /// The current one is taken, and every one that was current within the last two days still is.
    fn check(&self) {
        for (secret, until) in &self.uses {
            if until.is_none_or(|until| self.now < until + 2 * DAY - RUN_TIME) {
                assert!(self.takes(*secret), "{secret:?} is gone: {self:#?}");
            }
        }
    }
}

/// The time of a run's decisions is that of its beginning.
const RUN_TIME: Duration = Duration::from_secs(15 * 60);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever two runs do in whatever order, and wherever one is killed.
    #[test]
    fn readers_always_have_a_secret_that_works_and_an_old_one_ends(
        events in events(),
        age in 0..120u32,
        propagation in 0..90u64,
    ) {
        let mut world = World {
            current: Some(((0, 0), held("a", NOW - age * DAY).expect("one"))),
            clients: [(0, Duration::ZERO), (u32::MAX, Duration::ZERO)],
            propagation: Duration::from_secs(propagation),
            uses: vec![((0, 0), None)],
            ..World::default()
        };
        play(&mut world, events, |world| {
            let (secret, held) = world.current.as_ref().expect("one");
            assert!(world.takes(*secret), "{world:#?}");
            let age = NOW + world.now - held.stored;
            let is_pending = world.next.as_ref().is_some_and(|it| it.0 != *secret);
            let is_young = age < RENEWED_AFTER + 4 * DAY || is_pending;
            assert!(is_young, "it is not replaced: {world:#?}");
            if age > GRACE + 2 * DAY {
                let others = world.uses.iter().filter(|(other, _)| other != secret);
                let mut others = others.map(|(other, _)| *other);
                assert!(!others.any(|other| world.exists(other)), "an old one works: {world:#?}");
            }
        });
    }
}
