//! The RSA keys that sign every token, and what is published of them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use crate::shared::locked::Locked;

/// One key, with its public half as it is published.
#[derive(Clone)]
struct SigningKey {
    id: String,
    published: Value,
    private: EncodingKey,
    public: DecodingKey,
}

/// All keys of this run, the current one last. Older ones are no longer published.
pub(crate) struct SigningKeys(Locked<Vec<SigningKey>>);

impl SigningKeys {
    /// One fresh key.
    ///
    /// # Panics
    /// When no RSA key can be made, which only a broken build does.
    pub(crate) fn new() -> Self {
        Self(Locked::new(vec![SigningKey::first()]))
    }

    /// Makes a new current key and returns its id.
    pub(crate) fn rotate(&self) -> String {
        let key = SigningKey::generate();
        let id = key.id.clone();
        self.0.lock().push(key);
        id
    }

    /// The claims signed by the current key, exactly as given.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.with_current(|key| {
            let mut header = Header::new(Algorithm::RS256);
            header.kid = Some(key.id.clone());
            encode(&header, claims, &key.private).expect("claims can be signed")
        })
    }

    /// The claims of a token that one of the keys signed, the retired ones included, and that is current.
    ///
    /// # Errors
    /// A line that says what is wrong with the token.
    pub(super) fn verify(&self, token: &str, audiences: &[&str]) -> Result<Value, String> {
        let header = decode_header(token).map_err(|error| error.to_string())?;
        let id = header.kid.ok_or("the token names no key")?;
        let keys = self.0.lock();
        let key = keys.iter().find(|key| key.id == id);
        let key = key.ok_or("the token names an unknown key")?;
        let mut validation = Validation::new(Algorithm::RS256);
        // All clocks of this world are one clock.
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_audience(audiences);
        validation.set_required_spec_claims(&["exp", "nbf", "aud"]);
        decode::<Value>(token, &key.public, &validation)
            .map(|token| token.claims)
            .map_err(|error| error.to_string())
    }

    /// The published keys: the current one alone, with this issuer.
    pub(crate) fn published(&self, issuer: &str) -> Value {
        self.with_current(|key| {
            let mut entry = key.published.clone();
            entry["issuer"] = json!(issuer);
            json!({ "keys": [entry] })
        })
    }

    fn with_current<T>(&self, use_key: impl FnOnce(&SigningKey) -> T) -> T {
        let keys = self.0.lock();
        use_key(keys.last().expect("there is always a key"))
    }
}

impl SigningKey {
    #[cfg(not(test))]
    fn first() -> Self {
        Self::generate()
    }

    /// One key for the tests of all simulators, for making it takes a while.
    #[cfg(test)]
    fn first() -> Self {
        static KEY: std::sync::LazyLock<SigningKey> =
            std::sync::LazyLock::new(SigningKey::generate);
        KEY.clone()
    }

    fn generate() -> Self {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        let pair = pair.expect("an RSA key can be made").serialize_pem();
        let private = EncodingKey::from_rsa_pem(pair.as_bytes()).expect("a fresh key can be read");
        let jwk = Jwk::from_encoding_key(&private, Algorithm::RS256);
        let jwk = jwk.expect("an RSA key has a JWK form");
        let AlgorithmParameters::RSA(public) = &jwk.algorithm else {
            unreachable!("the JWK of an RSA key is of kind RSA");
        };
        // Entra ID's key ids are thumbprints too, of the certificate.
        let id = URL_SAFE_NO_PAD.encode(&digest(&SHA256, public.n.as_bytes()).as_ref()[..20]);
        let published = json!({
            "kty": "RSA",
            "use": "sig",
            "kid": id,
            "x5t": id,
            "n": public.n,
            "e": public.e,
            "cloud_instance_name": "microsoftonline.com",
        });
        let public = DecodingKey::from_jwk(&jwk).expect("a fresh key's public half can be read");
        Self {
            id,
            published,
            private,
            public,
        }
    }
}
