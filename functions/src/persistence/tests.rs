use std::sync::atomic::{AtomicU32, Ordering};

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{CorrelationId, Lane};
use bridge::queue::trigger::Trigger;
use services::error::Sent;

use super::*;
use crate::testing::app;

fn delivery(app: &App) -> Delivery {
    Delivery {
        trigger: Trigger {
            body: Vec::new(),
            message_id: None,
            session_id: None,
            correlation_id: None,
            delivery_count: 1,
            enqueued_at: None,
        },
        correlation: CorrelationId::of_unknown(b""),
        lane: Lane::unroutable("test"),
        deadline: Instant::now() + app.settings.attempt_deadline,
    }
}

fn failing(kind: ErrorKind) -> Failure {
    Failure::Retriable(ServiceError::new(Service::Genesys, kind, Sent::No))
}

fn chat(name: &str) -> Digest {
    Digest::of("chat", name)
}

/// Persists with an attempt that always fails in this way; returns the end, the attempts and the time it took.
async fn persist_failing(app: &App, kind: ErrorKind) -> (Result<End<()>, HandBack>, u32, Duration) {
    let attempts = AtomicU32::new(0);
    let started = Instant::now();
    let end = persist(app, &delivery(app), &chat("mine"), Work::Message, || {
        attempts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move { Err(failing(kind)) })
    })
    .await;
    (end, attempts.into_inner(), started.elapsed())
}

/// Another chat's message reaches Genesys every few seconds.
fn others_succeed_meanwhile(app: &std::sync::Arc<App>) -> tokio::task::JoinHandle<()> {
    let app = std::sync::Arc::clone(app);
    tokio::spawn(async move {
        loop {
            app.successes
                .note((Work::Message, Service::Genesys), &chat("other"));
            sleep(Duration::from_millis(100)).await;
        }
    })
}

#[tokio::test(start_paused = true)]
async fn while_nobody_succeeds_the_message_is_handed_back() {
    let app = app(&[]);
    let (end, attempts, took) = persist_failing(&app, ErrorKind::Unavailable).await;
    assert!(matches!(end, Err(HandBack)), "{end:?}");
    assert!(attempts > 10, "{attempts}");
    // The last attempt begins before the deadline; what it asks may take a little longer.
    let longest = app.settings.attempt_deadline + Duration::from_secs(30);
    assert!(
        took > Duration::from_secs(200) && took <= longest,
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn while_others_succeed_it_is_given_up_but_not_in_haste() {
    let app = app(&[]);
    let others = others_succeed_meanwhile(&app);
    let (end, _, took) = persist_failing(&app, ErrorKind::Unavailable).await;
    assert!(matches!(end, Ok(End::GivenUp { .. })), "{end:?}");
    assert!(took >= HASTE && took < Duration::from_secs(120), "{took:?}");

    // The next message of the same chat does not hold the lane as long again.
    let (end, _, took) = persist_failing(&app, ErrorKind::Unavailable).await;
    assert!(matches!(end, Ok(End::GivenUp { .. })), "{end:?}");
    assert!(took <= Duration::from_secs(15), "{took:?}");
    others.abort();
}

#[tokio::test(start_paused = true)]
async fn another_kind_of_work_is_no_evidence() {
    let app = app(&[]);
    let others = {
        let app = std::sync::Arc::clone(&app);
        tokio::spawn(async move {
            loop {
                app.successes
                    .note((Work::Receipt, Service::Genesys), &chat("other"));
                sleep(Duration::from_millis(100)).await;
            }
        })
    };
    let (end, ..) = persist_failing(&app, ErrorKind::Unavailable).await;
    assert!(matches!(end, Err(HandBack)), "{end:?}");
    others.abort();
}

#[tokio::test(start_paused = true)]
async fn throttling_and_sign_in_are_never_the_message_s_fault() {
    for kind in [
        ErrorKind::Throttled,
        ErrorKind::SignInNeeded,
        ErrorKind::Unauthorized,
        ErrorKind::Configuration,
    ] {
        let app = app(&[]);
        let others = others_succeed_meanwhile(&app);
        let (end, ..) = persist_failing(&app, kind).await;
        assert!(matches!(end, Err(HandBack)), "{kind:?}: {end:?}");
        others.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_yet_is_waited_for_and_then_given_up() {
    let app = app(&[]);
    let started = Instant::now();
    let end: Result<End<()>, HandBack> =
        persist(&app, &delivery(&app), &chat("mine"), Work::Post, || {
            let rejection = Rejection::new("thread_unknown", "", ReasonCode::InvalidDestination);
            Box::pin(async move { Err(Failure::NotYet(rejection)) })
        })
        .await;
    assert!(matches!(end, Ok(End::GivenUp { .. })), "{end:?}");
    assert!(started.elapsed() >= app.settings.unknown_thread);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_ends_the_waiting() {
    let app = app(&[]);
    let attempts = AtomicU32::new(0);
    let end = persist(&app, &delivery(&app), &chat("mine"), Work::Message, || {
        let number = attempts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            if number < 4 {
                Err(failing(ErrorKind::TimedOut))
            } else {
                Ok("done")
            }
        })
    })
    .await;
    assert!(matches!(end, Ok(End::Done("done"))), "{end:?}");
}
