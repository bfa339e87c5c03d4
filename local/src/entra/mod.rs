//! Entra ID and the managed-identity endpoint, simulated.
//!
//! Tokens are real RS256 tokens by keys of this run, so every service here checks what the real one checks: signature,
//! lifetime and audience. Sources: Microsoft Learn, "Microsoft identity platform access tokens", "Microsoft identity
//! platform and OAuth 2.0 authorization code flow", "How to use managed identities for App Service and Azure Functions",
//! "Microsoft Entra authentication and authorization error codes".

mod agent;
mod authorize;
mod control;
mod keys;
mod managed_identity;
mod operator;
mod passwords;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod token_endpoint;

pub use control::{PUBLISHER, router as control};
pub(crate) use keys::SigningKeys;
pub use managed_identity::router as identity_router;
pub use operator::RESOURCES as OPERATORS_RESOURCES;
pub use passwords::{Password, Passwords};
pub(crate) use state::BOT_AUDIENCE;
pub use state::Entra;
pub use token_endpoint::router;
