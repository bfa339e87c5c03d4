//! Microsoft Entra ID: verdicts on validation tokens, and delegated tokens of the Support Users.

mod client_secret;
mod cloud;
mod delegated;
mod signing_keys;
mod validator;

pub use client_secret::ClientSecretProbe;
pub use delegated::{ClientAuthentication, DelegatedTokens};
pub use validator::{TokenValidator, Verdict};

#[cfg(test)]
mod tests {
    mod delegated;
    mod validator;
}
