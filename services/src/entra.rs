//! Microsoft Entra ID: verdicts on validation tokens, the Support Users' sign-in, and the support accounts' delegated tokens.

mod agent_user;
mod app;
mod application;
mod client_secret;
mod cloud;
mod delegated;
mod refusal;
mod sign_in;
pub(crate) mod signing_keys;
mod validator;

pub use agent_user::{AgentUser, AgentUsers};
pub use app::{ClientAuthentication, OwnRegistration, Registration};
pub use application::ApplicationToken;
pub use client_secret::ClientSecretProbe;
pub use delegated::DelegatedTokens;
pub use refusal::Remedy;
pub use sign_in::{SignIn, SignedIn};
pub use validator::{IdToken, TokenValidator, Verdict};

/// The host of a login endpoint's cloud, which its v2.0 tokens name as their issuer.
pub(crate) fn issuer_of(endpoint: &str) -> &'static str {
    cloud::of(&crate::address::base(endpoint)).issuer
}

#[cfg(test)]
mod tests {
    mod agent_user;
    mod delegated;
    mod sign_in;
    mod validator;
}
