//! What every queue function shares: the host's envelope in, one JSON answer out, one span around the work.
//!
//! The rules are the custom handler contract of azure-functions-host (`DefaultHttpWorkerService`): a 2xx with a JSON object
//! completes the message, an empty 2xx would hang until functionTimeout, anything else abandons the message, which Service Bus
//! redelivers at once.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{CorrelationId, Digest, Lane};
use bridge::queue::trigger::Trigger;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;

use crate::app::App;
use crate::counters::count;
use crate::failed;
use crate::failure::Rejection;

/// Header in which the host names the invocation (mode C and non-HTTP triggers alike).
const INVOCATION_HEADER: &str = "x-azure-functions-invocationid";

/// Name of the Service Bus binding in every `function.json`.
const BINDING: &str = "message";

/// Largest payload of a queue function: a 256 KB message as base64 with the host's metadata around it, and room to spare.
const PAYLOAD_LIMIT: usize = 2 * 1024 * 1024;

/// Time beyond the attempt deadline after which the whole invocation is handed back, whatever it is doing. The sum stays
/// below functionTimeout, whose expiry would kill every other invocation too.
const GRACE: Duration = Duration::from_secs(120);

/// Deliveries after which a message that the handler panics on is put into `failed`.
const PANICS: u32 = 5;

/// One queue message as a function sees it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Body and broker properties.
    pub trigger: Trigger,
    /// Follows the message from webhook to delivery.
    pub correlation: CorrelationId,
    /// The queue session.
    pub lane: Lane,
    /// When this invocation must have ended.
    pub deadline: Instant,
}

impl Delivery {
    /// Time since the queue accepted the message, when the host tells it.
    pub fn age(&self) -> Option<Duration> {
        let accepted = self.trigger.enqueued_at?;
        Duration::try_from(OffsetDateTime::now_utc() - accepted).ok()
    }
}

/// How a queue message was settled; each becomes one log line and completes the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It reached the other side.
    Delivered,
    /// Nothing had to be done, and why.
    Skipped(&'static str),
    /// It lies in `failed`.
    Failed,
}

/// The message goes back to the queue: nothing more can be done in this invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandBack;

/// Runs one queue function: decodes the payload, opens the span, waits out the retry floor when the message is handed back.
pub async fn queue_function<'a>(
    app: &App,
    function: &'static str,
    request: Request,
    work: impl FnOnce(Delivery) -> BoxFuture<'a, Result<Outcome, HandBack>> + Send,
) -> Response {
    let started = Instant::now();
    let invocation = invocation_id(request.headers());
    let span = tracing::info_span!(
        "invocation",
        function,
        invocation,
        correlation = tracing::field::Empty,
        attempt = tracing::field::Empty,
        lane = tracing::field::Empty,
        age_s = tracing::field::Empty
    );
    let settled = async {
        let delivery = read(app, request.into_body(), started).await?;
        let span = tracing::Span::current();
        span.record("correlation", delivery.correlation.to_string());
        span.record("attempt", delivery.trigger.delivery_count);
        span.record("lane", delivery.lane.as_str());
        span.record("age_s", delivery.age().map(|age| age.as_secs()));
        let kept = delivery.clone();
        let work = AssertUnwindSafe(work(delivery)).catch_unwind();
        match timeout(app.settings.attempt_deadline + GRACE, work).await {
            Ok(Ok(settled)) => settled,
            Ok(Err(_)) => after_panic(app, &kept, function).await,
            Err(_) => {
                tracing::error!(event = "invocation_overdue", "the invocation took too long");
                Err(HandBack)
            }
        }
        .inspect(|outcome| {
            let (label, reason) = match outcome {
                Outcome::Delivered => ("delivered", None),
                Outcome::Skipped(reason) => ("skipped", Some(*reason)),
                Outcome::Failed => ("failed", None),
            };
            let elapsed_ms = milliseconds(started.elapsed());
            count(match outcome {
                Outcome::Delivered => &app.counters.delivered,
                Outcome::Skipped(_) => &app.counters.skipped,
                Outcome::Failed => &app.counters.failed,
            });
            tracing::info!(event = "settled", outcome = label, reason, elapsed_ms);
        })
    }
    .instrument(span.clone())
    .await;
    match settled {
        Ok(_) => answer(StatusCode::OK),
        Err(HandBack) => {
            count(&app.counters.handed_back);
            // Redelivery is immediate: without this wait a failure would spin.
            sleep_until(started + app.settings.retry_floor).await;
            let elapsed_ms = milliseconds(started.elapsed());
            span.in_scope(|| {
                tracing::warn!(event = "handed_back", outcome = "retry", elapsed_ms);
            });
            answer(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// A panic waits like any other failure, since redelivery is immediate; one that repeats must not hold its lane for ever.
async fn after_panic(
    app: &App,
    delivery: &Delivery,
    function: &'static str,
) -> Result<Outcome, HandBack> {
    if delivery.trigger.delivery_count < PANICS {
        return Err(HandBack);
    }
    let rejection = Rejection::new(
        "panicked",
        "the handler panicked on this message each time: please report it with the log lines of its correlation",
        ReasonCode::GeneralError,
    );
    let subject = Digest::of("lane", delivery.lane.as_str());
    let body = &delivery.trigger.body;
    failed::store(app, delivery, function, &subject, body, &rejection, 0)
        .await
        .map_err(|error| failed::report_not_stored(&error))?;
    Ok(Outcome::Failed)
}

async fn read(app: &App, body: Body, started: Instant) -> Result<Delivery, HandBack> {
    let payload = axum::body::to_bytes(body, PAYLOAD_LIMIT)
        .await
        .map_err(|_| {
            tracing::error!(
                event = "payload_unreadable",
                "the host's payload did not arrive"
            );
            HandBack
        })?;
    let trigger = Trigger::parse(&payload, BINDING).map_err(|error| {
        tracing::error!(event = "payload_malformed", %error, "the host's payload cannot be read");
        HandBack
    })?;
    let lane = trigger
        .session_id
        .as_deref()
        .map_or_else(|| Lane::unroutable(""), Lane::from_session_id);
    let correlation = trigger
        .correlation_id
        .as_deref()
        .and_then(|correlation| correlation.parse().ok())
        .unwrap_or_else(|| CorrelationId::of_unknown(&trigger.body));
    Ok(Delivery {
        trigger,
        correlation,
        lane,
        deadline: started + app.settings.attempt_deadline,
    })
}

/// The host's invocation id, for log lines only: a caller of an HTTP function cannot be kept from sending one of its own.
pub fn invocation_id(headers: &HeaderMap) -> String {
    headers
        .get(INVOCATION_HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|value| value.len() <= 64)
        .unwrap_or("none")
        .to_owned()
}

/// Milliseconds of a duration for a log field.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The answer to a non-HTTP invocation: always JSON, never empty.
fn answer(status: StatusCode) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        r#"{"Outputs":{},"Logs":[],"ReturnValue":null}"#,
    )
        .into_response()
}

#[cfg(test)]
mod tests;
