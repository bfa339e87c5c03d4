//! The core of the bridge: ids, threads, conversion and policies. It does no input or output, knows no clock and rolls no dice;
//! what it needs of those is handed in.

#![warn(missing_docs)]

pub mod answer;
pub mod attributes;
pub mod blobs;
pub mod changes;
pub mod chat_kind;
pub mod client_state;
pub mod convert;
pub mod envelope;
pub mod failed;
pub mod files;
pub mod genesys;
pub mod groups;
pub mod hosted;
pub mod html;
pub mod identity;
pub mod ids;
pub mod json_fault;
pub mod message;
pub mod notification;
pub mod pace;
pub mod recognise;
pub mod retry;
pub mod split;
pub mod state;
pub mod teams_html;
pub mod thread;
pub mod trigger;
pub mod unwrap;
pub mod verdict;
