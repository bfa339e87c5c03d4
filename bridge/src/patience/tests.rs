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

fn tries_again(decision: Decision) -> bool {
    matches!(decision, Decision::TryAgain(_))
}

#[test]
fn a_refusal_is_blamed_on_the_message_when_all_else_is_well_twice() {
    let refusal = situation(Fault::Refusal);
    assert_eq!(decide(&refusal), Decision::Ask);
    let well = Situation {
        all_else_is_well: Some(true),
        ..refusal
    };
    assert_eq!(decide(&well), Decision::TryAgain(SECOND_TRY));
    let again = Situation { times: 2, ..well };
    assert_eq!(decide(&again), Decision::GiveUp(Reason::Refused));
}

#[test]
fn a_refusal_of_everything_gives_up_nothing() {
    for times in [1, 2, 1000] {
        let all = Situation {
            times,
            attempts: times,
            all_else_is_well: Some(false),
            failing_for: WELL_FOR * 10,
            age: EXPIRES_AFTER - MINUTE,
            ..situation(Fault::Refusal)
        };
        assert!(tries_again(decide(&all)), "{times}");
    }
}

#[test]
fn a_transient_failure_waits_until_the_service_was_well_for_others_for_long() {
    let long = Situation {
        times: 50,
        attempts: 50,
        failing_for: WELL_FOR,
        well_for_others: true,
        ..situation(Fault::Transient)
    };
    assert_eq!(decide(&long), Decision::GiveUp(Reason::KeptFailing));
    let others_fail_too = Situation {
        well_for_others: false,
        failing_for: WELL_FOR * 200,
        ..long
    };
    assert!(tries_again(decide(&others_fail_too)));
    let not_long_enough = Situation {
        failing_for: WELL_FOR - MINUTE,
        ..long
    };
    assert!(tries_again(decide(&not_long_enough)));
}

#[test]
fn a_service_that_asks_for_time_gets_it_or_the_message_goes_back() {
    let throttled = Situation {
        retry_after: Duration::from_secs(60),
        ..situation(Fault::NotTheMessage)
    };
    assert_eq!(
        decide(&throttled),
        Decision::TryAgain(Duration::from_secs(60))
    );
    let too_long = Situation {
        retry_after: Duration::from_secs(300),
        ..throttled
    };
    assert_eq!(decide(&too_long), Decision::HandBack);
}

#[test]
fn a_file_is_given_up_sooner_than_a_message_and_only_when_all_else_is_well() {
    let fresh = situation(Fault::OfFile);
    assert!(tries_again(decide(&fresh)));
    let late = Situation {
        failing_for: MINUTE * 2,
        ..fresh
    };
    assert_eq!(decide(&late), Decision::Ask);
    let decided = |well| {
        decide(&Situation {
            all_else_is_well: Some(well),
            ..late
        })
    };
    assert_eq!(decided(true), Decision::GiveUp(Reason::KeptFailing));
    assert!(tries_again(decided(false)));
}

#[test]
fn panics_are_counted_and_end_the_message() {
    for (times, ends) in [(1, false), (2, false), (3, true)] {
        let panic = Situation {
            times,
            ..situation(Fault::Panic)
        };
        let decision = decide(&panic);
        assert_eq!(decision == Decision::GiveUp(Reason::Panicked), ends);
    }
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
        let old = Situation {
            age: EXPIRES_AFTER,
            ..situation(fault)
        };
        assert_eq!(decide(&old), Decision::GiveUp(Reason::Expired));
    }
}

#[test]
fn what_is_not_there_yet_is_waited_for_so_long() {
    let (patience, left) = (MINUTE, MINUTE);
    assert!(tries_again(decide_not_yet(Duration::ZERO, patience, left)));
    assert_eq!(
        decide_not_yet(patience, patience, left),
        Decision::GiveUp(Reason::Refused)
    );
    assert_eq!(
        decide_not_yet(Duration::ZERO, patience, Duration::ZERO),
        Decision::HandBack
    );
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
        let situation = Situation {
            times,
            attempts: times,
            all_else_is_well: Some(well),
            failing_for: Duration::from_secs(failing),
            well_for_others: well,
            age: Duration::from_secs(age),
            left: Duration::from_secs(left),
            random,
            ..situation(if overtaken { Fault::Overtaken } else { Fault::NotTheMessage })
        };
        prop_assert!(!matches!(decide(&situation), Decision::GiveUp(_) | Decision::Ask));
    }

    /// While fewer than nine of ten calls of others succeed, no transient failure ends a message, however long it lasts.
    #[test]
    fn a_brown_out_gives_up_nothing(share in 11u32..=100, hours in 1u64..48, chats in 3u32..30) {
        let mut meter = Meter::default();
        let mine = crate::ids::Digest::of("chat", "mine");
        let end = Duration::from_secs(hours * 3600);
        let mut call = 0u32;
        for second in (end.as_secs().saturating_sub(1800)..end.as_secs()).step_by(5) {
            call += 1;
            let chat = crate::ids::Digest::of("chat", &(call % chats).to_string());
            // Spread evenly, so that each span of some minutes has its share.
            let fails = (call * share) / 100 != ((call - 1) * share) / 100;
            meter.note(Duration::from_secs(second), &chat, !fails);
        }
        let situation = Situation {
            failing_for: end,
            well_for_others: meter.well_for_others(end, &mine),
            ..situation(Fault::Transient)
        };
        prop_assert!(tries_again(decide(&situation)), "{share} % of the calls failed");
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
