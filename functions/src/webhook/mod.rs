//! One skeleton for the functions that the outside calls: span, deadline, bounded body, refusal, counters and log line.
//!
//! A function says what it makes of a request's body. What it puts on a queue must have been vouched for: only the checks in
//! [`verified`] make a [`Verified`], and [`accept`] takes nothing else, so a function without its check does not compile.

pub mod body;
pub mod refusal;
pub mod verified;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bridge::ids::Digest;
use bridge::queue::envelope::Envelope;
use http::{HeaderMap, StatusCode};
use services::error::ServiceError;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use self::refusal::Refusal;
use self::verified::Verified;
use crate::app::App;
use crate::counters::{Counters, count};
use crate::log::milliseconds;
use crate::queue::delivery::invocation_id;
use crate::queue::enqueue::enqueue;
use crate::queue::spool::{self, Place};

/// What a caller is told while an id is not known yet.
const NOT_SET_UP: &str = "the app is not set up yet";

/// Time that Service Bus has for an agent's message before it goes into the spool: with as much for Blob, and what the check of
/// the signature may take, the webhook is answered within its deadline even when Service Bus hangs.
const QUEUE_TIME: Duration = Duration::from_secs(3);

/// Wait before Service Bus is asked again: most of its failures last no longer.
const SECOND_TRY: Duration = Duration::from_millis(300);

/// What is particular to one function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its sender has its answer within this time.
    pub deadline: Duration,
    /// Largest body, in bytes.
    pub body_limit: usize,
    /// Its answer when all is well.
    pub thanks: StatusCode,
    /// Where it is counted: what was enqueued, and what was dropped.
    pub tally: fn(&Counters) -> [&AtomicU64; 2],
}

/// What became of what a request brought.
#[derive(Debug, Default)]
pub struct Taken {
    /// Envelopes on a queue.
    pub enqueued: u64,
    /// What was passed over, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

impl Taken {
    /// Notes that something was passed over.
    pub fn drop(&mut self, reason: &'static str) {
        *self.dropped.entry(reason).or_default() += 1;
    }
}

/// Answers one request. Only what `take` returns successfully is durable; whatever keeps it from that is a 503, so that the
/// sender repeats the request.
pub async fn run<F>(
    app: &App,
    function: &Function,
    request: Request,
    take: impl FnOnce(HeaderMap, Bytes) -> F,
) -> Response
where
    F: Future<Output = Result<Taken, Refusal>>,
{
    let started = Instant::now();
    let span = tracing::info_span!(
        "invocation",
        function = function.name,
        invocation = invocation_id(request.headers())
    );
    // On the heap, because what a future holds is copied each time that it is handed on.
    let work = Box::pin(async {
        let (head, body) = request.into_parts();
        let (body, _share) =
            body::read(&app.large_bodies, &head.headers, body, function.body_limit).await?;
        if let Some(setting) = app.settings.unset.first() {
            let setting = setting.name;
            tracing::error!(event = "setting_placeholder", setting);
            return Err(Refusal::unavailable(NOT_SET_UP));
        }
        take(head.headers, body).await
    });
    async {
        let taken = timeout(function.deadline, work)
            .await
            .unwrap_or(Err(Refusal::unavailable("not in time, please retry")));
        let elapsed_ms = milliseconds(started.elapsed());
        let [counter_enqueued, counter_dropped] = (function.tally)(&app.counters);
        match taken {
            Ok(Taken { enqueued, dropped }) => {
                let passed_over = dropped.values().sum();
                count(counter_enqueued, enqueued);
                count(counter_dropped, passed_over);
                // The line of a single envelope says it all.
                if (enqueued, passed_over) != (1, 0) {
                    let reasons = reasons(&dropped);
                    let dropped = passed_over;
                    tracing::info!(
                        event = "webhook_taken",
                        enqueued,
                        dropped,
                        reasons,
                        elapsed_ms
                    );
                }
                function.thanks.into_response()
            }
            Err(refusal) => {
                let counter = match refusal.status {
                    StatusCode::SERVICE_UNAVAILABLE => &app.counters.deferred,
                    _ => counter_dropped,
                };
                count(counter, 1);
                let (status, reason) = (refusal.status.as_u16(), refusal.reason);
                tracing::warn!(event = "webhook_refused", status, reason, elapsed_ms);
                refusal.into_response()
            }
        }
    }
    .instrument(span)
    .await
}

/// Puts envelopes of one lane on their queue, in order; the first that is refused stops those behind it, so that the repeated
/// request cannot put an older message behind a newer one.
///
/// # Errors
/// 503 when the queue, or the store for what is too large for it, did not take them all.
pub async fn accept(app: &App, envelopes: Vec<Verified<Envelope>>) -> Result<u64, Refusal> {
    let envelopes: Vec<Envelope> = envelopes.into_iter().map(Verified::into_inner).collect();
    put_on_queue(app, &envelopes).await.map_err(|error| {
        not_taken(&error);
        Refusal::unavailable("the queue did not take it, please retry")
    })
}

/// Puts somebody's typing on its queue, once in a while: worth a try and no repetition.
pub async fn accept_typing(app: &App, who: Digest, envelope: Verified<Envelope>) -> Taken {
    let mut taken = Taken::default();
    if app.typing_taken.contains(&who) {
        taken.drop("typing that was taken a moment ago");
        return taken;
    }
    app.typing_taken.insert(who, ());
    match accept(app, vec![envelope]).await {
        Ok(enqueued) => taken.enqueued = enqueued,
        Err(_) => taken.drop("typing that the queue did not take"),
    }
    taken
}

/// Puts an agent's message on its queue or, where that does not take it or others of its lane wait there already, into the spool.
///
/// # Errors
/// 503 when neither took it.
pub async fn accept_or_spool(app: &App, envelope: Verified<Envelope>) -> Result<u64, Refusal> {
    let envelope = envelope.into_inner();
    let place = Place::of(&envelope);
    let reason = match spool::is_behind(app, &place).await {
        true => "behind others",
        false => match timeout(QUEUE_TIME, put_on_queue_in_two_tries(app, &envelope)).await {
            Ok(Ok(enqueued)) => return Ok(enqueued),
            Ok(Err(error)) => {
                not_taken(&error);
                "the queue did not take it"
            }
            Err(_) => "the queue did not answer",
        },
    };
    spool::keep(app, &place, &envelope).await.map_err(|error| {
        not_taken(&error);
        Refusal::unavailable("neither the queue nor the store took it, please retry")
    })?;
    let correlation = envelope.route(|| [0; 16]).correlation;
    tracing::warn!(
        event = "spooled",
        correlation = correlation.as_str(),
        reason,
        "an agent's message waits in Blob for Service Bus"
    );
    Ok(1)
}

async fn put_on_queue_in_two_tries(app: &App, envelope: &Envelope) -> Result<u64, ServiceError> {
    let envelope = std::slice::from_ref(envelope);
    if let Ok(enqueued) = put_on_queue(app, envelope).await {
        return Ok(enqueued);
    }
    sleep(SECOND_TRY).await;
    put_on_queue(app, envelope).await
}

async fn put_on_queue(app: &App, envelopes: &[Envelope]) -> Result<u64, ServiceError> {
    let journeys = enqueue(app, envelopes).await?;
    for (correlation, envelope) in journeys.iter().zip(envelopes) {
        let (correlation, what) = (correlation.as_str(), envelope.content.label());
        tracing::info!(event = "enqueued", correlation, what);
    }
    Ok(journeys.len() as u64)
}

fn not_taken(error: &ServiceError) {
    let (service, kind) = (error.service.label(), error.kind.label());
    tracing::warn!(
        event = "enqueue_failed",
        service,
        kind,
        status = error.status
    );
}

fn reasons(dropped: &BTreeMap<&'static str, u64>) -> Option<String> {
    let reasons: Vec<String> = dropped
        .iter()
        .map(|(reason, count)| format!("{reason}={count}"))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join(","))
}
