//! What the end-to-end tests share: starting the local platform with the real handler, writing as customer and agent, and
//! waiting for what must happen.
//!
//! Nothing here sleeps: a test waits for the platform's events and looks again after each, up to a deadline.

#![warn(missing_docs)]

pub mod people;
pub mod platform;
pub mod view;
pub mod web_driver;

pub use people::{Chat, Customer};
pub use platform::Platform;
