//! The certificate that a subscription's content is encrypted for (Microsoft Learn, "Set up Microsoft Graph change notifications with
//! resource data").

use std::sync::Arc;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::server::ParsedCertificate;
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::Refusal;
use crate::shared::content::hexadecimal;

/// Sizes of the key, in bits.
const KEY_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Longest name of a certificate, in characters.
const LONGEST_ID: usize = 128;

/// Whoever can read the content: the public key, and what its owner calls the certificate.
#[derive(Clone)]
pub struct Recipient {
    pub id: String,
    /// SHA-1 of the certificate, in capital digits, as Windows shows it.
    thumbprint: String,
    key: Arc<OaepPublicEncryptingKey>,
}

impl Recipient {
    /// Reads the base64 of an X.509 certificate: what stands in a PEM file, without its first and last line and in one line.
    pub fn read(certificate: &str, id: &str) -> Result<Self, Refusal> {
        let unreadable =
            || Refusal::invalid("Certificate validation error: Cannot find the requested object.");
        let wrong_key = || {
            Refusal::invalid(
                "Certificate validation error: The key must be an RSA key of 2048 to 4096 bits.",
            )
        };
        if id.is_empty() || id.chars().count() > LONGEST_ID {
            const LONG: &str = "encryptionCertificateId must have 1 to 128 characters.";
            return Err(Refusal::invalid(LONG));
        }
        let der = STANDARD.decode(certificate).map_err(|_| unreadable())?;
        let der = CertificateDer::from(der);
        let parsed = ParsedCertificate::try_from(&der).map_err(|_| unreadable())?;
        let key = PublicEncryptingKey::from_der(&parsed.subject_public_key_info());
        let key = key.map_err(|_| wrong_key())?;
        if !KEY_BITS.contains(&key.key_size_bits()) {
            return Err(wrong_key());
        }
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| wrong_key())?;
        let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
        Ok(Self {
            id: id.to_owned(),
            thumbprint: hexadecimal(thumbprint.as_ref()).to_uppercase(),
            key: Arc::new(key),
        })
    }

    /// Encrypts with a key of its own: RSA-OAEP with SHA-1 around the key, AES-256-CBC with the key's first 16 bytes as
    /// initialisation vector, HMAC-SHA256 over the result.
    pub fn encrypted(&self, mut data: Vec<u8>) -> Option<Value> {
        let mut key = [0; 32];
        rand::fill(&mut key).ok()?;
        let start: [u8; 16] = key[..16].try_into().ok()?;
        let start = EncryptionContext::Iv128(FixedLength::from(start));
        let cipher = UnboundCipherKey::new(&AES_256, &key).ok()?;
        let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).ok()?;
        cipher.less_safe_encrypt(&mut data, start).ok()?;
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
        let mut wrapped = vec![0; self.key.ciphertext_size()];
        let wrapped = self
            .key
            .encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)
            .ok()?;
        Some(json!({
            "data": STANDARD.encode(&data),
            "dataSignature": STANDARD.encode(signature),
            "dataKey": STANDARD.encode(wrapped),
            "encryptionCertificateId": self.id,
            "encryptionCertificateThumbprint": self.thumbprint,
        }))
    }
}
