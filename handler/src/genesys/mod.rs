//! Genesys Cloud as an administrator's commands reach it: who signs in, and what to do about a call that failed.

mod connection;
mod failure;

pub use connection::Connection;
pub use failure::{Step, explained, missing_right};
