//! The core of the bridge: ids, threads, conversion and policies. It does no input or output, knows no clock and rolls no dice;
//! what it needs of those is handed in.

#![warn(missing_docs)]

#[macro_use]
mod debug;

pub mod bot;
pub mod catch_up;
pub mod conversation;
pub mod ending;
pub mod files;
pub mod forget;
pub mod genesys;
pub mod ids;
pub mod json_fault;
pub mod moment;
pub mod notices;
pub mod pace;
pub mod patience;
pub mod queue;
pub mod rotation;
pub mod self_check;
pub mod sign_in;
pub mod state;
pub mod status;
pub mod subscriptions;
pub mod teams;
pub mod text;
pub mod timer;
pub mod typing;
