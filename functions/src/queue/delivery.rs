//! One queue message as the Functions host hands it over, and the answer that completes it or gives it back.
//!
//! The rules are the custom handler contract of azure-functions-host (`DefaultHttpWorkerService`): a 2xx with a JSON object
//! completes the message, an empty 2xx would hang until functionTimeout, anything else abandons the message, which Service Bus
//! redelivers at once.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bridge::ids::{CorrelationId, Digest, Lane};
use bridge::queue::failed::Direction;
use bridge::queue::trigger::Trigger;
use futures::FutureExt;
use http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;

use crate::app::App;
use crate::counters::count;
use crate::log::milliseconds;
use crate::outside::Caller;

/// Header in which the host names the invocation (mode C and non-HTTP triggers alike).
const INVOCATION_HEADER: &str = "x-azure-functions-invocationid";

/// Name of the Service Bus binding in every `function.json`.
const BINDING: &str = "message";

/// Largest payload of a queue function: a 256 KB message as base64 with the host's metadata around it, and room to spare.
const PAYLOAD_LIMIT: usize = 2 * 1024 * 1024;

/// Time beyond the attempt deadline after which the whole invocation is handed back, whatever it is doing. The sum stays
/// below functionTimeout, whose expiry would kill every other invocation too.
const GRACE: Duration = Duration::from_secs(120);

/// Age above which also what is routine is told: alerts ask for what waited.
const LATE: Duration = Duration::from_secs(60);

/// One queue message as a function sees it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Body and broker properties.
    pub trigger: Trigger,
    /// Follows the message from webhook to delivery.
    pub correlation: CorrelationId,
    /// Which way it goes.
    pub direction: Direction,
    /// The queue session.
    pub lane: Lane,
    /// When this invocation must have ended.
    pub deadline: Instant,
}

impl Delivery {
    /// Time since the queue accepted the message; none where the host does not tell.
    pub fn age(&self) -> Duration {
        let accepted = self.trigger.enqueued_at;
        accepted
            .and_then(|accepted| Duration::try_from(OffsetDateTime::now_utc() - accepted).ok())
            .unwrap_or_default()
    }

    /// For whom this message makes its calls.
    pub fn caller(&self, subject: Digest) -> Caller {
        Caller {
            subject,
            correlation: self.correlation.clone(),
            deadline: self.deadline,
        }
    }
}

/// How a queue message was settled; each becomes one log line and completes the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It reached the other side.
    Delivered,
    /// Nothing had to be done, and why.
    Skipped(&'static str),
    /// It went as nearly all of its kind do, and nobody would look for it: a receipt, an echo, typing. Counted as delivered, or as
    /// skipped where there is a reason; the log tells of it at level `debug`, or where it came late or not at once.
    Routine(Option<&'static str>),
    /// It lies in `failed`.
    Failed,
}

/// The message goes back to the queue: nothing more can be done in this invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandBack;

/// Runs one queue function: decodes the payload, opens the span, waits out the retry floor when the message is handed back.
pub async fn run<F>(
    app: &App,
    function: &'static str,
    direction: Direction,
    request: Request,
    work: impl FnOnce(Delivery) -> F,
) -> Response
where
    F: Future<Output = Result<Outcome, HandBack>>,
{
    let started = Instant::now();
    let (counters, settings) = (&app.counters, &app.settings);
    let span = tracing::info_span!(
        "invocation",
        function,
        invocation = invocation_id(request.headers()),
        correlation = tracing::field::Empty,
        attempt = tracing::field::Empty,
        lane = tracing::field::Empty,
        age_s = tracing::field::Empty
    );
    async {
        let in_time = AtomicBool::new(false);
        let settled = async {
            let deadline = started + settings.attempt_deadline;
            let delivery = read(request.into_body(), direction, deadline).await?;
            let at_once = delivery.trigger.delivery_count <= 1 && delivery.age() <= LATE;
            in_time.store(at_once, Ordering::Relaxed);
            let span = tracing::Span::current();
            span.record("correlation", delivery.correlation.as_str());
            span.record("attempt", delivery.trigger.delivery_count);
            span.record("lane", delivery.lane.as_str());
            span.record("age_s", delivery.age().as_secs());
            let work = AssertUnwindSafe(work(delivery)).catch_unwind();
            match timeout(settings.attempt_deadline + GRACE, work).await {
                Ok(Ok(settled)) => settled,
                Ok(Err(_)) => {
                    tracing::error!(event = "invocation_panicked", "please report it");
                    Err(HandBack)
                }
                Err(_) => {
                    tracing::error!(event = "invocation_overdue", "the invocation took too long");
                    Err(HandBack)
                }
            }
        }
        .await;
        let (label, reason, counter) = match settled {
            Ok(Outcome::Delivered | Outcome::Routine(None)) => {
                ("delivered", None, &counters.delivered)
            }
            Ok(Outcome::Skipped(reason) | Outcome::Routine(Some(reason))) => {
                ("skipped", Some(reason), &counters.skipped)
            }
            Ok(Outcome::Failed) => ("failed", None, &counters.failed),
            Err(HandBack) => {
                count(&counters.handed_back, 1);
                // Redelivery is immediate: without this wait a failure would spin.
                sleep_until(started + settings.retry_floor).await;
                let elapsed_ms = milliseconds(started.elapsed());
                tracing::warn!(event = "handed_back", outcome = "retry", elapsed_ms);
                return answer(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        count(counter, 1);
        let elapsed_ms = milliseconds(started.elapsed());
        let is_routine = matches!(settled, Ok(Outcome::Routine(_)));
        if is_routine && in_time.load(Ordering::Relaxed) && started.elapsed() <= LATE {
            tracing::debug!(event = "settled", outcome = label, reason, elapsed_ms);
        } else {
            tracing::info!(event = "settled", outcome = label, reason, elapsed_ms);
        }
        answer(StatusCode::OK)
    }
    .instrument(span)
    .await
}

async fn read(body: Body, direction: Direction, deadline: Instant) -> Result<Delivery, HandBack> {
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
    let session = trigger.session_id.as_deref();
    let lane = session.map_or_else(|| Lane::unroutable(""), Lane::from_session_id);
    let correlation = trigger
        .correlation_id
        .as_deref()
        .and_then(|correlation| correlation.parse().ok())
        .unwrap_or_else(|| CorrelationId::of_unknown(&trigger.body));
    Ok(Delivery {
        trigger,
        correlation,
        direction,
        lane,
        deadline,
    })
}

/// The host's invocation id, for log lines only: a caller of an HTTP function cannot be kept from sending one of its own.
pub fn invocation_id(headers: &HeaderMap) -> &str {
    headers
        .get(INVOCATION_HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(|value| value.len() <= 64)
        .unwrap_or("none")
}

/// The answer to a non-HTTP invocation: always JSON, never empty.
pub fn answer(status: StatusCode) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        r#"{"Outputs":{},"Logs":[],"ReturnValue":null}"#,
    )
        .into_response()
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
