//! Microsoft Graph, simulated: Teams chats, their messages, files and members, and change notifications.
//!
//! It refuses what Graph refuses (missing scopes, chats of others, posts above 28 KB, too many requests) and misbehaves where
//! Graph does: it rewrites HTML, and for every second post the notification is there before the post's own answer. Sources:
//! Microsoft Learn, "chatMessage resource type", "Send chatMessage in a channel or a chat", "List messages in a chat",
//! "Receive change notifications through webhooks", "Microsoft Graph service-specific throttling limits".

mod answers;
mod api;
mod applications;
mod caller;
mod changes;
mod chats;
mod control;
mod deliveries;
mod directory;
mod files;
mod listing;
mod notifications;
mod onedrive;
mod parts;
mod posted;
mod raw;
mod registrations;
mod rewrite;
mod shown;
mod state;
mod subscriptions;
#[cfg(test)]
mod tests;
mod throttle;
mod views;
mod written;

pub use api::router;
pub(crate) use chats::{Person, UserType};
pub use control::router as control;
pub use files::downloads;
pub use state::Graph;
