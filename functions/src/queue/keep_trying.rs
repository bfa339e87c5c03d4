//! Waiting inside the invocation: tries a message again until it is done, given up, or out of time.
//!
//! Service Bus redelivers a failed message at once and without a delay, so the back-off happens here, while the lane, which is
//! one chat, is held. What a failure means is decided in `bridge::patience`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bridge::ids::Digest;
use bridge::patience::{self, Decision, EXPIRES_AFTER, Fault, Reason, Situation, decide_not_yet};
use futures::FutureExt;
use services::error::ServiceError;
use tokio::time::{Instant, sleep};

use super::delivery::{Delivery, HandBack, Outcome, Times};
use super::job::Job;
use crate::failure::{Failure, Rejection, fault_of};
use crate::log::{milliseconds, request_ids};
use crate::outside::{Gate, Question};
use crate::store::bounded::Bounded;

/// Chats whose first failure is remembered.
const REMEMBERED: usize = 10_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// How the waiting ended.
#[derive(Debug)]
pub(super) enum End {
    /// The work is done.
    Done(Outcome),
    /// The message is to be put into `failed`, after so many attempts of this invocation.
    GivenUp(Box<Rejection>, u32),
}

/// Failures of one kind in a row.
#[derive(Debug)]
struct Streak {
    fault: Fault,
    times: u32,
    since: Instant,
}

/// Keeps trying.
#[derive(Debug)]
pub struct Persistence {
    gate: Arc<Gate>,
    question: Question,
    times: Times,
    /// Since when a subject's message fails; in memory only, so that another instance begins to count anew.
    failing_since: Bounded<Digest, Instant>,
}

impl Persistence {
    /// Nothing was tried yet.
    pub fn new(gate: Arc<Gate>, question: Question, times: Times) -> Self {
        Self {
            gate,
            question,
            times,
            failing_since: Bounded::new(REMEMBERED, REMEMBERED_FOR),
        }
    }

    /// Runs attempts until the message is done, given up, or the invocation's time is over. An attempt is never cut off between
    /// a post and the note of it: its calls have time limits of their own, and the invocation has time for them after its
    /// deadline.
    pub(super) async fn keep_trying(
        &self,
        delivery: &Delivery,
        job: &impl Job,
    ) -> Result<End, HandBack> {
        let mut trying = Trying {
            persistence: self,
            delivery,
            started: Instant::now(),
            attempts: 0,
            streak: None,
        };
        loop {
            trying.attempts += 1;
            let failure = match AssertUnwindSafe(job.attempt()).catch_unwind().await {
                Ok(Ok(outcome)) => {
                    self.failing_since.remove(job.subject());
                    return Ok(End::Done(outcome));
                }
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Panicked,
            };
            match trying.decide(&failure, job).await {
                Decision::TryAgain(wait) => sleep(wait).await,
                Decision::HandBack | Decision::Ask => return Err(HandBack),
                Decision::GiveUp(reason) => match failure {
                    Failure::OfFile { file, .. } if job.give_up_file(&file) => trying.streak = None,
                    failure => {
                        let rejection = failure.into_rejection(reason);
                        return Ok(End::GivenUp(rejection, trying.attempts));
                    }
                },
            }
        }
    }
}

/// The attempts of one invocation.
struct Trying<'a> {
    persistence: &'a Persistence,
    delivery: &'a Delivery,
    started: Instant,
    attempts: u32,
    streak: Option<Streak>,
}

impl Trying<'_> {
    async fn decide(&mut self, failure: &Failure, job: &impl Job) -> Decision {
        let (fault, error) = match failure {
            Failure::Permanent(_) => return Decision::GiveUp(Reason::Refused),
            Failure::OutOfTime if self.delivery.age() >= EXPIRES_AFTER => {
                return Decision::GiveUp(Reason::Expired);
            }
            Failure::OutOfTime => return Decision::HandBack,
            Failure::NotYet(_) => {
                // The message's age survives a crash.
                let waited = self.delivery.age().max(self.started.elapsed());
                return decide_not_yet(waited, self.persistence.times.not_yet, self.left());
            }
            Failure::Panicked => (Fault::Panic, None),
            Failure::Service(error) => (fault_of(error), Some(error)),
            Failure::OfFile { error, .. } => match fault_of(error) {
                Fault::Transient => (Fault::OfFile, Some(error)),
                fault => (fault, Some(error)),
            },
        };
        self.report(error);
        let mut situation = self.situation(fault, error, job);
        let mut decision = patience::decide(&situation);
        if decision == Decision::Ask
            && let Some(error) = error
        {
            let question = &self.persistence.question;
            let asked = question.all_else_is_well(error, job.account(), job.subject());
            situation.all_else_is_well = Some(asked.await);
            situation.left = self.left();
            decision = patience::decide(&situation);
        }
        decision
    }

    fn situation(
        &mut self,
        fault: Fault,
        error: Option<&ServiceError>,
        job: &impl Job,
    ) -> Situation {
        let now = Instant::now();
        let streak = match self.streak.take().filter(|streak| streak.fault == fault) {
            Some(streak) => Streak {
                times: streak.times.saturating_add(1),
                ..streak
            },
            None => Streak {
                fault,
                times: 1,
                since: now,
            },
        };
        let failing_since = match fault {
            Fault::Transient => {
                let since = &self.persistence.failing_since;
                since.update(job.subject(), || now, |since| *since)
            }
            _ => streak.since,
        };
        let gate = &self.persistence.gate;
        let situation = Situation {
            fault,
            times: streak.times,
            attempts: self.attempts,
            all_else_is_well: None,
            failing_for: now - failing_since,
            well_for_others: fault == Fault::Transient
                && error.is_some_and(|error| gate.well_for_others(error.service, job.subject())),
            file_patience: self.persistence.times.file,
            age: self.delivery.age(),
            left: self.left(),
            retry_after: error
                .and_then(|error| error.retry_after)
                .unwrap_or_default(),
            random: random(),
        };
        self.streak = Some(streak);
        situation
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
        tracing::warn!(
            event = "attempt_failed",
            service = error.service.label(),
            kind = error.kind.label(),
            status = error.status,
            code = error.code.as_deref(),
            attempts,
            retry_after_ms = error.retry_after.map(milliseconds),
            request_ids = request_ids(error),
            "a service did not do its part"
        );
    }
}

/// A random number in 0..1 for jitter.
fn random() -> f64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
