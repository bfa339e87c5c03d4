//! The Azure Functions host, played for one app: processes, HTTP, queue functions, timers.

pub mod app;
mod crash_policy;
mod envelope;
mod instance;
mod instances;
mod invoke;
mod process;
mod proxy;
mod routes;
mod schedule;
mod surroundings;
mod timers;
mod worker;

pub use instances::Host;
pub use invoke::Outcome;
pub use proxy::router;
pub use surroundings::Surroundings;
