//! Azure Service Bus, simulated: REST send, sessions with peek-lock, duplicate detection, schedule, time to live and
//! dead letters, which REST takes away.

pub mod broker_properties;
mod dead_letters;
mod entity;
pub mod journey;
mod message;
mod namespace;
mod queue;
mod send;
mod store;
#[cfg(test)]
mod tests;

pub use message::{Draft, Message, QueueSettings, QueueView};
pub use namespace::ServiceBus;
pub use queue::{Queue, Receiver};
pub use send::{BATCH_TYPE, router};
pub use store::{HostId, LockLost, Sent};
