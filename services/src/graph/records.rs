//! What Graph says about chats and people. Their `Debug` shows nothing personal.

use std::fmt;

use serde::Deserialize;

/// A chat.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// Chat id.
    pub id: String,
    /// `oneOnOne`, `group`, `meeting`, or what Graph adds later.
    pub chat_type: String,
    /// The tenant that the chat was created in, where Graph tells.
    pub tenant_id: Option<String>,
}

impl fmt::Debug for Chat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Chat")
            .field("chat_type", &self.chat_type)
            .finish_non_exhaustive()
    }
}

/// A member of a chat. Of people in other tenants Graph often knows no more than the id; personal accounts have no tenant.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemberRecord {
    /// Entra object id.
    pub user_id: Option<String>,
    /// Tenant of the user.
    pub tenant_id: Option<String>,
    /// Mail address or UPN.
    pub email: Option<String>,
    /// Name as Teams shows it.
    pub display_name: Option<String>,
}

impl fmt::Debug for MemberRecord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemberRecord")
            .field("user_id", &self.user_id.is_some())
            .field("tenant_id", &self.tenant_id.is_some())
            .field("email", &self.email.is_some())
            .field("display_name", &self.display_name.is_some())
            .finish()
    }
}
