//! What lies on the queues, how the Functions host hands it over, and what is kept of a message that failed.

pub mod dead_letter;
pub mod envelope;
pub mod failed;
pub mod replay;
pub mod route;
pub mod selection;
pub mod spool;
pub mod trigger;

#[cfg(test)]
mod tests;
