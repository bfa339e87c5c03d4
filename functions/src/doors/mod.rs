//! The doors to a chat: whatever is done in Teams is done through one of six verbs. There is one door today, Microsoft Graph as a
//! Support User; another one (a bot) has its place beside it.

mod graph;

use bridge::ids::{ChatId, SupportAccountName};

pub use graph::Graph;

/// A chat, and the support account that is a member of it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Who acts.
    pub account: &'a SupportAccountName,
    /// Where.
    pub chat: &'a ChatId,
}
