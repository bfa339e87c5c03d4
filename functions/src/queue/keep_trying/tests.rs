use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{CorrelationId, Digest, Lane};
use bridge::queue::failed::Direction;
use bridge::queue::trigger::Trigger;
use services::error::{ErrorKind, Sent, Service};
use time::OffsetDateTime;

use super::*;
use crate::app::App;
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
        direction: Direction::Inbound,
        lane: Lane::unroutable("test"),
        deadline: Instant::now() + app.settings.attempt_deadline,
    }
}

/// How an attempt ends.
type Ending = fn() -> Result<Outcome, Failure>;

/// A job whose attempts end as a list says, the last of them for ever.
struct Scripted {
    subject: Digest,
    ends: Mutex<Vec<Ending>>,
    attempts: AtomicU32,
}

impl Scripted {
    fn new(ends: &[Ending]) -> Self {
        Self {
            subject: Digest::of("chat", "mine"),
            ends: Mutex::new(ends.iter().rev().copied().collect()),
            attempts: AtomicU32::new(0),
        }
    }
}

impl Job for Scripted {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        let mut ends = self.ends.lock().expect("no panic");
        let end = match ends.len() {
            1 => ends[0],
            _ => ends.pop().expect("an end"),
        };
        drop(ends);
        end()
    }

    fn subject(&self) -> &Digest {
        &self.subject
    }

    fn give_up_file(&self, _: &Digest) -> bool {
        true
    }
}

fn failing(kind: ErrorKind) -> Result<Outcome, Failure> {
    Err(ServiceError::new(Service::Genesys, kind, Sent::No).into())
}

async fn run(job: &Scripted) -> (Result<End, HandBack>, Duration) {
    let app = app(&[]);
    let started = Instant::now();
    let end = keep_trying(&app, &delivery(&app), job).await;
    (end, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn what_fails_transiently_waits_and_is_handed_back() {
    let kinds: [Ending; 7] = [
        || failing(ErrorKind::Unavailable),
        || failing(ErrorKind::TimedOut),
        || failing(ErrorKind::Malformed),
        || failing(ErrorKind::Throttled),
        || failing(ErrorKind::SignInNeeded),
        || failing(ErrorKind::Unauthorized),
        || failing(ErrorKind::Configuration),
    ];
    for kind in kinds {
        let job = Scripted::new(&[kind]);
        let (end, took) = run(&job).await;
        assert!(matches!(end, Err(HandBack)), "{end:?}");
        assert!(job.attempts.into_inner() > 10);
        assert!(
            took > Duration::from_secs(200) && took <= Duration::from_secs(240),
            "{took:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_recovery_ends_the_waiting() {
    let down = || failing(ErrorKind::TimedOut);
    let job = Scripted::new(&[down, down, down, || Ok(Outcome::Delivered)]);
    let (end, _) = run(&job).await;
    assert!(matches!(end, Ok(End::Done(Outcome::Delivered))), "{end:?}");
    assert_eq!(job.attempts.into_inner(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_yet_is_waited_for_and_then_given_up() {
    let job = Scripted::new(&[|| {
        let rejection = Rejection::new("thread_unknown", "", ReasonCode::InvalidDestination);
        Err(Failure::NotYet(Box::new(rejection)))
    }]);
    let (end, took) = run(&job).await;
    assert!(matches!(end, Ok(End::GivenUp(rejection, _)) if rejection.kind == "thread_unknown"));
    assert!(took >= Duration::from_secs(60) && took < Duration::from_secs(70));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_tried_again_and_ends_like_any_other_failure() {
    let once = Scripted::new(&[|| panic!("on purpose"), || Ok(Outcome::Delivered)]);
    assert!(matches!(run(&once).await.0, Ok(End::Done(_))));
    let always = Scripted::new(&[|| panic!("on purpose")]);
    let (end, took) = run(&always).await;
    assert!(matches!(end, Ok(End::GivenUp(rejection, 3)) if rejection.kind == "panicked"));
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_would_soon_expire_is_given_up() {
    let app = app(&[]);
    let mut delivery = delivery(&app);
    delivery.trigger.enqueued_at = Some(OffsetDateTime::now_utc() - EXPIRES_AFTER);
    let ends: [Ending; 2] = [|| failing(ErrorKind::Throttled), || Err(Failure::OutOfTime)];
    for end in ends {
        let job = Scripted::new(&[end]);
        let end = keep_trying(&app, &delivery, &job).await;
        assert!(
            matches!(&end, Ok(End::GivenUp(rejection, 1)) if rejection.kind == "expired"),
            "{end:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_file_waits_while_nobody_can_say_that_all_else_is_well() {
    let job = Scripted::new(&[|| {
        Err(Failure::OfFile {
            file: Digest::of("file", "1"),
            error: ServiceError::new(Service::Graph, ErrorKind::Unavailable, Sent::Maybe),
        })
    }]);
    let (end, _) = run(&job).await;
    assert!(matches!(end, Err(HandBack)), "{end:?}");
}
