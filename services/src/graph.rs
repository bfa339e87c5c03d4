//! Microsoft Graph: chats, their members and messages.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use time::OffsetDateTime;

use crate::error::ServiceError;

/// A chat.
#[derive(Clone, PartialEq, Eq)]
pub struct Chat {
    /// Chat id.
    pub id: String,
    /// `oneOnOne`, `group`, `meeting` or what Graph adds later.
    pub chat_type: String,
}

impl fmt::Debug for Chat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Chat")
            .field("chat_type", &self.chat_type)
            .finish_non_exhaustive()
    }
}

/// A member of a chat; every field may be missing for people of other tenants.
#[derive(Clone, Default, PartialEq, Eq)]
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
            .finish_non_exhaustive()
    }
}

/// Client of Microsoft Graph v1.0.
#[derive(Debug)]
pub struct Graph {}

impl Graph {
    /// Graph at this endpoint, for example `https://graph.microsoft.com`; nothing is called yet.
    #[must_use]
    pub fn new(client: reqwest::Client, endpoint: &str) -> Self {
        let _ = (client, endpoint);
        unimplemented!()
    }

    /// The chat's type.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn get_chat(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
    ) -> Result<Chat, ServiceError> {
        let _ = (token, correlation, chat);
        unimplemented!()
    }

    /// A message as Graph sends it: JSON of a `chatMessage`.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn get_message(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
        message: &str,
    ) -> Result<Vec<u8>, ServiceError> {
        let _ = (token, correlation, chat, message);
        unimplemented!()
    }

    /// Messages created or changed after `since`, newest first.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn list_messages(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
        since: OffsetDateTime,
    ) -> Result<Vec<serde_json::Value>, ServiceError> {
        let _ = (token, correlation, chat, since);
        unimplemented!()
    }

    /// The chat's members.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn members(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
    ) -> Result<Vec<MemberRecord>, ServiceError> {
        let _ = (token, correlation, chat);
        unimplemented!()
    }

    /// Posts HTML and returns the id of the new message.
    ///
    /// # Errors
    /// Graph refused or could not be reached; `sent` says whether the post may be there all the same.
    pub async fn post_message(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
        html: &str,
        timeout: Duration,
    ) -> Result<String, ServiceError> {
        let _ = (token, correlation, chat, html, timeout);
        unimplemented!()
    }

    /// Whether Graph answers a plain read.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn probe(&self, token: &SecretString) -> Result<(), ServiceError> {
        let _ = token;
        unimplemented!()
    }
}
