//! Entra ID and the managed-identity endpoint, simulated.
//!
//! Tokens are real RS256 tokens by keys of this run, so every service here checks what the real one checks: signature,
//! lifetime and audience. Sources: Microsoft Learn, "Microsoft identity platform access tokens", "Microsoft identity
//! platform and OAuth 2.0 authorization code flow", "How to use managed identities for App Service and Azure Functions",
//! "Microsoft Entra authentication and authorization error codes".

mod control;
mod keys;
mod managed_identity;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod token_endpoint;

use std::sync::Arc;

use axum::Router;

pub use control::PUBLISHER;
pub use state::Entra;

/// The routes of the login host: token endpoint and signing keys.
pub fn router(entra: &Arc<Entra>) -> Router {
    token_endpoint::router().with_state(Arc::clone(entra))
}

/// The route of the managed-identity endpoint, at the path of [`crate::world::Endpoints::identity`].
pub fn identity_router(entra: &Arc<Entra>) -> Router {
    let path = &entra.world.endpoints.identity;
    managed_identity::router(path).with_state(Arc::clone(entra))
}

/// `POST /local/entra/rotate-keys` and `POST /local/entra/tokens`.
pub fn control(entra: &Arc<Entra>) -> Router {
    control::router().with_state(Arc::clone(entra))
}
