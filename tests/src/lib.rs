//! What the end-to-end tests share: starting the local platform with the real handler, writing as customer and agent, and
//! waiting for what must happen.
//!
//! Nothing here sleeps: a test waits for the platform's events and looks again after each, up to a deadline.

#![warn(missing_docs)]

pub mod files;
pub mod people;
pub mod platform;
mod running;
pub mod scene;
pub mod view;
pub mod web_driver;

pub use people::{Chat, Customer};
pub use platform::Platform;
pub use running::Account;
pub use scene::Scene;

/// A client for this machine that trusts the platform's throw-away authority.
pub(crate) fn client_trusting(authority: &[u8]) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(authority).expect("a certificate");
    reqwest::Client::builder()
        .tls_certs_only([root])
        .no_proxy()
        .build()
        .expect("a client")
}

/// A client for plain HTTP on this machine, whatever proxy its environment names.
pub(crate) fn loopback_client() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only(std::iter::empty())
        .no_proxy()
        .build()
        .expect("a client")
}

/// Runs what waits without giving its thread up.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
