//! Which messages of group chats go to the agent.

use crate::ids::UserId;
use crate::message::ChatMessage;

/// The setting `GROUP_CHATS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPolicy {
    /// None.
    Off,
    /// Those that mention the support account.
    Mention,
    /// All.
    All,
}

/// Whether a message of a group chat goes to the agent.
#[must_use]
pub fn accepts(policy: GroupPolicy, message: &ChatMessage, support: &UserId) -> bool {
    match policy {
        GroupPolicy::Off => false,
        GroupPolicy::All => true,
        GroupPolicy::Mention => message
            .mentions
            .iter()
            .any(|mention| mention.user.as_ref() == Some(support)),
    }
}
