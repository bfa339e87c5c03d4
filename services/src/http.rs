//! The one HTTP client below every service, and what its answers and failures mean.

use std::time::Duration;

use crate::error::ServiceError;

/// Limits of the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Longest time for TCP and TLS to be set up.
    pub connect: Duration,
    /// How long an unused connection is kept; below the services' own idle limits, so that a stale one is rare.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            idle: Duration::from_secs(50),
        }
    }
}

/// The client for everything, with the default [`Timeouts`].
///
/// # Errors
/// See [`client_with`].
pub fn client() -> Result<reqwest::Client, ServiceError> {
    client_with(Timeouts::default())
}

/// A client with limits of its own.
///
/// # Errors
/// `SSL_CERT_FILE` is set but cannot be read or holds no certificate.
pub fn client_with(timeouts: Timeouts) -> Result<reqwest::Client, ServiceError> {
    let _ = timeouts;
    unimplemented!()
}
