//! Ids as types: one place that makes and parses each of them.
//!
//! Ids of people, chats and messages never print themselves: `Debug` shows a digest, so that a log line can be compared
//! without telling who it is about.

mod addresses;
mod digests;
mod people;
mod threads;

pub use addresses::{BusMessageId, CorrelationId, Lane};
pub use digests::Digest;
pub(crate) use digests::hex;
pub use people::{ChatId, GenesysMessageId, SupportAccountName, TeamsMessageId, TenantId, UserId};
pub use threads::ThreadId;

/// A text that is not the id it should be; the text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {0}")]
pub struct InvalidId(
    /// What it should have been.
    pub &'static str,
);
