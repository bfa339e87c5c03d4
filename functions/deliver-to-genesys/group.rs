//! Group chats: which of us bridges one, and whether a message of it is for the agent.

use bridge::conversation::groups;
use bridge::ids::SupportAccountName;
use bridge::teams::chat_kind::ChatType;
use bridge::teams::message::ChatMessage;

use super::chat::ChatMemory;
use crate::app::App;

/// The Support User that a chat's messages are bridged by: in a group the one that is mentioned, else the one that the chat
/// already has. `None` when the group's message is not for the agent.
pub fn account(
    app: &App,
    kind: ChatType,
    memory: &ChatMemory,
    notified: &SupportAccountName,
    message: &ChatMessage,
) -> Option<SupportAccountName> {
    if kind == ChatType::OneOnOne {
        return Some(notified.clone());
    }
    let policy = app.settings.group_chats;
    let mentioned = app.settings.support_accounts.iter().find(|account| {
        message
            .mentions
            .iter()
            .any(|mention| mention.user.as_ref() == Some(&account.user))
    });
    let account = match (mentioned, &memory.inbound.thread) {
        (Some(mentioned), None) => mentioned.name.clone(),
        // One group is one conversation, whoever of us is mentioned later.
        (_, Some(_))
            if app
                .settings
                .support_account(&memory.inbound.account)
                .is_some() =>
        {
            memory.inbound.account.clone()
        }
        (Some(mentioned), Some(_)) => mentioned.name.clone(),
        (None, _) => notified.clone(),
    };
    // What the agent has seen stays with the agent, even when an edit took the mention out.
    if memory
        .inbound
        .handled
        .get(&message.id)
        .is_some_and(|known| !known.genesys.is_empty())
    {
        return Some(account);
    }
    let user = match mentioned {
        Some(mentioned) => &mentioned.user,
        None => &app.settings.support_account(&account)?.user,
    };
    groups::accepts(policy, message, user).then_some(account)
}
