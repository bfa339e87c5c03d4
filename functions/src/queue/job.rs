//! What a queue function writes itself: the work on one queue message.

use bridge::ids::{Digest, SupportAccountName};
use bridge::patience::Reason;

use super::delivery::{HandBack, Outcome};
use crate::failure::{Failure, Rejection};

/// The work on one queue message.
pub trait Job: Sync {
    /// What can fail on its own while others are served.
    fn subject(&self) -> &Digest;

    /// Digest of the chat, where it is known.
    fn chat(&self) -> Option<Digest> {
        None
    }

    /// The support account that it concerns.
    fn account(&self) -> Option<&SupportAccountName> {
        None
    }

    /// Delivers the message, or what is still missing of it.
    fn attempt(&self) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// Leaves a file that cannot be had where it is, so that the next attempt goes on without it; false when the message is
    /// worth nothing without it.
    fn give_up_file(&self, _file: &Digest) -> bool {
        false
    }

    /// Sets apart what the last attempt could not do, to be settled as a queue message of its own, so that the next attempt goes on
    /// with the rest; false when there is no rest.
    fn set_apart(&self) -> bool {
        false
    }

    /// The rejection with what this message knows of its cause.
    fn explained(&self, _reason: Reason, rejection: Box<Rejection>) -> Box<Rejection> {
        rejection
    }

    /// A last look before the message is given up: it may have arrived all the same.
    fn arrived_after_all(&self) -> impl Future<Output = Result<bool, HandBack>> + Send {
        async { Ok(false) }
    }

    /// Whether anybody would look at the message once it is given up.
    fn is_worth_storing(&self) -> bool {
        true
    }

    /// Tells the sender that the message was given up, where there is somebody to tell.
    fn tell(&self, _rejection: &Rejection) -> impl Future<Output = Result<(), HandBack>> + Send {
        async { Ok(()) }
    }
}
