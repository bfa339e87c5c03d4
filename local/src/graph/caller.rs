//! Who calls, what the token allows, and how often this may be called.

use http::{HeaderMap, header};

use super::Graph;
use super::answers::Refusal;
use super::chats::Chat;

/// Scopes that let a caller read chats.
pub const READ: [&str; 2] = ["Chat.Read", "Chat.ReadWrite"];

/// Scopes that let a caller read files.
pub const READ_FILES: [&str; 4] = [
    "Files.Read",
    "Files.Read.All",
    "Files.ReadWrite",
    "Files.ReadWrite.All",
];

/// Audiences of a token for Graph: its address and its application id.
const AUDIENCES: [&str; 2] = [
    "https://graph.microsoft.com",
    "00000003-0000-0000-c000-000000000000",
];

/// How often one kind of call may come, a second.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// What is counted.
    pub call: &'static str,
    /// For each chat.
    pub per_chat: f64,
    /// For each user, where the published table has a figure.
    pub per_user: Option<f64>,
}

/// Calls that the published table does not list.
pub const fn unlisted(call: &'static str) -> Limit {
    Limit {
        call,
        per_chat: 1.0,
        per_user: Some(1.0),
    }
}

/// Who calls, as the token says.
pub struct Caller {
    /// Object id of the user.
    pub user: String,
    scopes: Vec<String>,
}

impl Caller {
    /// Refuses a caller who was granted none of these scopes.
    pub fn may(&self, any_of: &[&str]) -> Result<(), Refusal> {
        let allowed = self
            .scopes
            .iter()
            .any(|scope| any_of.contains(&scope.as_str()));
        if allowed {
            Ok(())
        } else {
            Err(Refusal::Forbidden(
                "Missing scope permissions on the request.",
            ))
        }
    }
}

impl Graph {
    /// Who sent the request.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or(Refusal::Unauthorized)?;
        let claims = self
            .entra
            .verify(token, &AUDIENCES)
            .map_err(|_| Refusal::Unauthorized)?;
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        Ok(Caller {
            user: text("oid"),
            scopes: text("scp").split(' ').map(str::to_owned).collect(),
        })
    }

    /// Reads a chat that the caller may see.
    pub(super) fn read<T>(
        &self,
        headers: &HeaderMap,
        chat: &str,
        limit: Limit,
        look: impl FnOnce(&Caller, &Chat) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let caller = self.caller(headers)?;
        caller.may(&READ)?;
        let by_chat = self.throttle.allows(limit.call, chat, limit.per_chat);
        let by_user = limit
            .per_user
            .is_none_or(|rate| self.throttle.allows(limit.call, &caller.user, rate));
        if !by_chat || !by_user {
            return Err(Refusal::TooMany);
        }
        let chats = self.chats();
        let found = chats.get(chat).ok_or(Refusal::NotFound)?;
        if !found.has_member(&caller.user) {
            return Err(Refusal::Forbidden("InsufficientPrivileges"));
        }
        look(&caller, found)
    }
}
