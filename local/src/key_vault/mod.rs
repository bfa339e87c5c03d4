//! Key Vault, simulated: secrets.
//!
//! Source: Azure Key Vault REST API reference, "Get Secret", "Get Secret Versions", "Set Secret", "Delete Secret"; "Authentication,
//! requests and responses" (the challenge); "Azure Key Vault soft-delete overview".

mod api;
mod control;
mod state;
#[cfg(test)]
mod tests;

pub use api::router;
pub use control::router as control;
pub use state::KeyVault;
