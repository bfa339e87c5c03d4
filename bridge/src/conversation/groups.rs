//! Group chats: which messages go to the agent, and which of us bridges them.

use super::case::{Case, Chat, GroupPolicy};
use crate::ids::{SupportAccountName, UserId};
use crate::teams::message::ChatMessage;

/// Whether a message of a group chat goes to the agent.
#[must_use]
pub fn accepts(policy: GroupPolicy, message: &ChatMessage, support: &UserId) -> bool {
    match policy {
        GroupPolicy::Off => false,
        GroupPolicy::All => true,
        GroupPolicy::Mention => mentions(message, support),
    }
}

fn mentions(message: &ChatMessage, user: &UserId) -> bool {
    let mut mentions = message.mentions.iter();
    mentions.any(|mention| mention.user.as_ref() == Some(user))
}

/// The account that a group's message is bridged by: the one that the chat has already, else the one that is mentioned, else the
/// one that was notified. `None` when the message is not for the agent.
pub(super) fn account(
    case: &Case<'_>,
    chat: Chat<'_>,
    message: &ChatMessage,
) -> Option<SupportAccountName> {
    let policy = case.policy;
    let mut accounts = policy.accounts.iter();
    let mentioned = accounts.find(|(_, user)| mentions(message, user));
    // One group is one conversation, whoever of us is mentioned later.
    let present = &chat.inbound.account;
    let has_one = chat.inbound.thread.is_some() && policy.user_of(present).is_some();
    let account = match mentioned {
        _ if has_one => present,
        Some((name, _)) => name,
        None => &case.notification.account,
    };
    // What the agent has seen stays with the agent, even when an edit took the mention out.
    let carried = chat.inbound.messages.get(&message.id);
    if carried.is_some_and(|carried| carried.is_shown()) {
        return Some(account.clone());
    }
    let user = match mentioned {
        Some((_, user)) => user,
        None => policy.user_of(account)?,
    };
    accepts(policy.groups, message, user).then(|| account.clone())
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
