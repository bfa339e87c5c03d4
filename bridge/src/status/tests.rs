use time::macros::datetime;

use super::*;
use crate::state::timer;

const AT: OffsetDateTime = datetime!(2026-12-01 12:00:00 UTC);
const NOW: Now = Now {
    renewals: AT,
    messages: AT,
};

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn ending(ends: OffsetDateTime) -> Found {
    Found::Subscription(Some(Standing {
        access: "delegated".to_owned(),
        ends,
    }))
}

fn held(stored: Duration, due: Option<OffsetDateTime>) -> Found {
    Found::Secret {
        stored: Some(AT - stored),
        due,
    }
}

fn run(success: Option<u64>, failure: Option<u64>) -> Found {
    let failed = |ago| timer::Failed {
        at: AT - minutes(ago),
        reason: "graph: unavailable".to_owned(),
    };
    Found::Timer {
        state: Some(TimerState {
            lease: None,
            last_success: success.map(|ago| AT - minutes(ago)),
            last_failure: failure.map(failed),
        }),
        patience: minutes(30),
    }
}

fn never_run(patience: Duration) -> Found {
    Found::Timer {
        state: None,
        patience,
    }
}

fn caught_up(swept: Duration, gap: Option<Duration>) -> Found {
    Found::CatchUp(Some(Progress {
        began: AT - hours(1000),
        looked: AT - minutes(3),
        swept: AT - swept,
        gap: gap.map(|gap| AT - gap),
        uncovered: None,
    }))
}

fn uncovered(since: Duration) -> Found {
    match caught_up(hours(3), None) {
        Found::CatchUp(Some(progress)) => Found::CatchUp(Some(Progress {
            uncovered: Some(AT - since),
            ..progress
        })),
        other => other,
    }
}

fn holding(active: u64, scheduled: u64, dead_letters: u64) -> Found {
    Found::Queue {
        active,
        scheduled,
        dead_letters,
    }
}

fn given_up(kinds: &[(&str, usize)], strange: usize) -> Found {
    let kinds = kinds
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count));
    Found::Failed {
        kinds: kinds.collect(),
        strange,
        latest: Some(AT - minutes(4)),
    }
}

#[test]
fn what_is_well_and_what_needs_a_person() {
    use State::{NeedsPerson, Unreadable, Waits, Well};
    let day = hours(24);
    let second = Duration::from_secs(1);
    for (found, state, told) in [
        (
            Found::Subscription(None),
            NeedsPerson,
            "none has been made: the line of the timer subscription-renewal, or its log, says why",
        ),
        (
            ending(AT + LIFE - minutes(40)),
            Well,
            "delegated access, ends 2026-12-04 11:00 UTC (in 2 d 23 h)",
        ),
        (
            ending(AT + LIFE - SUBSCRIPTION_OVERDUE),
            Well,
            "delegated access, ends 2026-12-04 05:40 UTC (in 2 d 17 h)",
        ),
        (
            ending(AT + hours(2)),
            NeedsPerson,
            "delegated access, ends 2026-12-01 14:00 UTC (in 2 h 0 min); it is not renewed",
        ),
        (ending(AT), NeedsPerson, "delegated access, ended 0 s ago"),
        (
            Found::SignIn(None),
            NeedsPerson,
            "nobody is signed in: handler sign-in",
        ),
        (
            Found::SignIn(Some(AT - day)),
            Well,
            "renewed 1 d 0 h ago, lasts until 2027-02-28 12:00 UTC unless it is revoked",
        ),
        (
            Found::SignIn(Some(AT - 4 * day)),
            NeedsPerson,
            "renewed 4 d 0 h ago, lasts until 2027-02-25 12:00 UTC unless it is revoked; it is not renewed",
        ),
        (Found::AgentUser, Well, "an agent user, who needs none"),
        (
            Found::Secret {
                stored: None,
                due: None,
            },
            NeedsPerson,
            "is not in the vault",
        ),
        (
            held(day, None),
            Well,
            "stored 1 d 0 h ago, replaced by people",
        ),
        (
            held(day, Some(AT + 89 * day)),
            Well,
            "stored 1 d 0 h ago, due 2027-02-28 12:00 UTC (in 89 d 0 h)",
        ),
        (
            held(91 * day, Some(AT - day)),
            Waits,
            "stored 91 d 0 h ago, due since 2026-11-30 12:00 UTC",
        ),
        (
            held(97 * day, Some(AT - OVERDUE_AFTER)),
            NeedsPerson,
            "stored 97 d 0 h ago, due since 2026-11-24 12:00 UTC: handler rotate",
        ),
        (run(Some(2), None), Well, "last succeeded 2 min ago"),
        (run(Some(2), Some(4)), Well, "last succeeded 2 min ago"),
        (
            run(Some(4), Some(2)),
            Waits,
            "last succeeded 4 min ago; failed 2 min ago: graph: unavailable",
        ),
        (
            run(Some(31), Some(2)),
            NeedsPerson,
            "last succeeded 31 min ago; failed 2 min ago: graph: unavailable",
        ),
        (
            run(None, Some(2)),
            NeedsPerson,
            "has never succeeded; failed 2 min ago: graph: unavailable",
        ),
        (
            run(Some(31), None),
            NeedsPerson,
            "last succeeded 31 min ago: is the app running?",
        ),
        (
            never_run(minutes(30)),
            NeedsPerson,
            "has never succeeded: it does within 30 min of the first start, if the app runs",
        ),
        (never_run(hours(49)), Waits, "has not run yet"),
        (
            Found::CatchUp(None),
            Waits,
            "has not begun: it does with the first subscription",
        ),
        (
            caught_up(hours(3), None),
            Well,
            "looked up to 3 min ago, read all up to 3 h 0 min ago",
        ),
        (
            uncovered(minutes(7)),
            Waits,
            "looked up to 3 min ago, read all up to 3 h 0 min ago; no subscription tells of all changes, noted 7 min ago",
        ),
        (
            caught_up(hours(3), Some(minutes(2))),
            Waits,
            "looked up to 3 min ago, read all up to 3 h 0 min ago; a gap was noted 2 min ago",
        ),
        (
            caught_up(hours(3), Some(hours(2))),
            NeedsPerson,
            "looked up to 3 min ago, read all up to 3 h 0 min ago; a gap was noted 2 h 0 min ago; it does not get on",
        ),
        (
            caught_up(SWEEP_OVERDUE + second, None),
            NeedsPerson,
            "looked up to 3 min ago, read all up to 1 d 2 h ago; it does not get on",
        ),
        (holding(0, 0, 0), Well, "empty"),
        (holding(1, 0, 0), Waits, "1 message waiting or worked on"),
        (holding(0, 2, 0), Waits, "empty, 2 scheduled"),
        (
            holding(7, 0, 1),
            NeedsPerson,
            "7 messages waiting or worked on, 1 dead letter: handler failed drain",
        ),
        (Found::Spool(0, None), Well, "empty"),
        (
            Found::Spool(2, Some(minutes(10))),
            Waits,
            "2 messages of agents, the oldest for 10 min",
        ),
        (Found::Spool(1, None), Waits, "1 message of agents"),
        (
            Found::Spool(2, Some(minutes(11))),
            NeedsPerson,
            "2 messages of agents, the oldest for 11 min: Service Bus does not take them",
        ),
        (
            Found::Paused(minutes(2)),
            Waits,
            "has too much of our calls: paused for 2 min",
        ),
        (
            Found::Booked(Duration::from_secs(4)),
            Well,
            "takes calls at once",
        ),
        (
            Found::Booked(BOOKED_FAR),
            Waits,
            "calls are booked 5 s ahead",
        ),
        (given_up(&[], 0), Well, "none"),
        (
            given_up(&[("inbound refused", 2), ("outbound too_old", 1)], 1),
            NeedsPerson,
            "2 inbound refused, 1 outbound too_old, 1 unreadable; the latest 4 min ago: handler failed list",
        ),
        (
            Found::Messages(Some(AT - second), None),
            Well,
            "to Genesys 1 s ago, to Teams none known",
        ),
        (
            Found::Unreadable("you lack a role".to_owned()),
            Unreadable,
            "you lack a role",
        ),
    ] {
        assert_eq!(judge(&found, NOW), (state, told.to_owned()), "{found:?}");
    }
}

#[test]
fn what_needs_a_person_comes_first_and_what_cannot_be_read_is_not_well() {
    let fact = |part, subject: &str, found| Fact {
        part,
        subject: subject.to_owned(),
        found,
    };
    let mut facts = vec![
        fact(Part::Queue, "outbound", holding(0, 0, 0)),
        fact(Part::Queue, "inbound", holding(3, 0, 0)),
        fact(Part::SignIn, "b", Found::AgentUser),
        fact(Part::SignIn, "a", Found::AgentUser),
    ];
    let order = |facts: &[Fact]| {
        let screen = screen(facts, NOW);
        let subjects = screen.lines.iter().map(|it| it.subject.clone());
        (screen.well, subjects.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(order(&facts), (true, "inbound a b outbound".to_owned()));
    let unreadable = Found::Unreadable("no role".to_owned());
    facts.push(fact(Part::Subscription, "c", unreadable));
    assert_eq!(order(&facts), (false, "c inbound a b outbound".to_owned()));
    facts.push(fact(
        Part::Failed,
        "failed",
        given_up(&[("inbound refused", 1)], 0),
    ));
    let (is_well, subjects) = order(&facts);
    assert!(!is_well && subjects.starts_with("failed c "), "{subjects}");
    assert!(screen(&[], NOW).well);
}

#[test]
fn what_is_renewed_has_a_time_of_its_own() {
    let now = Now {
        renewals: AT + hours(80),
        messages: AT,
    };
    let judged = |found| judge(&found, now).0;
    assert_eq!(judged(ending(AT + LIFE)), State::NeedsPerson);
    assert_eq!(judged(run(Some(2), None)), State::Well);
}

#[test]
fn the_screen_is_json_for_machines() {
    let facts = [Fact {
        part: Part::CatchUp,
        subject: "support".to_owned(),
        found: Found::CatchUp(None),
    }];
    let json = serde_json::to_value(screen(&facts, NOW)).expect("JSON");
    let line = serde_json::json!({
        "state": "waits", "part": "catch-up", "subject": "support",
        "told": "has not begun: it does with the first subscription",
    });
    assert_eq!(json, serde_json::json!({ "well": true, "lines": [line] }));
}
