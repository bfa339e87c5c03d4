//! Microsoft Entra ID: verdicts on validation tokens, the Support Users' sign-in, and their delegated tokens.

mod app;
mod application;
mod client_secret;
mod cloud;
mod delegated;
mod refusal;
mod sign_in;
mod signing_keys;
mod validator;

pub use app::{ClientAuthentication, GraphApp};
pub use application::ApplicationToken;
pub use client_secret::ClientSecretProbe;
pub use delegated::DelegatedTokens;
pub use sign_in::{SignIn, SignedIn};
pub use validator::{IdToken, TokenValidator, Verdict};

#[cfg(test)]
mod tests {
    mod delegated;
    mod sign_in;
    mod validator;
}
