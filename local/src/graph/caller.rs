//! Who calls, what the token allows, and how often this may be called.

use http::{HeaderMap, header};

use super::answers::Refusal;
use super::chats::Chat;
use super::state::Graph;

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

/// A kind of call with these limits.
pub const fn limit(call: &'static str, per_chat: f64, per_user: Option<f64>) -> Limit {
    Limit {
        call,
        per_chat,
        per_user,
    }
}

/// Calls that the published table does not list.
pub const fn unlisted(call: &'static str) -> Limit {
    limit(call, 1.0, Some(1.0))
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
        let granted = |scope: &String| any_of.contains(&scope.as_str());
        if self.scopes.iter().any(granted) {
            Ok(())
        } else {
            const MISSING: &str = "Missing scope permissions on the request.";
            Err(Refusal::forbidden(MISSING))
        }
    }
}

impl Graph {
    /// Who sent the request.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or(Refusal::UNAUTHORIZED)?;
        let claims = self
            .entra
            .verify(token, &AUDIENCES)
            .map_err(|_| Refusal::UNAUTHORIZED)?;
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
        look: impl FnOnce(&Chat) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let caller = self.caller(headers)?;
        caller.may(&READ)?;
        let by_chat = self.throttle.allows(limit.call, chat, limit.per_chat);
        let by_user = limit
            .per_user
            .is_none_or(|rate| self.throttle.allows(limit.call, &caller.user, rate));
        if !by_chat || !by_user {
            return Err(Refusal::TOO_MANY);
        }
        let chats = self.chats.lock();
        let found = chats.get(chat).ok_or(Refusal::NOT_FOUND)?;
        if !found.has_member(&caller.user) {
            return Err(Refusal::forbidden("InsufficientPrivileges"));
        }
        look(found)
    }
}
