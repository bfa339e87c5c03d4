use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn situation(fault: Fault) -> Situation {
    Situation {
        fault,
        times: 1,
        attempts: 1,
        all_else_is_well: None,
        failing_for: Duration::ZERO,
        well_for_others: false,
        file_patience: MINUTE * 2,
        age: MINUTE,
        left: Duration::from_secs(200),
        retry_after: Duration::ZERO,
        random: 0.5,
    }
}

fn decided(fault: Fault, change: impl FnOnce(&mut Situation)) -> Decision {
    let mut situation = situation(fault);
    change(&mut situation);
    decide(&situation)
}

fn tries_again(decision: Decision) -> bool {
    matches!(decision, Decision::TryAgain(_))
}

#[test]
fn a_refusal_is_blamed_on_the_message_when_all_else_is_well_twice() {
    let refused = |times, well| {
        decided(Fault::Refusal, |refusal| {
            (refusal.times, refusal.attempts) = (times, times);
            refusal.all_else_is_well = well;
            refusal.failing_for = WELL_FOR * 10;
            refusal.age = EXPIRES_AFTER - MINUTE;
        })
    };
    assert_eq!(refused(1, None), Decision::Ask);
    assert_eq!(refused(1, Some(true)), Decision::TryAgain(SECOND_TRY));
    assert_eq!(refused(2, Some(true)), Decision::GiveUp(Reason::Refused));
    for times in [1, 2, 1000] {
        let all_is_refused = refused(times, Some(false));
        assert!(tries_again(all_is_refused), "{times}");
    }
}

#[test]
fn a_transient_failure_waits_until_the_service_was_well_for_others_for_long() {
    let failed = |failing_for, well| {
        decided(Fault::Transient, |failure| {
            (failure.times, failure.attempts) = (50, 50);
            failure.failing_for = failing_for;
            failure.well_for_others = well;
        })
    };
    let given_up = Decision::GiveUp(Reason::KeptFailing);
    assert_eq!(failed(WELL_FOR, true), given_up);
    assert!(tries_again(failed(WELL_FOR - MINUTE, true)));
    assert!(tries_again(failed(WELL_FOR * 200, false)));
}

#[test]
fn a_service_that_asks_for_time_gets_it_or_the_message_goes_back() {
    let throttled = |seconds| {
        let wish = Duration::from_secs(seconds);
        decided(Fault::NotTheMessage, |fault| fault.retry_after = wish)
    };
    assert_eq!(throttled(60), Decision::TryAgain(MINUTE));
    assert_eq!(throttled(300), Decision::HandBack);
}

#[test]
fn a_file_is_given_up_sooner_than_a_message_and_only_when_all_else_is_well() {
    let failed = |failing_for, well| {
        decided(Fault::OfFile, |file| {
            file.failing_for = failing_for;
            file.all_else_is_well = well;
        })
    };
    assert!(tries_again(failed(Duration::ZERO, None)));
    let late = MINUTE * 2;
    assert_eq!(failed(late, None), Decision::Ask);
    let given_up = Decision::GiveUp(Reason::KeptFailing);
    assert_eq!(failed(late, Some(true)), given_up);
    assert!(tries_again(failed(late, Some(false))));
}

#[test]
fn panics_are_counted_and_end_the_message() {
    let panicked = |times| decided(Fault::Panic, |panic| panic.times = times);
    assert!(tries_again(panicked(1)) && tries_again(panicked(2)));
    assert_eq!(panicked(3), Decision::GiveUp(Reason::Panicked));
}

#[test]
fn what_would_soon_expire_is_given_up_whatever_the_fault() {
    for fault in [
        Fault::Refusal,
        Fault::Transient,
        Fault::OfFile,
        Fault::NotTheMessage,
        Fault::Overtaken,
        Fault::Panic,
    ] {
        let old = decided(fault, |situation| situation.age = EXPIRES_AFTER);
        assert_eq!(old, Decision::GiveUp(Reason::Expired));
    }
}

#[test]
fn waits_grow_from_the_shortest_to_the_longest() {
    let wait = |attempts, random| {
        decided(Fault::Transient, |failure| {
            (failure.attempts, failure.random) = (attempts, random);
        })
    };
    let seconds = [
        (1, 0.5),
        (2, 1.0),
        (5, 8.0),
        (6, 16.0),
        (7, 20.0),
        (u32::MAX, 20.0),
    ];
    for (attempts, longest) in seconds {
        let longest = Duration::from_secs_f64(longest);
        assert_eq!(wait(attempts, 1.0), Decision::TryAgain(longest));
        assert_eq!(wait(attempts, 0.0), Decision::TryAgain(SHORTEST_WAIT));
    }
}

#[test]
fn what_is_not_there_yet_is_waited_for_so_long() {
    let waited = |waited, left| decide_not_yet(waited, MINUTE, left);
    assert!(tries_again(waited(Duration::ZERO, MINUTE)));
    assert_eq!(waited(MINUTE, MINUTE), Decision::GiveUp(Reason::Refused));
    assert_eq!(waited(Duration::ZERO, Duration::ZERO), Decision::HandBack);
}

proptest! {
    /// Throttling, sign-in and our own stores never end a message that is not about to expire.
    #[test]
    fn some_faults_are_never_the_message_s(
        times in 1u32..10_000,
        failing in 0u64..1_000_000,
        well in any::<bool>(),
        age in 0u64..(12 * 24 * 3600),
        left in 0u64..500,
        random in 0.0f64..1.0,
        overtaken in any::<bool>(),
    ) {
        let fault = if overtaken { Fault::Overtaken } else { Fault::NotTheMessage };
        let decision = decide(&Situation {
            times,
            attempts: times,
            all_else_is_well: Some(well),
            failing_for: Duration::from_secs(failing),
            well_for_others: well,
            age: Duration::from_secs(age),
            left: Duration::from_secs(left),
            random,
            ..situation(fault)
        });
        prop_assert!(!matches!(decision, Decision::GiveUp(_) | Decision::Ask));
    }

    /// While fewer than nine of ten calls of others succeed, no transient failure ends a message, however long it lasts.
    #[test]
    fn a_brown_out_gives_up_nothing(share in 11u32..=100, hours in 1u64..48, chats in 3u32..30) {
        let mut meter = Meter::default();
        let mine = crate::ids::Digest::of("chat", "mine");
        let end = Duration::from_secs(hours * 3600);
        for (call, second) in (1u32..).zip((end.as_secs() - 1800..end.as_secs()).step_by(5)) {
            let chat = crate::ids::Digest::of("chat", &(call % chats).to_string());
            // Spread evenly, so that each span of some minutes has its share.
            let fails = (call * share) / 100 != ((call - 1) * share) / 100;
            meter.note(Duration::from_secs(second), &chat, !fails);
        }
        let decision = decided(Fault::Transient, |failure| {
            failure.failing_for = end;
            failure.well_for_others = meter.well_for_others(end, &mine);
        });
        prop_assert!(tries_again(decision), "{share} % of the calls failed");
    }

    #[test]
    fn a_wait_fits_into_what_is_left(left in 0u64..400, wish in 0u64..400, attempts in 1u32..100, random in 0.0f64..1.0) {
        let situation = Situation {
            attempts,
            left: Duration::from_secs(left),
            retry_after: Duration::from_secs(wish),
            random,
            ..situation(Fault::Transient)
        };
        match decide(&situation) {
            Decision::TryAgain(wait) => prop_assert!(wait < situation.left && wait >= situation.retry_after),
            decision => prop_assert_eq!(decision, Decision::HandBack),
        }
    }
}
