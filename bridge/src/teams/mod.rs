//! What Microsoft Graph and Teams send and take: notifications, messages, and the conversion of their HTML both ways.

pub(crate) mod address;
pub mod chat_kind;
pub mod client_state;
pub mod convert;
pub mod from_text;
pub mod hosted;
pub mod message;
pub mod notification;
pub mod recognise;
pub mod to_text;
pub mod unwrap;
