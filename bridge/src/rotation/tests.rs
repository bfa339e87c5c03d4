use super::testing::*;
use super::*;
use proptest::prelude::*;

fn credential(key: &str, starts: OffsetDateTime, ends: OffsetDateTime) -> Credential {
    Credential {
        key: key.to_owned(),
        name: Some(DISPLAY_NAME.to_owned()),
        hint: Some(format!("{key}~")),
        starts,
        ends,
    }
}

fn noted(key: &str, since: OffsetDateTime, ends: OffsetDateTime) -> Noted {
    let current = Current {
        key: key.to_owned(),
        since,
        ends: Some(ends),
    };
    Noted {
        current: Some(current),
        ..Noted::default()
    }
}

/// A secret that is current for ten days by now and ends in so many.
fn calm(days: u32) -> (Noted, Found) {
    let (since, ends) = (NOW - 10 * DAY, NOW + days * DAY);
    let found = Found {
        credentials: vec![credential("one", since, ends)],
        current: held("one", since),
        next: held("one", since),
    };
    (noted("one", since, ends), found)
}

#[test]
fn a_secret_is_replaced_when_half_of_its_life_is_left_or_somebody_asks() {
    let ends = NOW + LIFE;
    for (days, is_asked, step) in [
        (46, false, Step::Rest),
        (45, false, Step::Do(Action::Add(ends))),
        (0, false, Step::Do(Action::Add(ends))),
        (80, true, Step::Do(Action::Add(ends))),
    ] {
        let (noted, found) = calm(days);
        assert_eq!(next_step(&noted, &found, NOW, is_asked), step, "{days}");
        let due = due(&noted).expect("its end is known");
        assert_eq!(due, NOW + days * DAY - REPLACED_BEFORE_END);
    }
}

#[test]
fn one_that_is_absent_ended_or_unknown_to_entra_id_is_replaced() {
    let add = Step::Do(Action::Add(NOW + LIFE));
    let nothing = next_step(&Noted::default(), &Found::default(), NOW, false);
    assert_eq!(nothing, add);
    let (noted, mut found) = calm(80);
    found.credentials.clear();
    assert_eq!(next_step(&noted, &found, NOW, false), add);
    // A list can lag behind what was stored a moment ago.
    found.current = held("one", NOW - MINUTE);
    assert_eq!(next_step(&noted, &found, NOW, false), Step::Rest);
}

#[test]
fn a_next_one_is_tried_then_made_current_then_noted() {
    let (mut noted, mut found) = calm(40);
    let (next, ends) = ("two".to_owned(), NOW + LIFE);
    found.next = held("two", NOW);
    let step = |noted: &Noted, found: &Found| next_step(noted, found, NOW + MINUTE, false);
    assert_eq!(step(&noted, &found), Step::Do(Action::Probe(next.clone())));
    found.credentials.push(credential("two", NOW, ends));
    assert_eq!(step(&noted, &found), Step::Do(Action::Probe(next.clone())));
    noted.accepted = Some(next.clone());
    assert_eq!(step(&noted, &found), Step::Do(Action::Switch(next.clone())));
    found.current = held("two", NOW + MINUTE);
    let Step::Note(seen) = step(&noted, &found) else {
        panic!("it is seen");
    };
    assert_eq!(seen.retired, BTreeSet::from(["one".to_owned()]));
    assert_eq!(seen.accepted, None);
    let current = seen.current.clone().expect("a current one");
    assert_eq!((current.since, current.ends), (NOW + MINUTE, Some(ends)));
    assert_eq!(
        step(&seen, &found),
        Step::Rest,
        "the old one stays for a while"
    );
    let remove = Step::Do(Action::Remove("one".to_owned()));
    let over = NOW + MINUTE + GRACE;
    assert_eq!(next_step(&seen, &found, over - MINUTE, false), Step::Rest);
    assert_eq!(next_step(&seen, &found, over, false), remove);
    // Even the one that a person made, once it was ours to use.
    found.credentials[0].name = Some("by hand".to_owned());
    assert_eq!(next_step(&seen, &found, over, false), remove);
    found.credentials.remove(0);
    assert!(
        matches!(next_step(&seen, &found, over, false), Step::Note(it) if it.retired.is_empty())
    );
}

#[test]
fn what_a_person_added_is_left_alone_and_an_orphan_is_not() {
    let (noted, mut found) = calm(80);
    let mut other = credential("other", NOW - 2 * DAY, NOW + LIFE);
    other.name = Some("of somebody".to_owned());
    found.credentials.push(other.clone());
    assert_eq!(next_step(&noted, &found, NOW, false), Step::Rest);
    let orphan = credential("orphan", NOW - SETTLED_AFTER, NOW + LIFE);
    found.credentials.push(orphan);
    let key = "orphan".to_owned();
    let before = next_step(&noted, &found, NOW - MINUTE, false);
    assert_eq!(before, Step::Rest, "somebody may be about to store it");
    assert_eq!(
        next_step(&noted, &found, NOW, false),
        Step::Do(Action::Remove(key))
    );
}

#[test]
fn the_one_before_stays_while_the_current_one_does_not_work() {
    let (noted, mut found) = calm(80);
    let before = credential("before", NOW - 60 * DAY, NOW + DAY);
    found.credentials = vec![before.clone()];
    found.current = held("one", NOW - DAY);
    let step = next_step(&noted, &found, NOW, false);
    assert!(matches!(step, Step::Do(Action::Add(_))), "{step:?}");
    found.next = held("two", NOW - MINUTE);
    let step = next_step(&noted, &found, NOW, false);
    assert!(matches!(step, Step::Do(Action::Probe(_))), "{step:?}");
}

#[test]
fn a_next_one_that_is_never_taken_is_given_up_and_removed() {
    let (noted, mut found) = calm(40);
    let begun = NOW - ABANDONED_AFTER;
    found.next = held("two", begun);
    found.credentials.push(credential("two", begun, NOW + LIFE));
    let step = next_step(&noted, &found, NOW - MINUTE, false);
    assert!(matches!(step, Step::Do(Action::Probe(_))), "{step:?}");
    let step = next_step(&noted, &found, NOW, false);
    assert!(matches!(step, Step::Do(Action::Add(_))), "{step:?}");
}

#[test]
fn what_a_person_has_replaced_does_not_come_back_and_goes_two_days_later() {
    let (noted, mut found) = calm(80);
    let mut by_hand = credential("hand", NOW - MINUTE, NOW + LIFE);
    by_hand.name = None;
    found.credentials.push(by_hand);
    found.current = held("hand", NOW);
    let Step::Note(noted) = next_step(&noted, &found, NOW, false) else {
        panic!("it is seen");
    };
    let over = NOW + GRACE;
    for now in [NOW, over - MINUTE] {
        assert_eq!(next_step(&noted, &found, now, false), Step::Rest);
    }
    let remove = Step::Do(Action::Remove("one".to_owned()));
    assert_eq!(next_step(&noted, &found, over, false), remove);
}

#[test]
fn a_secret_that_a_person_stored_is_known_by_its_first_characters() {
    let (_, found) = calm(80);
    let mut credentials = found.credentials;
    let key =
        |credentials: &[Credential]| key_of(credentials, |hint| "one~secret".starts_with(hint));
    assert_eq!(key(&credentials).as_deref(), Some("one"));
    credentials.push(credential("on", NOW, NOW));
    credentials[1].hint = Some("on".to_owned());
    assert_eq!(key(&credentials), None, "two fit");
    credentials[1].hint = Some(String::new());
    assert_eq!(key(&credentials).as_deref(), Some("one"), "no hint is none");
    assert_eq!(key(&[]), None);
}

/// Entra ID, the vault and the note, as runs and readers meet them.
#[derive(Debug, Default)]
struct World {
    now: Duration,
    /// With the time from which the token endpoint takes each.
    credentials: Vec<(Credential, OffsetDateTime)>,
    current: Option<Held>,
    next: Option<Held>,
    note: Kept,
    made: u32,
    /// Time after which a new secret is taken, and after which it is listed.
    delays: [Duration; 2],
    /// Since when each key was current, and until when.
    uses: Vec<(String, Option<OffsetDateTime>)>,
}

/// Where a run is, between two of its calls.
#[derive(Debug, Default, Clone)]
enum At {
    #[default]
    Start,
    ReadNote(Noted, u32),
    Listed(Noted, u32, Vec<Credential>),
    ReadCurrent(Noted, u32, Found),
    Decided(Noted, u32, Step<Action>),
    Added(String),
}

impl World {
    fn time(&self) -> OffsetDateTime {
        NOW + self.now
    }

    fn list(&self) -> Vec<Credential> {
        let listed =
            |one: &&(Credential, OffsetDateTime)| one.0.starts + self.delays[1] <= self.time();
        let listed = self.credentials.iter().filter(listed);
        listed.map(|(credential, _)| credential.clone()).collect()
    }

    fn takes(&self, key: &str) -> bool {
        let now = self.time();
        let mut all = self.credentials.iter();
        all.any(|(one, from)| one.key == key && *from <= now && now < one.ends)
    }

    fn exists(&self, key: &str) -> bool {
        let mut all = self.credentials.iter();
        all.any(|(one, from)| one.key == key && *from <= self.time())
    }
}

impl Stage for World {
    type At = At;

    fn clock(&mut self) -> &mut Duration {
        &mut self.now
    }

    fn advance(&mut self, run: &mut Run<At>) -> bool {
        run.end_in_time(self.now);
        let now = self.time();
        run.at = match std::mem::take(&mut run.at) {
            At::Start => {
                run.begun = self.now;
                let (note, version) = self.note.read();
                At::ReadNote(note, version)
            }
            At::ReadNote(note, version) => At::Listed(note, version, self.list()),
            At::Listed(note, version, credentials) => {
                let current = self.current.clone();
                let found = Found {
                    credentials,
                    current,
                    next: None,
                };
                At::ReadCurrent(note, version, found)
            }
            At::ReadCurrent(note, version, mut found) => {
                found.next = self.next.clone();
                let step = next_step(&note, &found, now, run.is_asked);
                At::Decided(note, version, step)
            }
            At::Decided(note, version, step) => match step {
                Step::Rest => return true,
                Step::Note(note) => {
                    self.note.save(note, version);
                    At::Start
                }
                Step::Do(Action::Add(ends)) => {
                    run.is_asked = false;
                    self.made += 1;
                    let key = format!("made-{}", self.made);
                    let added = credential(&key, now, ends);
                    self.credentials.push((added, now + self.delays[0]));
                    At::Added(key)
                }
                Step::Do(Action::Probe(key)) => {
                    if !self.takes(&key) {
                        return true;
                    }
                    let accepted = Some(key);
                    self.note.save(Noted { accepted, ..note }, version);
                    At::Start
                }
                Step::Do(Action::Switch(key)) => {
                    if let Some((_, until)) = self.uses.last_mut() {
                        *until = Some(now);
                    }
                    self.uses.push((key.clone(), None));
                    self.current = held(&key, now);
                    At::Start
                }
                Step::Do(Action::Remove(key)) => {
                    self.credentials.retain(|(one, _)| one.key != key);
                    At::Start
                }
            },
            At::Added(key) => {
                self.next = held(&key, now);
                At::Start
            }
        };
        false
    }

    /// The current one is there, and so is every one that was current within the last day: a reader may still hold it.
    fn check(&self) {
        for (key, until) in &self.uses {
            if until.is_none_or(|until| self.time() < until + DAY) {
                assert!(self.exists(key), "{key} is gone: {self:#?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever two runs do in whatever order, and wherever one is killed.
    #[test]
    fn readers_always_have_a_secret_that_works_and_no_orphan_is_left(
        events in events(),
        days_left in 1..90u32,
        propagation in 0..90u64,
        lag in 0..120u64,
    ) {
        let mut first = credential("by-hand", NOW - 100 * DAY, NOW + days_left * DAY);
        first.name = Some("by hand".to_owned());
        let mut world = World {
            credentials: vec![(first, NOW - 100 * DAY)],
            current: held("by-hand", NOW - 100 * DAY),
            delays: [propagation, lag].map(Duration::from_secs),
            uses: vec![("by-hand".to_owned(), None)],
            ..World::default()
        };
        // Some days after a change, only the current one is left, and a next one that never came to be.
        play(&mut world, events, |world| {
            let key = world.current.as_ref().and_then(|it| it.key.clone());
            assert!(world.takes(&key.expect("a key")) || world.takes_soon());
            let held: Vec<&Held> = world.current.iter().chain(&world.next).collect();
            let noted = world.note.note.current.iter().map(|it| it.since);
            let mut changes = held.iter().map(|it| it.stored).chain(noted);
            let is_calm = changes.all(|at| world.time() > at + GRACE + 2 * DAY);
            let is_held = |key: &str| held.iter().any(|it| it.key.as_deref() == Some(key));
            let mut all = world.credentials.iter();
            assert!(!is_calm || all.all(|(one, _)| is_held(&one.key)), "{world:#?}");
        });
    }
}

impl World {
    /// Whether a new secret is on its way: it was not taken yet when the run ended.
    fn takes_soon(&self) -> bool {
        self.credentials.iter().any(|(_, from)| *from > self.time())
    }
}
