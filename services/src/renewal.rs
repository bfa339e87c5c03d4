//! A value that costs a call and lasts for a while: kept, renewed early in the background, fetched by one caller at a time.
//!
//! A renewal runs as a task of its own, so that a caller who gives up does not undo it for the others, nor stop it between
//! two steps that belong together.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// How long an error that time alone does not mend is given to everybody before it is tried again.
const LASTING_FAILURE: Duration = Duration::from_secs(5);

/// Longest `Retry-After` that is believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Time after a failed early renewal before the next one.
const EARLY_RETRY: Duration = Duration::from_secs(30);

/// A token is renewed in the background when this much of its life is left. `azure_identity` keeps a token until 5 minutes
/// before its end, so an earlier renewal would only be given the old one.
const TOKEN_RENEWED_BEFORE_END: Duration = Duration::from_secs(299);

/// Instances that got their tokens at once renew them over so long: a token endpoint throttles too.
const TOKEN_RENEWALS_SPREAD_OVER: Duration = Duration::from_secs(120);

/// A token is not given out when less than this much of its life is left.
pub(crate) const TOKEN_UNUSED_BEFORE_END: Duration = Duration::from_secs(30);

/// Least time between two tokens that are fetched because one was refused.
const REPLACED_EVERY: Duration = Duration::from_secs(60);

/// A fetched value, with how long it lasts from now on.
pub(crate) struct Lease<V> {
    pub(crate) value: V,
    /// After this it is renewed in the background, while it is still given out.
    pub(crate) renew_after: Duration,
    /// After this it is no longer given out.
    pub(crate) expires_after: Duration,
}

impl<V> Lease<V> {
    /// That of a token with this much of its life left.
    pub(crate) fn of_token(value: V, left: Duration) -> Self {
        let renew_after = left.saturating_sub(TOKEN_RENEWED_BEFORE_END);
        // Each hasher of the standard library has chance in it.
        let chance = RandomState::new().hash_one(()) % 1_000;
        let spread = TOKEN_RENEWALS_SPREAD_OVER.min(left / 10);
        let spread = spread * u32::try_from(chance).unwrap_or_default() / 1_000;
        Self {
            value,
            renew_after: renew_after.max(left / 2) + spread,
            expires_after: left.saturating_sub(TOKEN_UNUSED_BEFORE_END),
        }
    }
}

/// What a forced renewal found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forced<V> {
    /// Fetched after the caller's question arose: it is the answer.
    Fresh(V),
    /// Fetched before that, too recently to do it again: it may have changed since.
    Recent(V),
}

impl<V> Forced<V> {
    pub(crate) fn into_value(self) -> V {
        match self {
            Self::Fresh(value) | Self::Recent(value) => value,
        }
    }
}

type Landing<V> = Shared<BoxFuture<'static, Result<V>>>;

/// A fetch under way, and when it began.
#[derive(Clone)]
struct Flight<V> {
    begun: Instant,
    landing: Landing<V>,
}

type Fetched<V> = BoxFuture<'static, Result<Lease<V>>>;

/// A value and how it is fetched; cheap to clone.
#[derive(Clone)]
pub(crate) struct Renewal<V> {
    service: Service,
    fetch: Arc<dyn Fn() -> Fetched<V> + Send + Sync>,
    state: Arc<Mutex<State<V>>>,
}

struct State<V> {
    current: Option<Current<V>>,
    flight: Option<Flight<V>>,
    failure: Option<(Instant, ServiceError)>,
    early_not_before: Option<Instant>,
    forced: Option<(Instant, Option<ServiceError>)>,
}

struct Current<V> {
    value: V,
    /// When its fetch began: what changed before that is in it.
    begun: Instant,
    renew: Instant,
    expires: Instant,
}

impl<V> fmt::Debug for Renewal<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").finish_non_exhaustive()
    }
}

impl<V: Clone + Send + Sync + 'static> Renewal<V> {
    /// Nothing is fetched yet. `service` is named when a renewal ends without an answer.
    pub(crate) fn new<F>(service: Service, fetch: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Lease<V>>> + Send + 'static,
    {
        Self {
            service,
            fetch: Arc::new(move || fetch().boxed()),
            state: Arc::new(Mutex::new(State {
                current: None,
                flight: None,
                failure: None,
                early_not_before: None,
                forced: None,
            })),
        }
    }

    /// The value, fetched when there is none or it has expired.
    pub(crate) async fn get(&self) -> Result<V> {
        let flight = {
            let mut state = self.lock();
            let now = Instant::now();
            if let Some(current) = state.valid(now) {
                let value = current.value.clone();
                if now >= current.renew && state.early_not_before.is_none_or(|at| now >= at) {
                    // The task runs whether or not anybody waits for it.
                    drop(self.flight(&mut state));
                }
                return Ok(value);
            }
            if let Some((until, error)) = &state.failure
                && now < *until
            {
                return Err(error.clone());
            }
            self.flight(&mut state)
        };
        flight.landing.await
    }

    /// Fetches the value for a question that arose at `since`, unless one at hand is newer, or a forced fetch ended less than
    /// `interval` (or failed less than `after_failure`) ago.
    pub(crate) async fn force(
        &self,
        since: Instant,
        interval: Duration,
        after_failure: Duration,
    ) -> Result<Forced<V>> {
        let flight = {
            let mut state = self.lock();
            let now = Instant::now();
            if let Some(current) = state.current.as_ref().filter(|it| it.begun >= since) {
                return Ok(Forced::Fresh(current.value.clone()));
            }
            match &state.forced {
                Some((at, Some(error))) if now < *at + after_failure => return Err(error.clone()),
                Some((at, None)) if now < *at + interval => {
                    if let Some(current) = &state.current {
                        return Ok(Forced::Recent(current.value.clone()));
                    }
                }
                _ => {}
            }
            self.flight(&mut state)
        };
        let result = flight.landing.await;
        self.lock().forced = Some((Instant::now(), result.as_ref().err().cloned()));
        result.map(if flight.begun >= since {
            Forced::Fresh
        } else {
            Forced::Recent
        })
    }

    /// The value if it is at hand, without any call.
    pub(crate) fn peek(&self) -> Option<V> {
        let state = self.lock();
        let current = state.valid(Instant::now());
        current.map(|current| current.value.clone())
    }

    /// The fetch that is under way, or else one that begins now.
    fn flight(&self, state: &mut State<V>) -> Flight<V> {
        if let Some(flight) = state.running() {
            return flight;
        }
        let (service, shared, begun) = (self.service, self.clone(), Instant::now());
        let fetch = (self.fetch)();
        let task = tokio::spawn(async move { shared.land(begun, fetch.await) });
        let landing = async move {
            match task.await {
                Ok(result) => result,
                // The task panicked, or the runtime is shutting down.
                Err(error) => {
                    let away = ServiceError::new(service, ErrorKind::Unavailable, Sent::Maybe);
                    Err(away.because(error))
                }
            }
        }
        .boxed()
        .shared();
        let flight = Flight { begun, landing };
        state.flight = Some(flight.clone());
        flight
    }

    fn land(&self, begun: Instant, result: Result<Lease<V>>) -> Result<V> {
        let mut state = self.lock();
        let now = Instant::now();
        state.flight = None;
        match result {
            Ok(lease) => {
                state.failure = None;
                state.early_not_before = None;
                state.current = Some(Current {
                    value: lease.value.clone(),
                    begun,
                    renew: now + lease.renew_after,
                    expires: now + lease.expires_after,
                });
                Ok(lease.value)
            }
            Err(error) => {
                state.early_not_before = Some(now + EARLY_RETRY);
                let pause = match error.retry_after {
                    Some(wish) => wish.min(LONGEST_RETRY_AFTER),
                    None if error.is_transient() => Duration::ZERO,
                    None => LASTING_FAILURE,
                };
                state.failure = (!pause.is_zero()).then(|| (now + pause, error.clone()));
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Renewal<SecretString> {
    /// Calls a service with the token; where that refuses it, once more with a newer one.
    pub(crate) async fn call<T, F>(
        &self,
        service: Service,
        send: impl Fn(SecretString) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let token = self.get().await?;
        match send(token.clone()).await {
            Err(error) if error.is_refused_token(service) => {
                match self.replacement(&token).await? {
                    Some(newer) => send(newer).await,
                    None => Err(error),
                }
            }
            result => result,
        }
    }

    /// Another token than the one that was refused; `None` while there is none, because one was fetched for such a reason less
    /// than a minute ago: what is refused all the same is not the token's fault.
    pub(crate) async fn replacement(&self, refused: &SecretString) -> Result<Option<SecretString>> {
        let is_other = |token: &SecretString| token.expose_secret() != refused.expose_secret();
        if let Some(newer) = self.peek().filter(is_other) {
            return Ok(Some(newer));
        }
        let now = Instant::now();
        match self.force(now, REPLACED_EVERY, LASTING_FAILURE).await {
            Ok(forced) => Ok(Some(forced.into_value()).filter(is_other)),
            Err(error) => {
                // The next call is to hear of this instead of trying the refused one.
                let mut state = self.lock();
                state.current = state.current.take().filter(|it| is_other(&it.value));
                Err(error)
            }
        }
    }
}

impl<V: Clone> State<V> {
    fn running(&self) -> Option<Flight<V>> {
        let flight = self.flight.clone();
        flight.filter(|flight| flight.landing.peek().is_none())
    }

    fn valid(&self, now: Instant) -> Option<&Current<V>> {
        self.current.as_ref().filter(|it| now < it.expires)
    }
}

#[cfg(test)]
mod tests;
