//! Work that one instance does at a time, whoever asked for it: a document in Blob says who works.
//!
//! The lease in it is short and renewed beside the work, so that a run that is killed keeps the next one out for a minute and no
//! longer. Who cannot renew it in time stops working.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bridge::state::blobs;
use bridge::state::timer::TimerState;
use futures::FutureExt;
use services::error::{ErrorKind, Service};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use crate::app::App;
use crate::failure::Failure;
use crate::store::document::Document;

/// Time that a run has. It stays below functionTimeout, whose expiry would kill every other invocation too.
pub(super) const LIMIT: Duration = Duration::from_secs(8 * 60);

/// How long a lease lasts that is not renewed.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// Time between two renewals: some may fail before the lease ends.
pub(super) const RENEWAL: Duration = Duration::from_secs(10);

/// How long before its end its holder takes a lease for lost: clocks differ, and the last request of a run may still be under way.
const MARGIN: Duration = Duration::from_secs(20);

/// How long it is tried to note the end of a run. The lease ends by itself then.
const NOTING: Duration = Duration::from_secs(30);

/// Time between two attempts at that.
const NOTE_AGAIN: Duration = Duration::from_secs(1);

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
/// The work's own; `OutOfTime`, also when the lease could not be renewed, and `Panicked`; or Blob, which says who works, could not
/// be read or written.
pub async fn alone<T, F>(
    app: &App,
    name: &str,
    work: impl FnOnce(Instant) -> F,
) -> Result<Turn<T>, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let Some(mut held) = Held::take(app, name).await? else {
        return Ok(Turn::Busy);
    };
    let work = AssertUnwindSafe(async { work(Instant::now() + LIMIT).await }).catch_unwind();
    let result = tokio::select! {
        biased;
        worked = timeout(LIMIT, work) => match worked {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Failure::Panicked),
            Err(_) => Err(Failure::OutOfTime),
        },
        () = held.keep() => Err(Failure::OutOfTime),
    };
    let noted = result.as_ref().map(drop).map_err(Failure::label);
    if let Err(failure) = held.end(noted).await {
        let reason = failure.label();
        tracing::warn!(event = "timer_not_noted", timer = name, reason);
    }
    result.map(Turn::Done)
}

/// The state of a timer with a lease of ours in it.
struct Held<'a> {
    app: &'a App,
    name: &'a str,
    holder: String,
    document: Document<TimerState>,
    /// When the lease counts as lost.
    lost_at: Instant,
}

impl<'a> Held<'a> {
    /// Takes the lease, or nothing while somebody else has it.
    async fn take(app: &'a App, name: &'a str) -> Result<Option<Self>, Failure> {
        let holder = Uuid::new_v4().to_string();
        loop {
            let asked = Instant::now();
            let mut document = load(app, name).await?;
            // A write whose answer was lost is found here.
            if !document.value.is_held_by(&holder) {
                let now = OffsetDateTime::now_utc();
                if document.value.take(&holder, now, LEASE).is_err() {
                    return Ok(None);
                }
                match document.save(&app.blobs).await {
                    Ok(()) => {}
                    // Somebody wrote first: it may have been ourselves.
                    Err(failure) if is_overtaken(&failure) => continue,
                    Err(failure) => return Err(failure),
                }
            }
            return Ok(Some(Self {
                app,
                name,
                holder,
                document,
                lost_at: asked + LEASE - MARGIN,
            }));
        }
    }

    /// Renews the lease for as long as that can be done.
    async fn keep(&mut self) {
        loop {
            sleep(RENEWAL).await;
            let (asked, lost_at) = (Instant::now(), self.lost_at);
            let renewal = self.change(|state, now| state.renew(now, LEASE));
            match timeout_at(lost_at, renewal).await {
                Ok(Ok(true)) => self.lost_at = asked + LEASE - MARGIN,
                Ok(Err(_)) if Instant::now() < lost_at => {}
                Ok(Ok(false) | Err(_)) | Err(_) => break,
            }
        }
        tracing::error!(
            event = "timer_lease_lost",
            timer = self.name,
            "the run is ended, the next one goes on"
        );
    }

    /// Notes how the run ended, and gives the lease back.
    async fn end(&mut self, result: Result<(), String>) -> Result<(), Failure> {
        let deadline = Instant::now() + NOTING;
        loop {
            let change = |state: &mut TimerState, now| state.end(now, result.clone());
            match timeout_at(deadline, self.change(change)).await {
                Ok(Err(_)) if Instant::now() + NOTE_AGAIN < deadline => sleep(NOTE_AGAIN).await,
                Ok(changed) => return changed.map(drop),
                Err(_) => return Err(Failure::OutOfTime),
            }
        }
    }

    /// Changes the state as long as the lease is ours; tells whether it is.
    async fn change(
        &mut self,
        change: impl Fn(&mut TimerState, OffsetDateTime),
    ) -> Result<bool, Failure> {
        while self.document.value.is_held_by(&self.holder) {
            let before = self.document.value.clone();
            change(&mut self.document.value, OffsetDateTime::now_utc());
            let Err(failure) = self.document.save(&self.app.blobs).await else {
                return Ok(true);
            };
            self.document.value = before;
            if !is_overtaken(&failure) {
                return Err(failure);
            }
            // By an earlier write of ours, it may be, that came through all the same.
            self.document = load(self.app, self.name).await?;
        }
        Ok(false)
    }
}

async fn load(app: &App, name: &str) -> Result<Document<TimerState>, Failure> {
    Document::load(&app.blobs, blobs::timer(name), TimerState::default).await
}

fn is_overtaken(failure: &Failure) -> bool {
    matches!(failure, Failure::Service(error)
        if (error.service, error.kind) == (Service::Blob, ErrorKind::Precondition))
}
