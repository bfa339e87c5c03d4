//! A key of this run that signs addresses.

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A random key.
pub struct SigningKey(hmac::Key);

impl Default for SigningKey {
    fn default() -> Self {
        let mut secret = [0; 32];
        rand::fill(&mut secret).expect("the system has random numbers");
        Self(hmac::Key::new(hmac::HMAC_SHA256, &secret))
    }
}

impl SigningKey {
    /// The signature of a text, fit for an address.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, text.as_bytes()))
    }
}
