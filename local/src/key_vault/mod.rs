//! Key Vault, simulated: secrets.
//!
//! Source: Azure Key Vault REST API reference, "Get Secret", "Set Secret"; "Authentication, requests and responses"
//! (the challenge).

mod api;
mod control;
mod state;
#[cfg(test)]
mod tests;

pub use api::router;
pub use control::router as control;
pub use state::KeyVault;
