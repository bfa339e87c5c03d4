//! Waiting inside the invocation: tries a message again until it is done, given up, or out of time.
//!
//! Service Bus redelivers a failed message at once and without a delay, so the back-off happens here, while the lane, which is
//! one chat, is held. What a failure means is decided in `bridge::patience`.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bridge::patience::{self, Decision, EXPIRES_AFTER, Fault, Reason, Situation, decide_not_yet};
use futures::FutureExt;
use services::error::ServiceError;
use tokio::time::{Instant, sleep};

use super::delivery::{Delivery, HandBack, Outcome};
use super::job::Job;
use super::question::all_else_is_well;
use crate::app::App;
use crate::failure::{Failure, Rejection, fault_of};
use crate::log::milliseconds;

/// How many times its own time limit a file may hold its message, when Graph fails for it.
const FILE_PATIENCE: u32 = 4;

/// How the waiting ended.
#[derive(Debug)]
pub(super) enum End {
    /// The work is done.
    Done(Outcome),
    /// The message is to be put into `failed`, after so many attempts of this invocation.
    GivenUp(Box<Rejection>, u32),
}

/// Runs attempts until the message is done, given up, or the invocation's time is over. An attempt is never cut off between
/// a post and the note of it: its calls have time limits of their own, and the invocation has time for them after its
/// deadline.
pub(super) async fn keep_trying(
    app: &App,
    delivery: &Delivery,
    job: &impl Job,
) -> Result<End, HandBack> {
    let mut trying = Trying {
        app,
        delivery,
        job,
        started: Instant::now(),
        attempts: 0,
        streak: None,
    };
    loop {
        trying.attempts += 1;
        let failure = match AssertUnwindSafe(job.attempt()).catch_unwind().await {
            Ok(Ok(outcome)) => {
                app.failing_since.remove(job.subject());
                return Ok(End::Done(outcome));
            }
            Ok(Err(failure)) => failure,
            Err(_) => Failure::Panicked,
        };
        match trying.decide(&failure).await {
            Decision::TryAgain(wait) => sleep(wait).await,
            Decision::HandBack | Decision::Ask => return Err(HandBack),
            Decision::GiveUp(reason) => match failure {
                Failure::OfFile { file, .. } if job.give_up_file(&file) => trying.streak = None,
                _ if job.set_apart() => trying.streak = None,
                failure => {
                    let rejection = job.explained(reason, failure.into_rejection(reason));
                    return Ok(End::GivenUp(rejection, trying.attempts));
                }
            },
        }
    }
}

/// The attempts of one invocation.
struct Trying<'a, J> {
    app: &'a App,
    delivery: &'a Delivery,
    job: &'a J,
    started: Instant,
    attempts: u32,
    /// Failures of one kind in a row.
    streak: Option<Streak>,
}

#[derive(Clone, Copy)]
struct Streak {
    fault: Fault,
    times: u32,
    since: Instant,
}

impl<J: Job> Trying<'_, J> {
    async fn decide(&mut self, failure: &Failure) -> Decision {
        let (fault, error) = match failure {
            Failure::Permanent(_) => return Decision::GiveUp(Reason::Refused),
            Failure::OutOfTime if self.delivery.age() >= EXPIRES_AFTER => {
                return Decision::GiveUp(Reason::Expired);
            }
            Failure::OutOfTime => return Decision::HandBack,
            Failure::NotYet(_) => {
                // The message's age survives a crash.
                let waited = self.delivery.age().max(self.started.elapsed());
                return decide_not_yet(waited, self.app.settings.unknown_thread, self.left());
            }
            Failure::Panicked => (Fault::Panic, None),
            Failure::Service(error) => (fault_of(error), Some(error)),
            Failure::OfFile { error, .. } => match fault_of(error) {
                Fault::Transient => (Fault::OfFile, Some(error)),
                fault => (fault, Some(error)),
            },
        };
        self.report(error);
        let mut situation = self.situation(fault, error);
        let mut decision = patience::decide(&situation);
        if decision == Decision::Ask
            && let Some(error) = error
        {
            let (account, subject) = (self.job.account(), self.job.subject());
            let is_well = all_else_is_well(self.app, error, account, subject).await;
            situation.all_else_is_well = Some(is_well);
            situation.left = self.left();
            decision = patience::decide(&situation);
        }
        decision
    }

    fn situation(&mut self, fault: Fault, error: Option<&ServiceError>) -> Situation {
        let now = Instant::now();
        let earlier = self.streak.filter(|streak| streak.fault == fault);
        let streak = Streak {
            fault,
            times: earlier.map_or(0, |streak| streak.times).saturating_add(1),
            since: earlier.map_or(now, |streak| streak.since),
        };
        self.streak = Some(streak);
        let (app, subject) = (self.app, self.job.subject());
        let failing_since = match fault {
            Fault::Transient => app.failing_since.update(subject, || now, |since| *since),
            _ => streak.since,
        };
        Situation {
            fault,
            times: streak.times,
            attempts: self.attempts,
            all_else_is_well: None,
            failing_for: now - failing_since,
            well_for_others: fault == Fault::Transient
                && error.is_some_and(|error| app.gate.well_for_others(error.service, subject)),
            file_patience: app.settings.file_timeout * FILE_PATIENCE,
            age: self.delivery.age(),
            left: self.left(),
            retry_after: error
                .and_then(|error| error.retry_after)
                .unwrap_or_default(),
            random: random(),
        }
    }

    fn left(&self) -> Duration {
        let deadline = self.delivery.deadline;
        deadline.saturating_duration_since(Instant::now())
    }

    fn report(&self, error: Option<&ServiceError>) {
        let attempts = self.attempts;
        let Some(error) = error else {
            tracing::error!(event = "attempt_panicked", attempts, "please report it");
            return;
        };
        let request_ids: Vec<&str> = error
            .request_ids
            .iter()
            .map(|(_, id)| id.as_str())
            .collect();
        tracing::warn!(
            event = "attempt_failed",
            service = error.service.label(),
            kind = error.kind.label(),
            status = error.status,
            code = error.code.as_deref(),
            attempts,
            retry_after_ms = error.retry_after.map(milliseconds),
            request_ids = request_ids.join(","),
            "a service did not do its part"
        );
    }
}

/// A random number in 0..1 for jitter.
pub(crate) fn random() -> f64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
