//! Azure Service Bus, simulated: REST send, sessions with peek-lock, duplicate detection, schedule, time to live and
//! dead letters.

pub mod broker_properties;
mod duplicates;
pub mod journey;
mod message;
mod namespace;
mod queue;
mod send;
mod store;
#[cfg(test)]
mod tests;

pub use message::{DeadLetter, Delivery, Draft, Message, QueueCounts, QueueSettings};
pub use namespace::{ServiceBus, TokenCheck};
pub use queue::{Queue, Receiver};
pub use send::{BATCH_TYPE, router};
pub use store::{HostId, LockLost, Sent};
