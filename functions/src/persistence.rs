//! Waiting inside the invocation: tries a message again until it is done, given up, or out of time.
//!
//! Service Bus redelivers a failed message at once and without a delay, so the back-off happens here, while the lane is
//! held. Failures are told apart: while a service is down for everyone the lane waits; a message that fails while others
//! succeed ends in `failed` and lets the lane move on.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bridge::ids::Digest;
use bridge::retry::backoff;
use bridge::verdict::{Decision, FailingMessage};
use futures::future::BoxFuture;
use services::error::{ErrorKind, Service, ServiceError};
use tokio::time::{Instant, sleep, timeout_at};

use crate::app::App;
use crate::failure::{Failure, Rejection, receipt_code};
use crate::invocation::{Delivery, HandBack, milliseconds};

/// Attempts after which a message that fails while others succeed is given up.
const ATTEMPTS: u32 = 5;

/// How long a message of a chat that was given up on before may hold its lane.
const KNOWN_FAILING_PATIENCE: Duration = Duration::from_secs(5);

/// Bounds of the back-off between attempts.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Chats that were given up on lately, so that the next of their messages does not hold the lane as long again.
#[derive(Debug, Default)]
pub struct FailingChats(Mutex<HashMap<Digest, Instant>>);

/// How many failing chats are remembered.
const REMEMBERED: usize = 1000;

impl FailingChats {
    fn contains(&self, subject: &Digest) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(subject)
    }

    fn insert(&self, subject: &Digest) {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if chats.len() >= REMEMBERED
            && let Some(oldest) = chats
                .iter()
                .min_by_key(|(_, at)| **at)
                .map(|(chat, _)| chat.clone())
        {
            chats.remove(&oldest);
        }
        chats.insert(subject.clone(), Instant::now());
    }

    fn remove(&self, subject: &Digest) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(subject);
    }
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
/// `subject` is what may fail on its own while others succeed; `target` the service that the message is for.
pub async fn persist<'a, T>(
    app: &App,
    delivery: &Delivery,
    subject: &Digest,
    target: Service,
    mut attempt: impl FnMut() -> BoxFuture<'a, Result<T, Failure>> + Send,
) -> Result<End<T>, HandBack>
where
    T: Send + 'a,
{
    let started = Instant::now();
    let mut waits = 0u32;
    let mut attempts = 0u32;
    let mut failing: Option<FailingMessage> = None;
    loop {
        let result = {
            let turn = timeout_at(delivery.deadline, app.outages.turn(target)).await;
            let Ok(_probe) = turn else {
                return Err(HandBack);
            };
            attempts += 1;
            let Ok(result) = timeout_at(delivery.deadline, attempt()).await else {
                tracing::warn!(
                    event = "attempt_out_of_time",
                    "the attempt did not end in time"
                );
                return Err(HandBack);
            };
            if let Err(Failure::Retriable(error)) = &result {
                app.outages.failed(error);
            }
            result
        };
        let wait = match result {
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
            Err(Failure::NotYet(rejection)) => {
                if waited(delivery, started) >= app.settings.unknown_thread {
                    return Ok(End::GivenUp {
                        rejection: Box::new(rejection),
                        attempts,
                    });
                }
                Duration::from_millis(500)
            }
            Err(Failure::Retriable(error)) => {
                report(&error, attempts);
                if counts_against_the_message(&error) {
                    let now = Instant::now();
                    let message = failing.get_or_insert_with(|| FailingMessage::new(now - started));
                    message.failed();
                    let evidence = others_succeed(app, &error, subject, started).await;
                    let patience = if app.failing_chats.contains(subject) {
                        KNOWN_FAILING_PATIENCE
                    } else {
                        app.settings.failing_message
                    };
                    let (others, limit) = match evidence {
                        Evidence::OthersSucceed => (true, ATTEMPTS),
                        // An answer to a probe is weaker: the kind of call that fails here may be down for all.
                        Evidence::ServiceAnswers => (true, u32::MAX),
                        Evidence::None => (false, ATTEMPTS),
                    };
                    let now = Instant::now() - started;
                    if message.decide(now, others, limit, patience) == Decision::GiveUp {
                        app.failing_chats.insert(subject);
                        let rejection = given_up(&error);
                        return Ok(End::GivenUp {
                            rejection: Box::new(rejection),
                            attempts,
                        });
                    }
                }
                waits += 1;
                let pause = if error.kind == ErrorKind::Precondition {
                    // Another writer was faster; its state is there now.
                    Duration::from_millis(20)
                } else {
                    backoff(waits, random(), SHORTEST_WAIT, LONGEST_WAIT)
                };
                pause.max(error.retry_after.unwrap_or_default())
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
    delivery
        .trigger
        .enqueued_at
        .and_then(|at| Duration::try_from(time::OffsetDateTime::now_utc() - at).ok())
        .unwrap_or_default()
        .max(started.elapsed())
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
                | ErrorKind::Precondition
        )
}

enum Evidence {
    None,
    ServiceAnswers,
    OthersSucceed,
}

async fn others_succeed(
    app: &App,
    error: &ServiceError,
    subject: &Digest,
    since: Instant,
) -> Evidence {
    if app.successes.elsewhere(error.service, subject, since) {
        return Evidence::OthersSucceed;
    }
    // A wrong integration id makes every message a 404 while the service itself answers well.
    let probe_proves_nothing = error.service == Service::Genesys
        && matches!(error.kind, ErrorKind::Forbidden | ErrorKind::NotFound);
    if probe_proves_nothing {
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
