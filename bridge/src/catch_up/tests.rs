use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-12-01 12:00:00 UTC);
const EVERY: Duration = Duration::from_secs(120);

fn progress(looked_minutes_ago: i64, swept_hours_ago: i64) -> Progress {
    Progress {
        began: NOW - time::Duration::days(9),
        looked: NOW - time::Duration::minutes(looked_minutes_ago),
        swept: NOW - time::Duration::hours(swept_hours_ago),
        gap: None,
        uncovered: None,
    }
}

#[test]
fn which_sweep_is_due() {
    let with_gap = |progress: Progress| Progress {
        gap: Some(NOW),
        ..progress
    };
    let uncovered = |progress: Progress| Progress {
        uncovered: Some(NOW),
        ..progress
    };
    const DAY: i64 = 24 * 60;
    for (progress, every, expected) in [
        // Just looked, a little later, and after runs that did not come through.
        (progress(2, 1), EVERY, None),
        (progress(3, 1), EVERY, Some((false, 13))),
        (progress(4, 1), EVERY, Some((false, 14))),
        (progress(30, 1), EVERY, Some((false, 40))),
        (progress(40, 1), EVERY, Some((true, 70))),
        // Once a day all is read, from where it was read last.
        (progress(4, 24), EVERY, Some((true, DAY + 10))),
        // A gap is closed at once, whatever else is due.
        (with_gap(progress(2, 1)), EVERY, Some((true, 70))),
        (
            with_gap(progress(600, 20)),
            EVERY,
            Some((true, 20 * 60 + 10)),
        ),
        // Without the looks in between.
        (progress(4, 1), Duration::ZERO, None),
        (progress(600, 10), Duration::ZERO, None),
        (progress(600, 24), Duration::ZERO, Some((true, DAY + 10))),
        (
            with_gap(progress(600, 10)),
            Duration::ZERO,
            Some((true, 610)),
        ),
        (uncovered(progress(3, 1)), EVERY, Some((false, 13))),
        (uncovered(progress(3, 1)), Duration::ZERO, Some((false, 13))),
        // What was not looked at for long is read first.
        (
            uncovered(progress(600, 10)),
            Duration::ZERO,
            Some((true, 610)),
        ),
    ] {
        let due = progress.due(NOW, every);
        let found = due.map(|sweep| (sweep.whole, (NOW - sweep.since).whole_minutes()));
        assert_eq!(found, expected, "{progress:?} {every:?}");
    }
}

#[test]
fn nothing_from_before_the_first_subscription_is_told() {
    let began = NOW - time::Duration::minutes(5);
    let mut progress = Progress::new(began);
    progress.note_gap(NOW);
    let sweep = progress.due(NOW, EVERY).expect("a sweep");
    assert_eq!((sweep.whole, sweep.since), (true, began));
}

#[test]
fn a_gap_that_is_noted_during_a_sweep_stays() {
    let mut progress = progress(4, 1);
    progress.note_gap(NOW);
    let sweep = progress.due(NOW, EVERY).expect("a sweep");
    let mut undisturbed = progress.clone();
    undisturbed.done(&sweep);
    assert_eq!((undisturbed.gap, undisturbed.swept), (None, NOW - GRACE));
    let later = NOW + time::Duration::seconds(5);
    progress.note_gap(later);
    progress.done(&sweep);
    assert_eq!((progress.gap, progress.looked), (Some(later), NOW - GRACE));
}

#[test]
fn while_no_subscription_tells_only_what_moves_is_read_and_all_of_it_once_afterwards() {
    let (mut progress, mut whole) = (progress(2, 1), 0);
    let mut now = NOW;
    // Eight hours of runs that find no subscription, and chats of which nobody told.
    for _ in 0..160 {
        now += time::Duration::minutes(3);
        progress.note_coverage(false, now);
        assert!(progress.is_noted(false) && !progress.note_gap(now));
        if let Some(sweep) = progress.due(now, EVERY) {
            assert!(sweep.is_uncovered);
            whole += usize::from(sweep.whole);
            progress.done(&sweep);
        }
    }
    assert_eq!(whole, 0);
    assert_eq!(progress.uncovered, Some(NOW + time::Duration::minutes(3)));
    progress.note_coverage(true, now);
    assert_eq!((progress.gap, progress.uncovered), (Some(now), None));
    let sweep = progress.due(now, EVERY).expect("the gap is closed");
    assert!(sweep.whole && !sweep.is_uncovered);
    assert_eq!(sweep.since, NOW - time::Duration::hours(1) - OVERLAP);
    progress.done(&sweep);
    // Covered as before, there is nothing to note.
    progress.note_coverage(true, now);
    assert_eq!((progress.gap, progress.due(now, EVERY)), (None, None));
}

#[test]
fn a_gap_from_before_is_closed_although_no_subscription_tells() {
    let mut progress = progress(2, 1);
    assert!(progress.note_gap(NOW));
    progress.note_coverage(false, NOW);
    assert!(progress.due(NOW, EVERY).is_some_and(|sweep| sweep.whole));
}

#[test]
fn what_a_sweep_makes_of_a_chat() {
    let ours: UserId = "0f0e0d0c-0000-4000-8000-000000000001"
        .parse()
        .expect("an id");
    let theirs: UserId = "0f0e0d0c-0000-4000-8000-00000000000a"
        .parse()
        .expect("an id");
    let newest = |minutes_ago, user: &UserId, is_system| Newest {
        message: "1".parse().expect("an id"),
        created: NOW - time::Duration::minutes(minutes_ago),
        user: Some(user.clone()),
        is_system,
    };
    let look = progress(4, 1).due(NOW, EVERY).expect("a look");
    let whole = progress(4, 24).due(NOW, EVERY).expect("a whole sweep");
    let mut uncovered = progress(4, 1);
    uncovered.note_coverage(false, NOW);
    let uncovered = uncovered.due(NOW, EVERY).expect("a look");
    let unless_known = Look::ReadUnlessKnown;
    for (newest, by_look, by_uncovered, by_whole) in [
        (None, Look::Pass, Look::Pass, Look::Pass),
        (
            Some(newest(5, &theirs, false)),
            unless_known,
            unless_known,
            Look::Read,
        ),
        // Graph may still be about to tell.
        (
            Some(newest(1, &theirs, false)),
            Look::Pass,
            Look::Pass,
            Look::Read,
        ),
        // What stands before it may be unknown where nobody tells.
        (
            Some(newest(5, &ours, false)),
            Look::Pass,
            Look::Read,
            Look::Read,
        ),
        (
            Some(newest(5, &theirs, true)),
            Look::Pass,
            Look::Read,
            Look::Read,
        ),
        (
            Some(newest(15, &theirs, false)),
            Look::End,
            Look::End,
            Look::Read,
        ),
        // Its edits may be younger than its newest message.
        (
            Some(newest(47 * 60, &theirs, false)),
            Look::End,
            Look::End,
            Look::Read,
        ),
        (
            Some(newest(49 * 60, &theirs, false)),
            Look::End,
            Look::End,
            Look::End,
        ),
    ] {
        let sweeps = [&look, &uncovered, &whole];
        let found = sweeps.map(|it| it.look(newest.as_ref(), |user| *user == ours));
        assert_eq!(found, [by_look, by_uncovered, by_whole], "{newest:?}");
    }
}

#[test]
fn progress_is_kept_as_json() {
    let mut progress = Progress::new(NOW);
    let plain = serde_json::to_string(&progress).expect("JSON");
    assert_eq!(
        plain,
        r#"{"began":"2026-12-01T12:00:00Z","looked":"2026-12-01T12:00:00Z","swept":"2026-12-01T12:00:00Z"}"#
    );
    // Those of releases that know no more are read.
    let before: Progress = serde_json::from_str(&plain).expect("readable");
    assert_eq!(before, progress);
    progress.note_gap(NOW + time::Duration::hours(1));
    progress.note_coverage(false, NOW + time::Duration::hours(2));
    let json = serde_json::to_string(&progress).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Progress>(&json).expect("readable"),
        progress
    );
}
