//! Which messages of group chats go to the agent.

use crate::ids::UserId;
use crate::teams::message::ChatMessage;

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

#[cfg(test)]
mod tests {
    use super::*;

    const SUPPORT: &str = "0f0e0d0c-0000-4000-8000-0000000000aa";

    fn message(mentioned: &str) -> ChatMessage {
        let json = serde_json::json!({
            "id": "1",
            "createdDateTime": "2026-01-02T03:04:05Z",
            "mentions": [
                { "id": 0, "mentionText": "Everyone", "mentioned": { "conversation": { "id": "19:a" } } },
                { "id": 1, "mentionText": "Support", "mentioned": { "user": { "id": mentioned } } },
            ],
        });
        ChatMessage::parse(json.to_string().as_bytes()).expect("readable")
    }

    #[test]
    fn the_policy_decides() {
        let support: UserId = SUPPORT.parse().expect("a GUID");
        let to_us = message(&SUPPORT.to_uppercase());
        let to_others = message("0f0e0d0c-0000-4000-8000-0000000000bb");
        let decided = |policy| {
            [
                accepts(policy, &to_us, &support),
                accepts(policy, &to_others, &support),
            ]
        };
        assert_eq!(decided(GroupPolicy::Off), [false, false]);
        assert_eq!(decided(GroupPolicy::Mention), [true, false]);
        assert_eq!(decided(GroupPolicy::All), [true, true]);
    }
}
