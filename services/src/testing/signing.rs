//! A signing authority.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// Application that publishes Graph's change notifications.
pub(crate) const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// An RSA key with its id. Keys are made once for the process: that takes longer than all else in a test.
pub(crate) struct Signer {
    kid: &'static str,
    key: &'static KeyPair,
}

impl Signer {
    /// The key that tests share, under this id.
    pub(crate) fn new(kid: &'static str) -> Self {
        static KEY: LazyLock<KeyPair> = LazyLock::new(rsa);
        Self { kid, key: &KEY }
    }

    /// Another key than that of [`Self::new`], under this id.
    #[cfg(test)]
    pub(crate) fn other(kid: &'static str) -> Self {
        static KEY: LazyLock<KeyPair> = LazyLock::new(rsa);
        Self { kid, key: &KEY }
    }

    /// Its public half as JSON Web Key.
    pub(crate) fn jwk(&self) -> Value {
        // RSAPublicKey of 2048 bits with the exponent 65537 (RFC 8017, A.1.1): the modulus begins after nine bytes of
        // headers and sign.
        let public = self.key.public_key_raw();
        let modulus = URL_SAFE_NO_PAD.encode(&public[9..265]);
        json!({"kty": "RSA", "use": "sig", "kid": self.kid, "n": modulus, "e": "AQAB",
               "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"})
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.kid.to_owned());
        let key = EncodingKey::from_rsa_pem(self.key.serialize_pem().as_bytes()).expect("a key");
        encode(&header, claims, &key).expect("a token")
    }
}

fn rsa() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
}

/// Claims of a genuine v1.0 validation token with `changes` over them; `null` removes a claim.
pub(crate) fn validation_claims(tenant: &str, audience: &str, changes: Value) -> Value {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let mut claims = json!({
        "aud": audience, "iss": format!("https://sts.windows.net/{tenant}/"), "tid": tenant,
        "nbf": now - 10, "exp": now + 3600, "ver": "1.0", "appid": PUBLISHER,
    });
    let fields = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    claims
}
