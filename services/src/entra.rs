//! Microsoft Entra ID: verdicts on validation tokens, and delegated tokens of the Support Users.

mod cloud;
mod delegated;
mod signing_keys;
mod validator;

pub use delegated::{ClientAuthentication, DelegatedTokens};
pub use validator::{TokenValidator, Verdict};

#[cfg(test)]
mod tests {
    mod delegated;
    mod validator;
}
