//! `conversation-ended`: Genesys' workflow tells that a conversation is over, or that another agent goes on with it, which the webhook
//! of Open Messaging never does. The call comes with the function's key, which the host checks, and with a secret of its own, since
//! a data action of Genesys cannot sign what it sends.
//!
//! Rules: Genesys Cloud Resource Center, "Overview of triggers"; the events `v2.detail.events.conversation.{id}.customer.end` and
//! `.user.end` of the Platform SDK. The workflow calls again what was not answered with 2xx.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bridge::genesys::ended::Told;
use bridge::queue::envelope::{Content, Envelope};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use time::OffsetDateTime;

use crate::app::App;
use crate::webhook::refusal::Refusal;
use crate::webhook::verified::of_the_workflow;
use crate::webhook::{Function, Taken, accept, run};

/// Name of the function.
pub const NAME: &str = "conversation-ended";

/// Path at which the host calls it.
pub const PATH: &str = "/api/genesys/conversation-ended";

const FUNCTION: Function = Function {
    name: NAME,
    // Below the workflow's own 10 s.
    deadline: Duration::from_secs(8),
    body_limit: 16 * 1024,
    thanks: StatusCode::OK,
    tally: |counters| [&counters.webhooks_enqueued, &counters.webhooks_dropped],
};

/// Takes one call. A data action reads its answer as JSON.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    let work = |headers, body| take(&app, headers, body);
    let response = run(&app, &FUNCTION, request, work).await;
    match response.status() {
        StatusCode::OK => Json(json!({})).into_response(),
        _ => response,
    }
}

async fn take(app: &App, headers: HeaderMap, body: Bytes) -> Result<Taken, Refusal> {
    let body = of_the_workflow(&app.secrets, &headers, body)
        .await
        .inspect_err(|refusal| {
            // The host lets nobody through who does not know the function's key.
            if refusal.status == StatusCode::UNAUTHORIZED {
                tracing::error!(event = "webhook_secret_wrong");
            }
        })?;
    let mut taken = Taken::default();
    match body.split(|body| Told::read(&body).ok_or(())) {
        Ok(told) => {
            let now = OffsetDateTime::now_utc();
            let envelope = told.map(|told| Envelope::new(now, Content::Ended(told.envelope())));
            taken.enqueued = accept(app, vec![envelope]).await?;
        }
        // Genesys tells of every conversation of its integrations.
        Err(_) => taken.drop("no conversation of ours"),
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
