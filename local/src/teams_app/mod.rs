//! People in Teams and their chats with the app: what they do there, and the control interface about it.

mod activities;
mod chats;
mod control;
mod deeds;
mod quotes;
#[cfg(test)]
mod tests;

pub use control::router as control;
