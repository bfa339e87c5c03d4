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
pub(crate) use cloud::{is_login_host, is_resource_manager_host};
pub use delegated::DelegatedTokens;
pub use refusal::Remedy;
pub use sign_in::{SignIn, SignedIn};
pub use validator::{IdToken, TokenValidator, Verdict};

/// The host of a login endpoint's cloud, which its v2.0 tokens name as their issuer.
pub fn issuer_of(endpoint: &str) -> &'static str {
    cloud::of(&crate::address::base(endpoint)).issuer
}

/// Azure Resource Manager of a login endpoint's cloud.
pub fn resource_manager_of(endpoint: &str) -> &'static str {
    cloud::of(&crate::address::base(endpoint)).resource_manager
}

/// Microsoft Graph of a login endpoint's cloud.
pub fn graph_of(endpoint: &str) -> &'static str {
    cloud::of(&crate::address::base(endpoint)).graph
}

/// The audience that a federated credential names in a login endpoint's cloud.
pub fn exchange_audience_of(endpoint: &str) -> &'static str {
    let scope = cloud::of(&crate::address::base(endpoint)).exchange_scope;
    scope.trim_end_matches("/.default")
}

/// The scope of tokens for a Resource Manager at this address; one that is no cloud's own takes those of the public cloud.
pub(crate) fn resource_manager_scope(base: &str) -> String {
    let own = cloud::ALL.iter().map(|cloud| cloud.resource_manager);
    let own = own.into_iter().find(|known| *known == base);
    format!("{}/.default", own.unwrap_or(cloud::ALL[0].resource_manager))
}

#[cfg(test)]
mod tests {
    mod agent_user;
    mod delegated;
    mod sign_in;
    mod validator;
}
