//! What every queue function shares: the host's payload in, one settlement, one JSON answer out.

pub mod delivery;
pub mod enqueue;
pub mod job;
pub mod keep_trying;
pub mod opening;
mod question;
pub mod settlement;
pub mod spool;
