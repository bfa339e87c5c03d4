//! What a failure means for the message that met it: try again, give up, or hand back to the queue.
//!
//! Blame goes by the kind of failure. A refusal is about the message once it is known that all else is well; a transient
//! failure is about the service until the service was well for others for long enough; throttling, sign-in and our own
//! stores are never about the message.

mod meter;

use std::time::Duration;

pub use meter::Meter;

/// How long a service must have been well for others before a transient failure is blamed on the message.
pub const WELL_FOR: Duration = Duration::from_secs(15 * 60);

/// Age at which a message that still fails is given up. The queues drop (dead-letter) at 14 days; a day is left for a person
/// to find it where it can be replayed from.
pub const EXPIRES_AFTER: Duration = Duration::from_secs(13 * 24 * 3600);

/// Wait before a refused call is made a second time.
const SECOND_TRY: Duration = Duration::from_secs(5);

/// Wait before the work is done again on a state that somebody else changed.
const OVERTAKEN: Duration = Duration::from_millis(20);

/// Bounds of the back-off between attempts.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Attempts that may panic before the message is given up.
const PANICS: u32 = 3;

/// Kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A definitive answer to this very call (400, 403, 404, 409, 410, 413, 415, 422).
    Refusal,
    /// The service did not do its part: 5xx, no answer, a broken connection, an answer of another shape.
    Transient,
    /// A transient failure for one file: losing the file costs less than holding its chat.
    OfFile,
    /// Throttling, sign-in, configuration, our own stores.
    NotTheMessage,
    /// Another holder of the lane wrote the state first.
    Overtaken,
    /// The handler panicked.
    Panic,
}

/// What is known when an attempt has failed.
#[derive(Debug, Clone, Copy)]
pub struct Situation {
    /// Kind of the failure.
    pub fault: Fault,
    /// Failures of this kind in a row in this invocation, this one included.
    pub times: u32,
    /// Attempts of this invocation.
    pub attempts: u32,
    /// Whether all else that a refusal could be blamed on is well; `None` while nobody was asked.
    pub all_else_is_well: Option<bool>,
    /// Since this message first failed, as far as the process knows.
    pub failing_for: Duration,
    /// Whether the service was well for others over all of [`WELL_FOR`].
    pub well_for_others: bool,
    /// How long a file may fail before it is left where it is, as long as all else is well.
    pub file_patience: Duration,
    /// Since the queue accepted the message.
    pub age: Duration,
    /// What is left of the invocation's time.
    pub left: Duration,
    /// How long the service asked to be left alone.
    pub retry_after: Duration,
    /// A number in 0..1 for the jitter.
    pub random: f64,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Ask whether all else is well, then decide again.
    Ask,
    /// Try again after this time.
    TryAgain(Duration),
    /// Put the message into `failed` and tell its sender.
    GiveUp(Reason),
    /// Give the message back to the queue; another invocation goes on.
    HandBack,
}

/// Why a message is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The service refused it twice while all else was well.
    Refused,
    /// It kept failing while the service was well for others.
    KeptFailing,
    /// It would soon expire on the queue.
    Expired,
    /// The handler panicked on it each time.
    Panicked,
}

/// Decides about a failed attempt.
#[must_use]
pub fn decide(situation: &Situation) -> Decision {
    let wait = match situation.fault {
        _ if situation.age >= EXPIRES_AFTER => return Decision::GiveUp(Reason::Expired),
        Fault::Refusal => match situation.all_else_is_well {
            None => return Decision::Ask,
            Some(true) if situation.times > 1 => return Decision::GiveUp(Reason::Refused),
            Some(true) => SECOND_TRY,
            // A matter of configuration, or of an outage that answers strangely: a person is called, nothing is given up.
            Some(false) => backoff(situation),
        },
        Fault::Transient if situation.well_for_others && situation.failing_for >= WELL_FOR => {
            return Decision::GiveUp(Reason::KeptFailing);
        }
        Fault::OfFile if situation.failing_for >= situation.file_patience => {
            match situation.all_else_is_well {
                None => return Decision::Ask,
                Some(true) => return Decision::GiveUp(Reason::KeptFailing),
                Some(false) => backoff(situation),
            }
        }
        Fault::Panic if situation.times >= PANICS => return Decision::GiveUp(Reason::Panicked),
        Fault::Overtaken => SHORTEST_WAIT.min(OVERTAKEN * situation.times),
        Fault::Transient | Fault::OfFile | Fault::NotTheMessage | Fault::Panic => {
            backoff(situation)
        }
    };
    let wait = wait.max(situation.retry_after);
    if wait >= situation.left {
        Decision::HandBack
    } else {
        Decision::TryAgain(wait)
    }
}

/// Whether something that another lane writes, and that is not there yet, is waited for any longer.
#[must_use]
pub fn decide_not_yet(waited: Duration, patience: Duration, left: Duration) -> Decision {
    const LOOK_AGAIN: Duration = Duration::from_millis(500);
    if waited >= patience {
        Decision::GiveUp(Reason::Refused)
    } else if LOOK_AGAIN >= left {
        Decision::HandBack
    } else {
        Decision::TryAgain(LOOK_AGAIN)
    }
}

/// The wait before another attempt: exponential back-off with full jitter.
fn backoff(situation: &Situation) -> Duration {
    let span = SHORTEST_WAIT.saturating_mul(2u32.saturating_pow(situation.attempts));
    let part = situation.random.clamp(0.0, 1.0);
    span.min(LONGEST_WAIT).mul_f64(part).max(SHORTEST_WAIT)
}

#[cfg(test)]
mod tests;
