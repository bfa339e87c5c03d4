//! `outbound-genesys`: Genesys' webhook with what the agent writes. Verify the raw bytes, enqueue, answer.
//!
//! Rules: Genesys Developer Center, Open Messaging, "validate" (signature) and "outboundMessages". Genesys wants an answer
//! within 10 s and repeats 429, 5xx and time-outs up to five times, 5 s apart; another 4xx is final.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bridge::genesys::signature;
use bridge::genesys::webhook::{Kind, Webhook};
use bridge::ids::{BusMessageId, CorrelationId, Lane, ThreadId};
use bridge::queue::envelope::{Content, Envelope};
use http::{HeaderMap, StatusCode};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::app::{App, WEBHOOK_SECRET};
use crate::counters::count;
use crate::enqueue::{Passage, enqueue};
use crate::invocation::{invocation_id, milliseconds};
use crate::webhook::body::read_json_body;
use crate::webhook::refusal::Refusal;

/// Name of the function.
pub const NAME: &str = "outbound-genesys";

/// Path at which the host calls it.
pub const PATH: &str = "/api/genesys/webhook";

/// Well below Genesys' 10 s.
const DEADLINE: Duration = Duration::from_secs(8);

/// Twice Genesys' own request limit.
const BODY_LIMIT: usize = 1024 * 1024;

/// Retention of the queue's duplicate detection: an older webhook can no longer be told from a replayed one.
const OLDEST: Duration = Duration::from_secs(6 * 3600);

/// A typing indicator is worth nothing after this.
const TYPING_TIME_TO_LIVE: Duration = Duration::from_secs(5);

/// Takes one webhook call.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let started = Instant::now();
    let invocation = invocation_id(request.headers());
    let span = tracing::info_span!("invocation", function = NAME, invocation);
    async {
        let taken = timeout(DEADLINE, take(&app, request))
            .await
            .unwrap_or(Err(Refusal::unavailable("not in time, please retry")));
        let elapsed_ms = milliseconds(started.elapsed());
        match taken {
            Ok(Taken::Enqueued(correlation)) => {
                count(&app.counters.webhooks_enqueued);
                let correlation = correlation.to_string();
                tracing::info!(event = "enqueued", correlation, elapsed_ms);
                StatusCode::OK.into_response()
            }
            Ok(Taken::Ignored(reason)) => {
                count(&app.counters.webhooks_dropped);
                tracing::info!(event = "webhook_ignored", reason, elapsed_ms);
                StatusCode::OK.into_response()
            }
            Err(refusal) => {
                count(match refusal.status {
                    StatusCode::SERVICE_UNAVAILABLE => &app.counters.deferred,
                    _ => &app.counters.webhooks_dropped,
                });
                let status = refusal.status.as_u16();
                tracing::warn!(
                    event = "webhook_refused",
                    status,
                    reason = refusal.reason,
                    elapsed_ms
                );
                refusal.into_response()
            }
        }
    }
    .instrument(span.clone())
    .await
}

enum Taken {
    Enqueued(CorrelationId),
    Ignored(&'static str),
}

async fn take(app: &App, request: Request) -> Result<Taken, Refusal> {
    let (head, body) = request.into_parts();
    let body = read_json_body(&head.headers, body, BODY_LIMIT).await?;
    verify(app, &head.headers, &body).await?;
    let webhook = Webhook::parse(&body)
        .map_err(|_| Refusal::bad_request("the body is no Open Messaging webhook"))?;
    let now = OffsetDateTime::now_utc();
    if webhook.time < now - OLDEST {
        return Err(Refusal::bad_request("channel.time is too old"));
    }
    match webhook.kind {
        Kind::Text | Kind::Structured => forward(app, &webhook, &body, now).await,
        Kind::Typing { .. } => Ok(typing(app, &webhook, &body, now).await),
        Kind::Receipt => Ok(Taken::Ignored("receipt")),
        Kind::Other(_) => Ok(Taken::Ignored("unknown type")),
    }
}

async fn verify(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
    const UNSIGNED: Refusal = Refusal {
        status: StatusCode::UNAUTHORIZED,
        reason: "the signature does not match",
    };
    let presented = headers
        .get("x-hub-signature-256")
        .and_then(|value| value.to_str().ok())
        .ok_or(UNSIGNED)?;
    let pair = app
        .secrets
        .pair(WEBHOOK_SECRET)
        .await
        .map_err(|_| Refusal::unavailable("starting, please retry"))?;
    if pair.present().is_empty() {
        return Err(Refusal::unavailable("starting, please retry"));
    }
    if signature::verify(body, presented, &pair.present()) {
        return Ok(());
    }
    // A rotation must not turn real traffic into forged traffic.
    let pair = app
        .secrets
        .reload(WEBHOOK_SECRET)
        .await
        .map_err(|_| Refusal::unavailable("secrets are not at hand, please retry"))?;
    if signature::verify(body, presented, &pair.present()) {
        Ok(())
    } else {
        Err(UNSIGNED)
    }
}

/// The lane is read off the thread id, without a look at any state; a thread that is not ours still gets a lane, so that its
/// message ends in `failed` with a receipt instead of nowhere.
fn lane_of(app: &App, to: &str) -> Lane {
    to.parse::<ThreadId>()
        .ok()
        .filter(|thread| app.settings.support_account(thread.account()).is_some())
        .map_or_else(
            || Lane::unroutable(to),
            |thread| Lane::outbound_graph(thread.account()),
        )
}

async fn forward(
    app: &App,
    webhook: &Webhook,
    body: &Bytes,
    now: OffsetDateTime,
) -> Result<Taken, Refusal> {
    let correlation = CorrelationId::of_genesys_message(&webhook.id);
    let lane = lane_of(app, &webhook.to);
    let message_id = BusMessageId::agent(&webhook.id);
    let passage = Passage {
        queue: &app.settings.outbound_queue,
        lane: Some(&lane),
        message_id: Some(&message_id),
        correlation: &correlation,
        time_to_live: None,
    };
    enqueue(app, passage, &raw_envelope(body, now)?)
        .await
        .map_err(|error| {
            let service = error.service.to_string();
            tracing::warn!(
                event = "enqueue_failed",
                service,
                kind = error.kind.label(),
                status = error.status
            );
            Refusal::unavailable("the queue did not take it, please retry")
        })?;
    Ok(Taken::Enqueued(correlation))
}

/// Typing is worth a try and no retry: whatever happens, Genesys hears that all is well.
async fn typing(app: &App, webhook: &Webhook, body: &Bytes, now: OffsetDateTime) -> Taken {
    let correlation = CorrelationId::of_genesys_message(&webhook.id);
    let passage = Passage {
        queue: &app.settings.typing_queue,
        lane: None,
        message_id: None,
        correlation: &correlation,
        time_to_live: Some(TYPING_TIME_TO_LIVE),
    };
    let Ok(envelope) = raw_envelope(body, now) else {
        return Taken::Ignored("typing that is not UTF-8");
    };
    match enqueue(app, passage, &envelope).await {
        Ok(()) => Taken::Enqueued(correlation),
        Err(_) => Taken::Ignored("typing that the queue did not take"),
    }
}

fn raw_envelope(body: &Bytes, now: OffsetDateTime) -> Result<Envelope, Refusal> {
    let webhook = String::from_utf8(body.to_vec())
        .map_err(|_| Refusal::bad_request("the body is not UTF-8"))?;
    Ok(Envelope::new(now, Content::AgentMessage { webhook }))
}
