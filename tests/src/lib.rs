//! What the end-to-end tests share: starting the local platform with the real handler, writing as customer and agent, and
//! waiting for what must happen.
//!
//! Nothing here sleeps: a test waits for the platform's events and looks again after each, up to a deadline.

#![warn(missing_docs)]

pub mod app_talk;
pub mod browser;
pub mod commands;
pub mod core_tools;
pub mod files;
pub mod platform;
mod running;
pub mod storm;
mod talk;
pub mod view;
pub mod web_driver;

use std::time::Duration;

use reqwest::{Certificate, Client};
use serde_json::Value;

pub use platform::Platform;
pub use running::{Account, handler};
pub use talk::{Customer, Talk};

/// Longest wait for anything; far above what a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(180);

/// A client for this machine that trusts these authorities only, whatever proxy its environment names.
fn client(authorities: impl IntoIterator<Item = Certificate>) -> Client {
    Client::builder()
        .tls_certs_only(authorities)
        .no_proxy()
        .build()
        .expect("a client")
}

/// An object with further members, or with other values of those it has.
#[must_use]
pub fn with(mut object: Value, members: Value) -> Value {
    for (name, value) in members.as_object().expect("an object") {
        object[name] = value.clone();
    }
    object
}

/// Runs what waits without giving its thread up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
