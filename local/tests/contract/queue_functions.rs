//! Queue functions and timers are called as the Functions host calls them.

use std::time::Duration;

use crate::support::{PATIENCE, Setup, Stand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::host::Outcome;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_message_comes_again_at_once_and_first() {
    let stand = Stand::start(Setup::default()).await;
    stand.send("a", "1", "fail once");
    stand.send("a", "2", "text once");
    stand.send("a", "3", "array once");
    stand.send("a", "4", "succeed");
    stand
        .until_attempts(&["1#1", "1#2", "2#1", "2#2", "3#1", "3#2", "4#1"])
        .await;
    assert!(stand.calls().iter().all(|call| call["together"] == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_success_hangs_until_the_time_limit_kills_the_handler() {
    for order in ["empty once", "null once", "hang once"] {
        let stand = Stand::start(Setup {
            function_timeout: "00:00:01",
            ..Setup::default()
        })
        .await;
        let before = stand.pid();
        let sent = std::time::Instant::now();
        stand.send("a", "1", order);
        stand.until_attempts(&["1#1", "1#2"]).await;
        assert!(sent.elapsed() >= Duration::from_secs(1), "{order}");
        assert_ne!(stand.pid(), before, "{order}: another process");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_and_metadata_are_encoded_as_by_the_host() {
    let stand = Stand::start(Setup::default()).await;
    stand.send("lane", "m\"1", "succeed");
    stand.until_attempts(&["m\"1#1"]).await;
    let call = &stand.calls()[0];
    assert_eq!(call["chunked"], true);
    let envelope = &call["envelope"];
    let body = STANDARD.encode("succeed");
    assert_eq!(envelope["Data"], json!({ "message": body }));
    let metadata = &envelope["Metadata"];
    assert_eq!(metadata["MessageId"], r#""m\"1""#);
    assert_eq!(metadata["SessionId"], r#""lane""#);
    assert_eq!(metadata["DeliveryCount"], "1");
    assert_eq!(metadata["CorrelationId"], r#""correlation of m\"1""#);
    let content_type = metadata.get("ContentType");
    assert_eq!(content_type, None, "absent values are left out");
    let enqueued = metadata["EnqueuedTimeUtc"].as_str().expect("a time");
    assert_eq!(enqueued.len(), "2024-05-01T10:20:30".len());
    assert_eq!(metadata["EnqueuedTime"], format!("{enqueued}+00:00"));
    for noise in ["Client", "MessageReceiver", "UserProperties"] {
        assert!(metadata[noise].is_object(), "{noise}");
    }
    assert_eq!(metadata["sys"]["MethodName"], "work");
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_lanes_run_at_once_as_host_json_allows_and_no_more() {
    for (sessions, messages, together) in [(64, 24, 24), (3, 12, 3)] {
        let stand = Stand::start(Setup {
            sessions,
            ..Setup::default()
        })
        .await;
        let order = format!("wait for calls at work: {together}");
        for lane in 0..messages {
            stand.send(&format!("lane {lane}"), &lane.to_string(), &order);
        }
        stand.until_calls(messages).await;
        let calls = stand.calls();
        let at_once = calls.iter().filter_map(|call| call["together"].as_u64());
        assert_eq!(at_once.max(), Some(together));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_no_longer_renewed_gives_the_lane_a_second_holder() {
    let stand = Stand::start(Setup {
        lock: Duration::from_secs(2),
        lock_renewal: "00:00:02",
        ..Setup::default()
    })
    .await;
    stand.send("a", "1", "wait for calls at work: 2");
    stand.send("a", "2", "succeed");
    // The second call comes while the first is at work, and the first's success counts for nothing.
    stand.until_attempts(&["1#1", "1#2", "2#1"]).await;
    assert_eq!(stand.calls()[1]["together"], 2);
    let lost = "work: SessionLockLost: the lock has expired";
    stand.until_line(lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_renewed_without_end_has_one_holder() {
    let stand = Stand::start(Setup {
        lock: Duration::from_secs(1),
        ..Setup::default()
    })
    .await;
    stand.send("a", "1", "slow once");
    stand.send("a", "2", "succeed");
    stand.until_attempts(&["1#1", "2#1"]).await;
    assert!(stand.calls().iter().all(|call| call["together"] == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_crash_or_a_kill_the_message_comes_again() {
    let stand = Stand::start(Setup::default()).await;
    stand.send("a", "0", "crash once");
    stand.until_attempts(&["0#1", "0#2"]).await;
    // Neither kills nor leaving with 200 are errors of the handler: more of them than the crash policy allows change nothing.
    for round in 1..=8 {
        let (id, calls) = (round.to_string(), 2 * round);
        let kills = round % 2 == 0;
        let order = if kills {
            "hang once"
        } else {
            "leave with 200 once"
        };
        stand.send("a", &id, order);
        stand.until_calls(calls + 1).await;
        if kills {
            assert!(stand.host.kill(Some(0), false).await);
        }
        stand.until_calls(calls + 2).await;
        assert_eq!(stand.attempts().last(), Some(&format!("{id}#2")));
    }
    assert!(!stand.host.kill(Some(7), false).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_instance_keeps_its_lanes_until_its_locks_end() {
    let lock = Duration::from_secs(2);
    let stand = Stand::start(Setup {
        instances: 2,
        lock,
        ..Setup::default()
    })
    .await;
    stand.send("a", "1", "hang once");
    stand.until_attempts(&["1#1"]).await;
    let mut lines = stand.world.hub.logs.lines().into_iter();
    let call = lines.find(|line| line.line.starts_with("call "));
    let instance = call.map(|line| line.instance);
    let killed = std::time::Instant::now();
    assert!(stand.host.kill(instance, true).await);
    stand.send("b", "2", "succeed");
    stand.until_attempts(&["1#1", "2#1", "1#2"]).await;
    assert!(killed.elapsed() >= lock);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_crash_stops_the_host() {
    let stand = Stand::start(Setup::default()).await;
    for id in ["1", "2", "3", "4"] {
        stand.send("a", id, "crash once");
    }
    let reason = tokio::time::timeout(PATIENCE, stand.host.stopped())
        .await
        .expect("it stops");
    assert_eq!(reason, "exceeded the handler's restart count");
    // What a process printed last can be read a moment after its end.
    stand
        .until_attempts(&["1#1", "1#2", "2#1", "2#2", "3#1"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_leaves_with_0_is_not_started_again() {
    let stand = Stand::start(Setup::default()).await;
    stand.send("a", "1", "leave with 0");
    stand.until_line("the handler ended with 0").await;
    let lines = stand.lines();
    let starts = lines.iter().filter(|line| line.starts_with("started "));
    assert_eq!(starts.count(), 1);
    stand.host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_never_listens_fails_the_start() {
    let outcome = Stand::try_start(Setup {
        variable: ("EXIT_AT_START", "1"),
        ..Setup::default()
    });
    let problem = outcome.await.err().expect("no start").to_string();
    assert_eq!(problem, "exceeded the handler's restart count");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_is_fired_on_demand() {
    let stand = Stand::start(Setup::default()).await;
    let outcome = stand.host.fire_timer("clock").await;
    assert!(matches!(outcome, Some(Outcome::Success(..))), "{outcome:?}");
    stand.host.fire_timer("clock").await;
    let calls = stand.printed("clock ");
    let timer = |call: usize| &calls[call]["Data"]["timer"];
    assert_eq!(timer(0)["IsPastDue"], false);
    assert_eq!(timer(0)["Schedule"]["AdjustForDST"], true);
    let status = |call: usize, field: &str| timer(call)["ScheduleStatus"][field].clone();
    assert_eq!(status(0, "Last"), "0001-01-01T00:00:00+00:00");
    assert_eq!(status(1, "Last"), status(0, "Next"));
    assert!(stand.host.fire_timer("work").await.is_none());
    assert!(stand.host.fire_timer("nothing").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_is_fired_by_its_schedule() {
    let schedule = "* * * * * *";
    let setup = Setup {
        schedule,
        ..Setup::default()
    };
    let stand = Stand::start(setup).await;
    let ticked = |stand: &Stand| stand.printed("clock ").len() >= 2;
    stand.until("two ticks", ticked).await;
    let calls = stand.printed("clock ");
    let next = |call: &serde_json::Value| call["Data"]["timer"]["ScheduleStatus"]["Next"].clone();
    assert_ne!(next(&calls[0]), next(&calls[1]));
}

/// Hours pass in less time than a call takes: what is missed meanwhile is made up for by one call, at once after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_is_late_is_fired_once_and_never_twice_at_a_time() {
    let setup = Setup {
        schedule: "0 0 * * * *",
        speed: 1_000_000,
        ..Setup::default()
    };
    let stand = Stand::start(setup).await;
    let ended = |stand: &Stand| stand.lines().iter().filter(|it| *it == "ticked").count();
    stand.until("five calls", |stand| ended(stand) >= 5).await;
    let mut at_work = 0;
    for line in stand.lines() {
        at_work += i32::from(line.starts_with("clock ")) - i32::from(line == "ticked");
        assert!((0..=1).contains(&at_work), "{:#?}", stand.lines());
    }
    let began = |call: &serde_json::Value| {
        let began = call["Data"]["timer"]["ScheduleStatus"]["Next"].clone();
        OffsetDateTime::parse(began.as_str().expect("a time"), &Rfc3339).expect("a time")
    };
    for pair in stand.printed("clock ").windows(2) {
        let hours = (began(&pair[1]) - began(&pair[0])).whole_hours();
        assert!(hours >= 5, "a call takes longer than five of them: {hours}");
        assert_eq!(pair[1]["Data"]["timer"]["IsPastDue"], false);
    }
    let view = stand.host.timers_view();
    assert_eq!(view["speed"], 1_000_000);
    assert_eq!(view["timers"][0]["failures"], 0);
}
