//! `self-check`: the app looks at itself with its own identity, from where it runs: roles, secrets, tokens, permissions, Genesys.
//! `handler check --deep` asks for it with a ticket that only an operator can have left in Blob, once each.
//!
//! What a check of the whole chain follows by a mark is noted here too, for the functions that deliver.

mod looks;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bridge::ids::Digest;
use bridge::self_check::{Check, Mark, Ticket};
use bridge::state::blobs;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use services::blob::{Blobs, Creation};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use time::OffsetDateTime;
use tracing::Instrument;

use self::looks::look_for;
pub use self::looks::{advice, look};
pub(crate) use self::trace::note;
use crate::app::App;
use crate::failure::Failure;
use crate::queue::delivery::invocation_id;
use crate::store::document::{STATE, peek};

/// Name of the function.
pub const NAME: &str = "self-check";

/// Path at which the host calls it.
pub const PATH: &str = "/api/self-check";

/// Header that carries the ticket.
pub const TICKET: &str = "x-bridge-ticket";

/// Longest time for all looks together: the platform ends a request after 230 s (Microsoft Learn, "Azure Functions HTTP trigger",
/// "Limits").
const DEADLINE: Duration = Duration::from_secs(180);

/// Tickets that an instance looks up at the same time: each costs a call to Blob, and anybody can invent one.
pub(crate) const TICKETS: usize = 2;

/// How a look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// All is as it should be.
    Ok,
    /// Messages do not go on as they should; what is told says what to do.
    Failed,
    /// Something is missing without which messages go on.
    Missing,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How it ended.
    pub verdict: Verdict,
    /// What was looked at.
    pub what: String,
    /// What was found, or what to do.
    pub told: String,
}

/// Answers `{"lines": [{"verdict", "what", "told"}, …]}` for a ticket, once; 403 without one, 429 where too many come with one.
pub async fn handle(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let span = tracing::info_span!(
        "invocation",
        function = NAME,
        invocation = invocation_id(&headers)
    );
    async {
        let status = match admit(&app, &headers).await {
            Ok(Admission::Granted) => return answer(&app, DEADLINE).await,
            Ok(Admission::Refused) => StatusCode::FORBIDDEN,
            Ok(Admission::Busy) => StatusCode::TOO_MANY_REQUESTS,
            Err(failure) => {
                let reason = failure.label();
                tracing::warn!(event = "self_check_not_admitted", reason);
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        status.into_response()
    }
    .instrument(span)
    .await
}

/// Looks at everything, and answers with what was found in time.
async fn answer(app: &App, limit: Duration) -> Response {
    let (lines, is_whole) = look_for(app, limit).await;
    let found = |verdict| lines.iter().filter(|it| it.verdict == verdict).count();
    let (good, failed) = (found(Verdict::Ok), found(Verdict::Failed));
    match is_whole {
        true => tracing::info!(event = "self_checked", good, failed),
        false => tracing::warn!(event = "self_check_unfinished", good, failed),
    }
    let private = [(header::CACHE_CONTROL, "no-store")];
    let body = Json(serde_json::json!({ "lines": lines }));
    (private, body).into_response()
}

/// What becomes of a request.
enum Admission {
    Granted,
    /// It has no ticket that counts.
    Refused,
    /// Too many tickets are being looked up.
    Busy,
}

/// Takes the ticket of a request out of Blob.
async fn admit(app: &App, headers: &HeaderMap) -> Result<Admission, Failure> {
    let ticket = headers.get(TICKET).and_then(|it| it.to_str().ok());
    let Some(ticket) = ticket.and_then(|it| it.parse::<Ticket>().ok()) else {
        return Ok(Admission::Refused);
    };
    let Ok(_permit) = app.tickets.try_acquire() else {
        return Ok(Admission::Busy);
    };
    let name = blobs::check(&ticket.digest());
    let Some((body, version)) = app.blobs.get(STATE, &name).await? else {
        return Ok(Admission::Refused);
    };
    match app.blobs.remove(STATE, &name, &version).await {
        Ok(()) => {}
        // Another request came with it at the same time.
        Err(error) if matches!(error.kind, ErrorKind::Precondition | ErrorKind::NotFound) => {
            return Ok(Admission::Refused);
        }
        Err(error) => return Err(error.into()),
    }
    let check: Option<Check> = serde_json::from_slice(&body).ok();
    let is_open = check.is_some_and(|check| check.is_open(OffsetDateTime::now_utc()));
    Ok(match is_open {
        true => Admission::Granted,
        false => Admission::Refused,
    })
}

/// Leaves a ticket for one look.
///
/// # Errors
/// Blob refused or could not be reached.
pub async fn leave_ticket(blobs: &Blobs) -> Result<Ticket, ServiceError> {
    let ticket = Ticket::new(random()?);
    leave(blobs, &ticket.digest()).await?;
    Ok(ticket)
}

/// Leaves a mark by which a message is followed.
///
/// # Errors
/// As [`leave_ticket`].
pub async fn leave_mark(blobs: &Blobs) -> Result<Mark, ServiceError> {
    let mark = Mark::new(u32::from_be_bytes(random()?));
    leave(blobs, &mark.digest()).await?;
    Ok(mark)
}

/// How far the marked messages are; `None` when the mark is gone.
///
/// # Errors
/// As [`leave_ticket`]; `Malformed` when the blob holds something else.
pub async fn followed(blobs: &Blobs, mark: &Mark) -> Result<Option<Check>, ServiceError> {
    match peek(blobs, &blobs::check(&mark.digest())).await {
        Ok(check) => Ok(check),
        Err(Failure::Service(error)) => Err(error),
        Err(_) => Err(unusable(ErrorKind::Malformed)),
    }
}

/// Takes a mark away.
///
/// # Errors
/// As [`leave_ticket`].
pub async fn take_mark(blobs: &Blobs, mark: &Mark) -> Result<(), ServiceError> {
    blobs.remove_any(STATE, &blobs::check(&mark.digest())).await
}

async fn leave(blobs: &Blobs, digest: &Digest) -> Result<(), ServiceError> {
    let check = Check::new(OffsetDateTime::now_utc());
    let body = Bytes::from(serde_json::to_vec(&check).unwrap_or_default());
    match blobs.create(STATE, &blobs::check(digest), body).await? {
        Creation::Created(_) => Ok(()),
        Creation::Exists => Err(unusable(ErrorKind::Precondition)),
    }
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], ServiceError> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(|_| unusable(ErrorKind::Unavailable))?;
    Ok(bytes)
}

fn unusable(kind: ErrorKind) -> ServiceError {
    ServiceError::new(Service::Blob, kind, Sent::No)
}

#[cfg(test)]
mod tests;
