//! Genesys Cloud: Open Messaging for the functions, and what an administrator sets up.

pub mod admin;
mod conversation;
mod login;
mod messaging;

pub use conversation::Participant;
pub use messaging::{Genesys, PostedMessage};

/// Largest answer: a message with its attributes comes back, and requests are limited to 512,000 bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;
