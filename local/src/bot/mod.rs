//! The Bot connector for Microsoft Teams, simulated: what it delivers of a chat with the app, and what it takes of the bot.
//!
//! It signs, refuses and limits as the published documents say, and where they are silent it does the stricter thing: two writes
//! to one chat that overlap are one too many, every write counts as a send, and a malformed activity is never mended. Sources:
//! bot-docs, "Authentication with the Bot Connector API"; msteams-docs, "Messages in bot conversations", "Conversation events",
//! "Rate limiting for agents", "Send and receive files from a bot", "Get context".

mod api;
mod deliveries;
mod state;

pub use api::router;
pub(crate) use deliveries::{Signing, another_key};
pub use state::Bot;
pub(crate) use state::{Chat, Message};
