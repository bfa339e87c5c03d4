//! Work that one instance does at a time, whoever asked for it: a document in Blob says who works.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bridge::state::blobs;
use bridge::state::timer::TimerState;
use futures::FutureExt;
use services::error::{ErrorKind, Service};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::app::App;
use crate::failure::Failure;
use crate::store::document::Document;

/// Time that a run has. It stays below functionTimeout, whose expiry would kill every other invocation too.
pub(super) const LIMIT: Duration = Duration::from_secs(8 * 60);

/// What a lease lasts longer than a run can: clocks differ, and the last request of a run may still be under way.
const MARGIN: Duration = Duration::from_secs(2 * 60);

/// What became of the wish to work.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn<T> {
    /// The work was done.
    Done(T),
    /// Somebody else is at it.
    Busy,
}

/// Does the work unless somebody else is at it. It is told its deadline, and ended then; a panic ends it too.
///
/// # Errors
/// The work's own; `OutOfTime` and `Panicked`; or Blob, which says who works, could not be read or written.
pub async fn alone<T, F>(
    app: &App,
    name: &str,
    work: impl FnOnce(Instant) -> F,
) -> Result<Turn<T>, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let Some(mut document) = take(app, name).await? else {
        return Ok(Turn::Busy);
    };
    let work = AssertUnwindSafe(async { work(Instant::now() + LIMIT).await }).catch_unwind();
    let result = match timeout(LIMIT, work).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(_) => Err(Failure::OutOfTime),
    };
    let noted = result.as_ref().map(drop).map_err(Failure::label);
    document.value.end(OffsetDateTime::now_utc(), noted);
    if let Err(failure) = document.save(&app.blobs).await {
        // The lease ends by itself.
        let reason = failure.label();
        tracing::warn!(event = "timer_not_noted", timer = name, reason);
    }
    result.map(Turn::Done)
}

/// The state of this timer with a lease of ours in it, or nothing while somebody else has one.
async fn take(app: &App, name: &str) -> Result<Option<Document<TimerState>>, Failure> {
    let holder = Uuid::new_v4().to_string();
    loop {
        let state = blobs::timer(name);
        let mut document = Document::load(&app.blobs, state, TimerState::default).await?;
        // A write whose answer was lost is found here.
        if document.value.is_held_by(&holder) {
            return Ok(Some(document));
        }
        let now = OffsetDateTime::now_utc();
        if document.value.take(&holder, now, LIMIT + MARGIN).is_err() {
            return Ok(None);
        }
        match document.save(&app.blobs).await {
            Ok(()) => return Ok(Some(document)),
            // Somebody wrote first: it may have been ourselves.
            Err(Failure::Service(error))
                if (error.service, error.kind) == (Service::Blob, ErrorKind::Precondition) => {}
            Err(failure) => return Err(failure),
        }
    }
}
