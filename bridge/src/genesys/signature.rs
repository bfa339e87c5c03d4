//! `X-Hub-Signature-256`: `sha256=` and the standard base64 of the HMAC-SHA256 over the raw body (Genesys Developer Center,
//! Open Messaging, "validate").

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// Whether the header signs the body with one of our secrets, compared in constant time.
#[must_use]
pub fn verify(body: &[u8], header: &str, secrets: &[SecretString]) -> bool {
    let Some(presented) = header
        .strip_prefix("sha256=")
        .and_then(|tag| STANDARD.decode(tag).ok())
    else {
        return false;
    };
    secrets
        .iter()
        .filter(|secret| !secret.expose_secret().is_empty())
        .filter(|secret| hmac::verify(&key(secret), body, &presented).is_ok())
        .count()
        > 0
}

/// The header of a body, as Genesys makes it.
#[must_use]
pub fn sign(body: &[u8], secret: &SecretString) -> String {
    format!("sha256={}", STANDARD.encode(hmac::sign(&key(secret), body)))
}

fn key(secret: &SecretString) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_published_test_vector_is_signed() {
        let header = sign(b"what do ya want for nothing?", &SecretString::from("Jefe"));
        assert_eq!(
            header,
            "sha256=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
    }

    #[test]
    fn only_base64_of_the_right_key_and_body_is_taken() {
        let [current, previous, other, empty] =
            ["current", "previous", "other", ""].map(SecretString::from);
        let body = b"{\"id\":\"1\"}";
        let good = sign(body, &current);
        let hex = hmac::sign(&key(&current), body).as_ref().to_vec();
        let hex: String = hex.iter().map(|byte| format!("{byte:02x}")).collect();
        let of_nothing = sign(body, &empty);
        let secrets = [current, previous, empty];
        for secret in &secrets[..2] {
            assert!(verify(body, &sign(body, secret), &secrets));
        }
        assert!(!verify(b"{\"id\":\"2\"}", &good, &secrets));
        for header in [
            sign(body, &other),
            good.trim_start_matches("sha256=").to_owned(),
            format!("sha256={hex}"),
            of_nothing,
            String::new(),
        ] {
            assert!(!verify(body, &header, &secrets), "{header}");
        }
    }
}
