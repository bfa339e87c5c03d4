//! What every timer function shares: the host's payload in, one run at a time in the whole installation, one JSON answer out.
//!
//! A failure is only told: the host goes on by the schedule, and calls again when that says so (azure-webjobs-sdk-extensions,
//! `TimerListener`). So the work of a timer must be such that the next run takes up what this one left undone.

mod alone;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bridge::timer::Tick;
use http::StatusCode;
use tokio::time::Instant;
use tracing::Instrument;

pub use self::alone::{Turn, alone};
use crate::app::App;
use crate::failure::Failure;
use crate::log::milliseconds;
use crate::queue::delivery::{answer, invocation_id};

/// Name of the timer binding in every `function.json`.
const BINDING: &str = "timer";

/// Largest payload of a timer function; it has some 400 bytes.
const PAYLOAD_LIMIT: usize = 64 * 1024;

/// Runs one timer function: decodes the payload, opens the span, works alone until a deadline, and tells how it went.
pub async fn run<F>(
    app: &App,
    function: &'static str,
    request: Request,
    work: impl FnOnce(Instant) -> F,
) -> Response
where
    F: Future<Output = Result<(), Failure>>,
{
    let started = Instant::now();
    let span = tracing::info_span!(
        "invocation",
        function,
        invocation = invocation_id(request.headers()),
        past_due = tracing::field::Empty
    );
    async {
        let Some(tick) = read(request.into_body()).await else {
            return answer(StatusCode::INTERNAL_SERVER_ERROR);
        };
        tracing::Span::current().record("past_due", tick.is_past_due);
        let turn = alone(app, function, work).await;
        let elapsed_ms = milliseconds(started.elapsed());
        match turn {
            Ok(Turn::Done(())) => {
                tracing::info!(event = "timer_done", outcome = "done", elapsed_ms);
                answer(StatusCode::OK)
            }
            Ok(Turn::Busy) => {
                tracing::info!(event = "timer_done", outcome = "busy", elapsed_ms);
                answer(StatusCode::OK)
            }
            Err(failure) => {
                let reason = failure.label();
                tracing::error!(event = "timer_failed", reason, elapsed_ms);
                answer(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
    .instrument(span)
    .await
}

async fn read(body: Body) -> Option<Tick> {
    let payload = axum::body::to_bytes(body, PAYLOAD_LIMIT).await;
    let payload = payload.inspect_err(|_| {
        tracing::error!(
            event = "payload_unreadable",
            "the host's payload did not arrive"
        );
    });
    let tick = Tick::parse(&payload.ok()?, BINDING);
    tick.inspect_err(|error| {
        tracing::error!(event = "payload_malformed", %error, "the host's payload cannot be read");
    })
    .ok()
}

#[cfg(test)]
mod tests;
