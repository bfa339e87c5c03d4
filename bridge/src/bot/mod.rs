//! The second door to Teams, a bot: what its connector sends and takes (Microsoft Learn, "Bot Connector REST API" and the pages on
//! bots in Teams). What a conversation is, and what becomes of a message in it, the rest of the bridge decides: here a
//! customer's activity becomes the same message that Graph would show, and an agent's message becomes activities.

pub mod activity;
pub mod cards;
mod html;
mod marks;
mod message;
pub mod outgoing;
mod pictures;
pub mod press;
pub mod reference;

#[cfg(test)]
mod tests;
