//! `inbound-graph`: Graph's change notifications. Verify, enqueue, answer; the work comes later.
//!
//! Rules: Microsoft Learn, "Receive change notifications through webhooks" and "Set up Microsoft Graph change notifications
//! with resource data". Graph wants an answer within 3 s and repeats what was answered with 5xx for 4 h.

mod batch;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bridge::teams::notification::Collection;
use futures::{StreamExt, TryStreamExt, stream};
use http::{StatusCode, header};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::webhook::refusal::Refusal;
use crate::webhook::{Function, Taken, accept, run};

/// Name of the function.
pub const NAME: &str = "inbound-graph";

/// Path at which the host calls it.
pub const PATH: &str = "/api/graph/notifications";

/// What Graph sends to this function and to `lifecycle-graph`.
pub(crate) const FUNCTION: Function = Function {
    name: NAME,
    // Half a second below Graph's own limit, for the way there and back.
    deadline: Duration::from_millis(2500),
    // Larger than any batch seen; Graph documents no limit.
    body_limit: 4 * 1024 * 1024,
    thanks: StatusCode::ACCEPTED,
    tally: |counters| {
        [
            &counters.notifications_enqueued,
            &counters.notifications_dropped,
        ]
    },
};

/// A body above this many bytes is read on a thread of its own, one after another, so that nobody else waits for it.
const QUICKLY_READ: usize = 64 * 1024;
static READER: Semaphore = Semaphore::const_new(1);

/// Longest validation token that is echoed.
const TOKEN_LIMIT: usize = 8 * 1024;

/// Chats of one batch, and of all large batches, whose items are enqueued at the same time: each needs a connection.
const PARALLEL_CHATS: usize = 32;
static SENDERS: Semaphore = Semaphore::const_new(64);

/// Answers a validation handshake, or takes a batch of notifications.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    answer(&app, &FUNCTION, request).await
}

/// The same for any function whose address Graph is given: it may send either kind of notification to each.
pub(crate) async fn answer(app: &App, function: &Function, request: Request) -> Response {
    match validation_token(request.uri().query().unwrap_or_default()) {
        Some(token) => handshake(function.name, token),
        None => run(app, function, request, |_, body| take(app, body)).await,
    }
}

async fn take(app: &App, body: Bytes) -> Result<Taken, Refusal> {
    let collection = parse(body).await?;
    let (lanes, mut taken) = batch::check(app, collection).await?;
    // Most batches are one chat's, and need no means to do more at a time.
    if lanes.len() <= 1 {
        for envelopes in lanes {
            taken.enqueued += accept(app, envelopes).await?;
        }
    } else {
        let lanes = stream::iter(lanes)
            .map(|envelopes| async {
                let _turn = SENDERS.acquire().await;
                accept(app, envelopes).await
            })
            .buffer_unordered(PARALLEL_CHATS)
            .try_fold(0, async |sum, enqueued| Ok(sum + enqueued));
        taken.enqueued = Box::pin(lanes).await?;
    }
    Ok(taken)
}

async fn parse(body: Bytes) -> Result<Collection, Refusal> {
    let collection = if body.len() <= QUICKLY_READ {
        Collection::parse(&body)
    } else {
        let _turn = READER.acquire().await;
        tokio::task::spawn_blocking(move || Collection::parse(&body))
            .await
            .map_err(|_| Refusal::unavailable("the body could not be read, please retry"))?
    };
    collection
        .map_err(|_| Refusal::bad_request("the body is no collection of change notifications"))
}

/// The decoded `validationToken` of a query, with `+` as a space, as Graph encodes it.
fn validation_token(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "validationToken")
        .map(|(_, token)| token.into_owned())
}

/// Graph wants the decoded token and nothing else, as plain text (so that a browser cannot be made to run it).
fn handshake(function: &'static str, token: String) -> Response {
    if token.is_empty() || token.len() > TOKEN_LIMIT {
        return Refusal::bad_request("no usable validation token").into_response();
    }
    tracing::info!(event = "validation_handshake", function);
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, token).into_response()
}

#[cfg(test)]
mod tests;
