//! Where a bot's conversation is reached: all that a message to it needs (Microsoft Learn, "Send proactive messages").

use serde::{Deserialize, Serialize};

use crate::ids::TenantId;

/// A conversation's address, as its latest activity told it. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationReference {
    /// Where the connector takes calls for it. It comes from outside: a token may go there only once the host was checked.
    pub service_url: String,
    /// The bot's own id there, `28:{application id}`.
    pub bot: String,
    /// The customer's id there, `29:…`: it means something to this bot alone.
    #[serde(default)]
    pub user: String,
    /// The tenant in which the bot was installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
}

debug_shows!(ConversationReference:);
