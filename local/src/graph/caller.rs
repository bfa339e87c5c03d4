//! Who calls, what the token allows, and how often this may be called.

use http::{HeaderMap, header};
use serde_json::Value;

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

/// A kind of call, and how often it may come each second from one user, where the published table has a figure. For each
/// chat that is once.
pub type Limit = (&'static str, Option<f64>);

/// Who calls, as the token says.
pub struct Caller {
    /// Object id of the user.
    pub user: String,
    scopes: String,
}

impl Caller {
    /// Refuses a caller who was granted none of these scopes.
    pub fn may(&self, any_of: &[&str]) -> Result<(), Refusal> {
        if self.scopes.split(' ').any(|it| any_of.contains(&it)) {
            return Ok(());
        }
        const MISSING: &str = "Missing scope permissions on the request.";
        Err(Refusal::forbidden(MISSING))
    }
}

impl Graph {
    /// Who sent the request.
    pub(super) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let claims = self.claims(headers)?;
        let text = |name: &str| claims[name].as_str().unwrap_or_default().to_owned();
        Ok(Caller {
            user: text("oid"),
            scopes: text("scp"),
        })
    }

    /// What the request's token says.
    pub(super) fn claims(&self, headers: &HeaderMap) -> Result<Value, Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or(Refusal::UNAUTHORIZED)?;
        let claims = self.entra.verify(token, &AUDIENCES);
        claims.map_err(|_| Refusal::UNAUTHORIZED)
    }

    /// Reads a chat that the caller may see.
    pub(super) fn read<T>(
        &self,
        headers: &HeaderMap,
        chat: &str,
        (call, per_user): Limit,
        look: impl FnOnce(&Chat) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let caller = self.caller(headers)?;
        caller.may(&READ)?;
        let by_chat = self.throttle.admit(call, chat, 1.0);
        if let Some(rate) = per_user {
            self.throttle.admit(call, &caller.user, rate)?;
        }
        by_chat?;
        let chats = self.chats.lock();
        let found = chats.get(chat).ok_or(Refusal::NOT_FOUND)?;
        if !found.has_member(&caller.user) {
            return Err(Refusal::forbidden("InsufficientPrivileges"));
        }
        look(found)
    }
}
