//! The sign-in of a Support User in the browser: a one-time link, then the authorization code flow with PKCE ("Microsoft identity
//! platform and OAuth 2.0 authorization code flow"), then a page that says what became of it.

mod html;
pub mod page;
pub mod person;
pub mod record;
pub mod request;
pub mod ticket;

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

/// How long a link can be opened, and how long a person may take to sign in then.
pub const STEP_LIFE: Duration = Duration::from_secs(15 * 60);

/// Life of a refresh token that is not used; each use gives it that much again ("Refresh tokens in the Microsoft identity
/// platform").
pub const REFRESH_TOKEN_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

/// A PKCE code verifier of random bytes: 43 characters, the fewest that RFC 7636, 4.1 allows.
#[must_use]
pub fn verifier(random: [u8; 32]) -> SecretString {
    URL_SAFE_NO_PAD.encode(random).into()
}

/// The verifier's code challenge (RFC 7636, 4.2: `S256`).
#[must_use]
pub fn challenge(verifier: &SecretString) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.expose_secret().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
        let expected = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(challenge(&verifier), expected);
        assert_eq!(super::verifier([7; 32]).expose_secret().len(), 43);
    }
}
