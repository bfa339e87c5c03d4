//! `outbound-genesys`: Genesys' webhook with what the agent writes. Verify the raw bytes, enqueue, answer.
//!
//! Rules: Genesys Developer Center, Open Messaging, "validate" (signature) and "outboundMessages". Genesys wants an answer
//! within 10 s and repeats 429, 5xx and time-outs up to five times, 5 s apart; another 4xx is final.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bridge::genesys::signature;
use bridge::genesys::webhook::{Kind, Webhook};
use bridge::ids::CorrelationId;
use bridge::queue::envelope::{AgentEnvelope, Content, Envelope};
use http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use services::secrets::{Accepts, names};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use tracing::Instrument;

use crate::app::App;
use crate::counters::count;

use crate::log::milliseconds;
use crate::queue::delivery::invocation_id;
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
                let correlation = correlation.map(|id| id.to_string());
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
    Enqueued(Option<CorrelationId>),
    Ignored(&'static str),
}

async fn take(app: &App, request: Request) -> Result<Taken, Refusal> {
    let (head, body) = request.into_parts();
    let body = read_json_body(&head.headers, body, BODY_LIMIT).await?;
    verify(app, &head.headers, &body).await?;
    let now = OffsetDateTime::now_utc();
    // A call that Genesys signed is never refused: what cannot be read is taken, and ends in `failed`.
    let kind = Webhook::parse(&body, now).map_or(Kind::Message, |webhook| webhook.kind);
    let envelope = Envelope::new(now, Content::AgentMessage(AgentEnvelope::of(&body)));
    match kind {
        Kind::Message => forward(app, envelope).await,
        Kind::Typing { .. } => Ok(typing(app, envelope).await),
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
    let fits = |secret: &SecretString| {
        signature::verify(body, presented, std::slice::from_ref(secret)).then_some(())
    };
    match app
        .secrets
        .accepts(names::GENESYS_WEBHOOK, Instant::now(), fits)
        .await
    {
        Accepts::Yes(()) => Ok(()),
        Accepts::No => Err(UNSIGNED),
        Accepts::CannotTell => Err(Refusal::unavailable(
            "secrets are not at hand, please retry",
        )),
    }
}

async fn forward(app: &App, envelope: Envelope) -> Result<Taken, Refusal> {
    let mut journeys = app.queues.enqueue(&[envelope]).await.map_err(|error| {
        let service = error.service.to_string();
        tracing::warn!(
            event = "enqueue_failed",
            service,
            kind = error.kind.label(),
            status = error.status
        );
        Refusal::unavailable("the queue did not take it, please retry")
    })?;
    Ok(Taken::Enqueued(journeys.pop()))
}

/// Typing is worth a try and no retry: whatever happens, Genesys hears that all is well.
async fn typing(app: &App, envelope: Envelope) -> Taken {
    match app.queues.enqueue(&[envelope]).await {
        Ok(mut journeys) => Taken::Enqueued(journeys.pop()),
        Err(_) => Taken::Ignored("typing that the queue did not take"),
    }
}
