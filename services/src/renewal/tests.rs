use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;
use tokio::time::{advance, timeout};

use super::*;

const RENEW: Duration = Duration::from_secs(60);
const LIFE: Duration = Duration::from_secs(100);

/// Counts what is fetched; each value is the number of its fetch.
#[derive(Clone, Default)]
struct Source {
    fetches: Arc<AtomicUsize>,
    failure: Arc<Mutex<Option<ErrorKind>>>,
    gate: Option<Arc<Notify>>,
}

impl Source {
    fn fails_with(&self, kind: ErrorKind) {
        *self.failure.lock().expect("a lock") = Some(kind);
    }

    fn recovers(&self) {
        *self.failure.lock().expect("a lock") = None;
    }

    fn count(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }

    async fn fetch(self) -> Result<Lease<usize>> {
        let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        match *self.failure.lock().expect("a lock") {
            Some(kind) => Err(ServiceError::new(Service::Entra, kind, Sent::No)),
            None => Ok(Lease {
                value: number,
                renew_after: RENEW,
                expires_after: LIFE,
            }),
        }
    }
}

/// Something to renew, and where it comes from.
fn scene(source: Source) -> (Renewal<usize>, Source) {
    let fetched = source.clone();
    let renewal = Renewal::new(Service::Entra, move || fetched.clone().fetch());
    (renewal, source)
}

/// The same, with a gate that lets each fetch end.
fn gated() -> (Renewal<usize>, Source, Arc<Notify>) {
    let gate = Arc::new(Notify::new());
    let (renewal, source) = scene(Source {
        gate: Some(Arc::clone(&gate)),
        ..Source::default()
    });
    (renewal, source, gate)
}

async fn get(renewal: &Renewal<usize>) -> Result<usize, ErrorKind> {
    renewal.get().await.map_err(|error| error.kind)
}

/// Lets a renewal in the background end.
async fn settled(renewal: &Renewal<usize>) {
    let flight = renewal.lock().running();
    if let Some(flight) = flight {
        let _ = flight.landing.await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_fetch_serves_all_who_wait() {
    let (renewal, source, gate) = gated();
    let waiting = futures::future::join_all((0..50).map(|_| get(&renewal)));
    let (values, ()) = tokio::join!(waiting, async { gate.notify_one() });
    assert!(values.iter().all(|value| *value == Ok(1)));
    assert_eq!(source.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_renewed_in_the_background_before_it_ends() {
    let (renewal, source) = scene(Source::default());
    assert_eq!(get(&renewal).await, Ok(1));
    advance(RENEW - Duration::from_secs(1)).await;
    assert_eq!(get(&renewal).await, Ok(1));
    assert_eq!(source.count(), 1);
    advance(Duration::from_secs(1)).await;
    // Nobody waits for the renewal.
    assert_eq!(get(&renewal).await, Ok(1));
    settled(&renewal).await;
    assert_eq!(get(&renewal).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_early_renewal_costs_nothing_until_the_end() {
    let (renewal, source) = scene(Source::default());
    assert_eq!(get(&renewal).await, Ok(1));
    source.fails_with(ErrorKind::Unavailable);
    advance(RENEW).await;
    assert_eq!(get(&renewal).await, Ok(1));
    settled(&renewal).await;
    for _ in 0..5 {
        assert_eq!(get(&renewal).await, Ok(1));
    }
    assert_eq!(source.count(), 2, "not again for 30 s");
    advance(EARLY_RETRY).await;
    assert_eq!(get(&renewal).await, Ok(1));
    settled(&renewal).await;
    assert_eq!(source.count(), 3);
    advance(LIFE).await;
    assert_eq!(get(&renewal).await, Err(ErrorKind::Unavailable));
    source.recovers();
    // A passing failure is not remembered.
    assert_eq!(get(&renewal).await, Ok(5));
}

#[tokio::test(start_paused = true)]
async fn a_lasting_failure_is_shared_for_a_while() {
    let (renewal, source) = scene(Source::default());
    source.fails_with(ErrorKind::SignInNeeded);
    for _ in 0..3 {
        assert_eq!(get(&renewal).await, Err(ErrorKind::SignInNeeded));
    }
    assert_eq!(source.count(), 1);
    source.recovers();
    advance(LASTING_FAILURE).await;
    assert_eq!(get(&renewal).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_stops_nothing() {
    let (renewal, _, gate) = gated();
    let given_up = timeout(Duration::from_millis(10), get(&renewal));
    given_up.await.expect_err("no answer yet");
    gate.notify_one();
    settled(&renewal).await;
    assert_eq!(renewal.peek(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_a_minute() {
    let source = Source::default();
    let fetched = source.clone();
    let tokens = Renewal::new(Service::Entra, move || {
        let fetched = fetched.clone().fetch();
        async {
            let token = SecretString::from(fetched.await?.value.to_string());
            Ok(Lease::of_token(token, Duration::from_secs(3600)))
        }
    });
    let shown = |token: Option<SecretString>| token.map(|it| it.expose_secret().to_owned());
    let first = tokens.get().await.expect("a token");
    let second = Duration::from_secs(1);
    advance(second).await;
    let newer = tokens.replacement(&first).await;
    assert_eq!(shown(newer.expect("an answer")).as_deref(), Some("2"));
    // Whoever was refused with the old one at the same time gets the new one.
    let newer = tokens.replacement(&first).await;
    let newer = newer.expect("an answer").expect("the new one");
    assert_eq!(source.count(), 2);

    advance(second).await;
    let none = tokens.replacement(&newer).await;
    assert_eq!(shown(none.expect("an answer")), None);
    assert_eq!(source.count(), 2);

    advance(REPLACED_EVERY).await;
    source.fails_with(ErrorKind::SignInNeeded);
    let failed = tokens.replacement(&newer).await;
    assert_eq!(failed.expect_err("no token").kind, ErrorKind::SignInNeeded);
    let next = tokens.get().await.expect_err("the refused is gone");
    assert_eq!((next.kind, source.count()), (ErrorKind::SignInNeeded, 3));
}

#[tokio::test(start_paused = true)]
async fn forcing_is_limited() {
    let (renewal, source) = scene(Source::default());
    let interval = Duration::from_secs(10);
    let second = Duration::from_secs(1);
    let force = || renewal.force(Instant::now(), interval, second);
    assert_eq!(get(&renewal).await, Ok(1));
    assert_eq!(force().await.ok(), Some(Forced::Fresh(1)), "fetched for it");
    advance(second).await;
    assert_eq!(force().await.ok(), Some(Forced::Fresh(2)));
    advance(second).await;
    assert_eq!(force().await.ok(), Some(Forced::Recent(2)));
    advance(interval).await;
    source.fails_with(ErrorKind::Unavailable);
    for _ in 0..2 {
        assert!(force().await.is_err(), "an unknown is no answer");
    }
    assert_eq!(source.count(), 3);
    source.recovers();
    advance(Duration::from_secs(1)).await;
    assert_eq!(force().await.ok(), Some(Forced::Fresh(4)));
}

#[tokio::test(start_paused = true)]
async fn what_began_before_the_question_is_no_answer_to_it() {
    let (renewal, _, gate) = gated();
    let interval = Duration::from_secs(10);
    let force = || renewal.force(Instant::now(), interval, interval);
    let mut first = std::pin::pin!(force());
    assert!(futures::poll!(first.as_mut()).is_pending());
    advance(Duration::from_secs(1)).await;
    let second = force();
    gate.notify_one();
    let (first, second) = futures::join!(first, second);
    assert_eq!(first.ok(), Some(Forced::Fresh(1)));
    assert_eq!(second.ok(), Some(Forced::Recent(1)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_fetching_is_an_error_for_those_who_wait_only() {
    let source = Source::default();
    let renewal = Renewal::new(Service::Entra, move || {
        let fetched = source.clone().fetch();
        async {
            let lease = fetched.await?;
            assert!(lease.value > 1, "on purpose");
            Ok(lease)
        }
    });
    let error = renewal.get().await.expect_err("no value");
    assert_eq!(error.to_string(), "entra: unavailable");
    assert_eq!(get(&renewal).await, Ok(2));
}
