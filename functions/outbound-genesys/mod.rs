//! `outbound-genesys`: Genesys' webhook with what the agent writes. Verify the raw bytes, enqueue, answer.
//!
//! Genesys gives up on a call after 85 s. So an agent's message that the queue does not take is kept in Blob, where
//! `spool-forwarding` finds it, and only a message that neither takes is left to Genesys' repetition.
//!
//! Rules: Genesys Developer Center, Open Messaging, "validate" (signature) and "outboundMessages". Genesys wants an answer
//! within 10 s and repeats 429, 5xx and time-outs up to five times, 5 s apart; another 4xx is final, and makes the whole
//! conversation fail. So a call that Genesys signed never gets one: what cannot be read or is too old is taken as well, and
//! `deliver-to-teams` tells the agent.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use bridge::genesys::webhook::{Kind, Webhook, names_integration};
use bridge::ids::ThreadId;
use bridge::queue::envelope::{AgentEnvelope, Content, Envelope};
use http::{HeaderMap, StatusCode};
use time::OffsetDateTime;

use crate::app::App;
use crate::queue::spool;
use crate::webhook::refusal::Refusal;
use crate::webhook::verified::signed;
use crate::webhook::{Function, Taken, accept_or_spool, accept_typing, run};

/// Name of the function.
pub const NAME: &str = "outbound-genesys";

/// Path at which the host calls it.
pub const PATH: &str = "/api/genesys/webhook";

const FUNCTION: Function = Function {
    name: NAME,
    // Well below Genesys' 10 s.
    deadline: Duration::from_secs(8),
    // Twice Genesys' own request limit.
    body_limit: 1024 * 1024,
    thanks: StatusCode::OK,
    tally: |counters| [&counters.webhooks_enqueued, &counters.webhooks_dropped],
};

/// Takes one webhook call.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    spool::watch(&app);
    let work = |headers, body| take(&app, headers, body);
    run(&app, &FUNCTION, request, work).await
}

async fn take(app: &App, headers: HeaderMap, body: Bytes) -> Result<Taken, Refusal> {
    let called = body.clone();
    let body = signed(&app.secrets, &headers, body)
        .await
        .inspect_err(|refusal| {
            let integration = &app.settings.genesys_integration_id;
            if refusal.status == StatusCode::UNAUTHORIZED && names_integration(&called, integration)
            {
                tracing::error!(event = "webhook_secret_wrong");
            }
        })?;
    let now = OffsetDateTime::now_utc();
    let webhook = Webhook::parse(body.get(), now);
    let kind = webhook
        .as_ref()
        .map_or(Kind::Message, |webhook| webhook.kind);
    let thread = webhook.ok().and_then(|it| it.to.parse::<ThreadId>().ok());
    let thread = thread.filter(|thread| app.settings.is_bot(&thread.account));
    let mut taken = Taken::default();
    let envelope =
        body.map(|body| Envelope::new(now, Content::AgentMessage(AgentEnvelope::of(&body))));
    match kind {
        Kind::Message => taken.enqueued = accept_or_spool(app, envelope).await?,
        // Whatever happens, Genesys hears that all is well.
        Kind::Typing => match thread {
            Some(thread) => taken = accept_typing(app, thread.digest(), envelope).await,
            // A Support User cannot be shown typing: Graph has nothing of the kind.
            None => taken.drop_quietly("typing that cannot be shown"),
        },
        Kind::Receipt => taken.drop("receipt"),
        Kind::Other => taken.drop("unknown type"),
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
