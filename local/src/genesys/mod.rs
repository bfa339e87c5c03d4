//! Genesys Cloud, simulated: login, Open Messaging inbound, the agent, and the webhook towards us.
//!
//! It refuses what Genesys refuses (wrong credentials, unknown integrations, malformed messages, too many requests, answers
//! that a structured message did not offer), drops media outside the content profile or above 25 MB without a word, and shows a
//! repeated message twice, because Genesys documents no check of `messageId`. Sources: Genesys Cloud Developer Center,
//! "Open Messaging"; Genesys Cloud Platform API models `OpenInboundNormalizedMessage`, `OpenInboundNormalizedReceipt`,
//! `OpenInboundNormalizedEvent`, `MessageConversation` and `ErrorBody`; Genesys Cloud Resource Center, "Messaging threading timeline".

mod access;
mod administration;
mod agent;
mod answers;
mod api;
mod checks;
mod control;
mod conversations;
mod downloads;
mod fetch;
mod login;
mod media;
mod organisation;
mod participants;
mod profile;
mod raw;
mod state;
mod structured;
#[cfg(test)]
mod tests;
mod typing;
mod webhook;

pub use api::router;
pub use control::router as control;
pub use downloads::router as downloads;
pub use organisation::{Helper, permissions_of};
pub use state::Genesys;
