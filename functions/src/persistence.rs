//! Waiting inside the invocation: tries a message again until it is done, given up, or out of time.
//!
//! Service Bus redelivers a failed message at once and without a delay, so the back-off happens here, while the lane is
//! held. Failures are told apart: while a service is down for everyone the lane waits; a message that fails while others
//! succeed ends in `failed` and lets the lane move on.

use std::time::Duration;

use bridge::ids::Digest;
use bridge::retry::backoff;
use bridge::verdict::{Decision, FailingMessage};
use futures::future::BoxFuture;
use services::error::{ErrorKind, Service, ServiceError};
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::failure::{Failure, Rejection, receipt_code};
use crate::invocation::{Delivery, HandBack, milliseconds};

/// Attempts after which a message that fails while others succeed is given up.
const ATTEMPTS: u32 = 5;

/// How long a message of a chat that was given up on before may hold its lane.
pub const KNOWN_FAILING_PATIENCE: Duration = Duration::from_secs(5);

/// Shortest time that a message must have failed for before [`ATTEMPTS`] can end it.
const HASTE: Duration = Duration::from_secs(30);

/// Bounds of the back-off between attempts.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How far back failures of other chats count.
const RECENT: Duration = Duration::from_secs(120);

/// Kind of work on a queue message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// A customer's message to Genesys.
    Message,
    /// A receipt to Genesys.
    Receipt,
    /// A post to a chat.
    Post,
    /// An envelope out of Blob.
    Claim,
}

/// How the waiting ended.
#[derive(Debug)]
pub enum End<T> {
    /// The work is done.
    Done(T),
    /// The message is to be put into `failed`.
    GivenUp {
        /// Why, for the person who looks at it.
        rejection: Box<Rejection>,
        /// Attempts of this invocation.
        attempts: u32,
    },
}

/// Runs `attempt` until the message is done, given up, or the invocation's time is over.
///
/// `subject` is what may fail on its own while others succeed; `work` the kind of message, since a service can be well for one
/// kind and down for another.
pub async fn persist<'a, T>(
    app: &App,
    delivery: &Delivery,
    subject: &Digest,
    work: Work,
    mut attempt: impl FnMut() -> BoxFuture<'a, Result<T, Failure>> + Send,
) -> Result<End<T>, HandBack>
where
    T: Send + 'a,
{
    let started = Instant::now();
    let mut waits = 0u32;
    let mut attempts = 0u32;
    let mut failing: Option<FailingMessage> = None;
    let mut last_failure: Option<Instant> = None;
    loop {
        attempts += 1;
        // An attempt is never cut off between a post and the note of it: its calls have time limits of their own, and the
        // invocation has time for them after its deadline.
        let mut last_chance = delivery.deadline;
        let wait = match attempt().await {
            Ok(outcome) => {
                app.failing_chats.remove(subject);
                return Ok(End::Done(outcome));
            }
            Err(Failure::Permanent(rejection)) => {
                return Ok(End::GivenUp {
                    rejection: Box::new(rejection),
                    attempts,
                });
            }
            Err(Failure::OutOfTime) => return Err(HandBack),
            Err(Failure::NotYet(rejection)) => {
                let patience = if app.failing_chats.contains(subject) {
                    KNOWN_FAILING_PATIENCE
                } else {
                    app.settings.unknown_thread
                };
                if waited(delivery, started) >= patience {
                    app.failing_chats.insert(subject);
                    return Ok(End::GivenUp {
                        rejection: Box::new(rejection),
                        attempts,
                    });
                }
                Duration::from_millis(500)
            }
            Err(Failure::Retriable(error)) => {
                app.outages.failed(&error);
                report(&error, attempts);
                if counts_against_the_message(&error) {
                    let now = Instant::now();
                    let message = failing.get_or_insert_with(|| FailingMessage::new(now - started));
                    message.failed();
                    // What was given up on is known to fail by itself: it says nothing of the service.
                    if !app.failing_chats.contains(subject) {
                        app.failures.note((work, error.service), subject);
                    }
                    let since = last_failure.replace(now).unwrap_or(now);
                    let evidence = others_succeed(app, &error, work, subject, since).await;
                    let patience = if app.failing_chats.contains(subject) {
                        KNOWN_FAILING_PATIENCE
                    } else {
                        app.settings.failing_message
                    };
                    // Five failures within a few seconds can be the first seconds of an outage.
                    let is_hasty = now - started < HASTE.min(patience);
                    let (others, limit) = match evidence {
                        Evidence::OthersSucceed if is_hasty => (true, u32::MAX),
                        Evidence::OthersSucceed => (true, ATTEMPTS),
                        // An answer to a probe is weaker: the kind of call that fails here may be down for all.
                        Evidence::ServiceAnswers => (true, u32::MAX),
                        Evidence::None => (false, ATTEMPTS),
                    };
                    if others {
                        last_chance = started + patience;
                    }
                    let now = Instant::now() - started;
                    if message.decide(now, others, limit, patience) == Decision::GiveUp {
                        app.failing_chats.insert(subject);
                        app.failures.forget((work, error.service), subject);
                        let rejection = given_up(&error);
                        return Ok(End::GivenUp {
                            rejection: Box::new(rejection),
                            attempts,
                        });
                    }
                }
                waits += 1;
                let pause = if is_overtaken(&error) {
                    // Another writer was faster; its state is there now.
                    Duration::from_millis(20)
                } else {
                    backoff(waits, random(), SHORTEST_WAIT, LONGEST_WAIT)
                };
                let wish = error.retry_after.unwrap_or_default();
                // While others succeed, a service's wish to wait for longer does not keep the lane from its verdict.
                let left = last_chance.saturating_duration_since(Instant::now());
                if last_chance < delivery.deadline {
                    pause.max(wish.min(left))
                } else {
                    pause.max(wish)
                }
            }
        };
        if Instant::now() + wait >= delivery.deadline {
            return Err(HandBack);
        }
        sleep(wait).await;
    }
}

/// Time since the message was accepted, which survives a crash; this invocation's own time where the host did not tell.
fn waited(delivery: &Delivery, started: Instant) -> Duration {
    delivery.age().unwrap_or_default().max(started.elapsed())
}

fn report(error: &ServiceError, attempts: u32) {
    let service = error.service.to_string();
    let kind = error.kind.label();
    let retry_after_ms = error.retry_after.map(milliseconds);
    let request_ids = error
        .request_ids
        .iter()
        .map(|(_, id)| id.as_str())
        .collect::<Vec<_>>()
        .join(",");
    tracing::warn!(
        event = "attempt_failed",
        service,
        kind,
        status = error.status,
        code = error.code.as_deref(),
        attempts,
        retry_after_ms,
        request_ids,
        "a service did not do its part"
    );
}

/// Whether an error can be the message's own fault. Throttling, missing rights to sign in and our own stores never are:
/// giving up would only move the whole queue into `failed`.
fn counts_against_the_message(error: &ServiceError) -> bool {
    matches!(error.service, Service::Graph | Service::Genesys)
        && !matches!(
            error.kind,
            ErrorKind::Throttled
                | ErrorKind::Unauthorized
                | ErrorKind::SignInNeeded
                | ErrorKind::Configuration
        )
}

/// Another writer changed the state first.
fn is_overtaken(error: &ServiceError) -> bool {
    error.service == Service::Blob && error.kind == ErrorKind::Precondition
}

enum Evidence {
    None,
    ServiceAnswers,
    OthersSucceed,
}

async fn others_succeed(
    app: &App,
    error: &ServiceError,
    work: Work,
    subject: &Digest,
    since: Instant,
) -> Evidence {
    let key = (work, error.service);
    if app.successes.elsewhere(key, subject, since) {
        return Evidence::OthersSucceed;
    }
    // A wrong integration id makes every message a 404 while the service itself answers well.
    let probe_proves_nothing = error.service == Service::Genesys
        && matches!(error.kind, ErrorKind::Forbidden | ErrorKind::NotFound);
    // Another chat that failed and has not succeeded since: then it is not this message.
    if probe_proves_nothing
        || app
            .failures
            .elsewhere(key, subject, since.checked_sub(RECENT).unwrap_or(since))
    {
        return Evidence::None;
    }
    let answers = match error.service {
        Service::Graph => crate::graph_calls::answers(app).await,
        Service::Genesys => app.genesys.probe().await.is_ok(),
        _ => false,
    };
    if answers {
        Evidence::ServiceAnswers
    } else {
        Evidence::None
    }
}

fn given_up(error: &ServiceError) -> Rejection {
    let explanation = format!(
        "{} kept failing for this message ({}) while it worked for others",
        error.service,
        error.kind.label()
    );
    Rejection::of_service(
        "kept_failing",
        explanation,
        receipt_code(&error.kind),
        error,
    )
}

/// A random number in 0..1 for jitter.
fn random() -> f64 {
    let bytes = uuid::Uuid::new_v4().into_bytes();
    f64::from(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests;
