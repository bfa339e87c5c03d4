//! Opens the encrypted message of a rich notification (Microsoft Learn, "Set up Microsoft Graph change notifications with
//! resource data"; the same steps as msgraph-sdk-dotnet-core, `IDecryptableContentExtensions.cs`).

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::ids::hex;
use crate::teams::notification::EncryptedContent;

/// Bytes of the AES-256 data key.
const DATA_KEY_BYTES: usize = 32;
/// Bytes of one AES block, and of the initialisation vector.
const BLOCK_BYTES: usize = 16;
/// RSA key sizes that Graph takes, in bits.
const KEY_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The private key of a certificate that Graph encrypts to. `Debug` shows the certificate's id only.
pub struct NotificationKey {
    certificate_id: String,
    certificate: String,
    key: OaepPrivateDecryptingKey,
}

/// Why a PEM text is no notification key; nothing of the text is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A PEM block has no end, or holds no base64.
    #[error("the PEM text is malformed")]
    Pem,
    /// No block `PRIVATE KEY` or `RSA PRIVATE KEY`.
    #[error("the PEM text holds no unencrypted private key")]
    NoPrivateKey,
    /// The private key is not an RSA key.
    #[error("the private key is not an RSA key")]
    NotRsa,
    /// The RSA key has another size than Graph takes (2048 to 4096 bits).
    #[error("the RSA key has {0} bits instead of 2048 to 4096")]
    KeySize(usize),
    /// No block `CERTIFICATE`.
    #[error("the PEM text holds no certificate")]
    NoCertificate,
    /// No certificate in the text is about the private key.
    #[error("no certificate in the PEM text belongs to the private key")]
    OtherCertificate,
}

/// The content cannot be opened with this key, or was altered. One kind for every cause: a caller who could tell them apart
/// would tell an attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encrypted content was altered or is for another key")]
pub struct Tampered;

impl NotificationKey {
    /// Reads a private key (PKCS#8 or PKCS#1, unencrypted) and its certificate out of one PEM text, in any order; further
    /// certificates of a chain are passed over.
    ///
    /// # Errors
    /// Key or certificate is missing, they do not belong together, or Graph would not take the key.
    pub fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        let mut key = None;
        let mut certificates = Vec::new();
        let mut rest = pem.expose_secret();
        while let Some((_, block)) = rest.split_once("-----BEGIN ") {
            let (label, der, behind) = pem_block(block).ok_or(KeyError::Pem)?;
            match label {
                "PRIVATE KEY" | "RSA PRIVATE KEY" => key = Some((label, der)),
                "CERTIFICATE" => certificates.push(der),
                _ => {}
            }
            rest = behind;
        }
        let (label, key) = key.ok_or(KeyError::NoPrivateKey)?;
        if certificates.is_empty() {
            return Err(KeyError::NoCertificate);
        }
        let key = if label == "PRIVATE KEY" {
            PrivateDecryptingKey::from_pkcs8(&key).ok()
        } else {
            from_pkcs1(&key)
        };
        let key = key.ok_or(KeyError::NotRsa)?;
        if !KEY_BITS.contains(&key.key_size_bits()) {
            return Err(KeyError::KeySize(key.key_size_bits()));
        }
        let public: PublicKeyX509Der<'_> =
            key.public_key().as_der().map_err(|_| KeyError::NotRsa)?;
        // A certificate holds its SubjectPublicKeyInfo as it stands (RFC 5280, section 4.1).
        let certificate = certificates
            .iter()
            .find(|certificate| {
                certificate
                    .windows(public.as_ref().len())
                    .any(|part| part == public.as_ref())
            })
            .ok_or(KeyError::OtherCertificate)?;
        let certificate_id = hex(digest(&SHA256, certificate).as_ref());
        let certificate = STANDARD.encode(certificate);
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| KeyError::NotRsa)?;
        Ok(Self {
            certificate_id,
            certificate,
            key,
        })
    }

    /// What a subscription names as `encryptionCertificateId`: the SHA-256 of the certificate's DER form, 64 lower-case
    /// hexadecimal digits.
    #[must_use]
    pub fn certificate_id(&self) -> &str {
        &self.certificate_id
    }

    /// What a subscription names as `encryptionCertificate`: base64 of the certificate's DER form.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

debug_shows!(NotificationKey: certificate_id);

/// Opens the encrypted message: RSA-OAEP for the data key, HMAC-SHA256 over the encrypted message, then AES-256-CBC with the
/// first 16 bytes of the data key as initialisation vector. Nothing is decrypted before the HMAC is right.
///
/// Costs one RSA private operation, about 0.4 ms for a key of 2048 bits.
///
/// # Errors
/// [`Tampered`] when any step fails.
pub fn unwrap(content: &EncryptedContent, key: &NotificationKey) -> Result<Vec<u8>, Tampered> {
    opened(content, key).ok_or(Tampered)
}

fn opened(content: &EncryptedContent, key: &NotificationKey) -> Option<Vec<u8>> {
    let data_key = data_key(&content.data_key, key)?;
    let mut data = STANDARD.decode(&content.data).ok()?;
    let signature = STANDARD.decode(&content.data_signature).ok()?;
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, &*data_key);
    hmac::verify(&hmac_key, &data, &signature).ok()?;

    let initialisation = FixedLength::try_from(&data_key[..BLOCK_BYTES]).ok()?;
    let cipher = UnboundCipherKey::new(&AES_256, &*data_key).ok()?;
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).ok()?;
    let context = DecryptionContext::Iv128(initialisation);
    let length = cipher.decrypt(&mut data, context).ok()?.len();
    data.truncate(length);
    Some(data)
}

/// Decrypts the data key; another size than AES-256's is refused.
fn data_key(encrypted: &str, key: &NotificationKey) -> Option<Zeroizing<[u8; DATA_KEY_BYTES]>> {
    let encrypted = STANDARD.decode(encrypted).ok()?;
    let mut output = Zeroizing::new(vec![0; key.key.min_output_size()]);
    let padding = &OAEP_SHA1_MGF1SHA1;
    let plain = key
        .key
        .decrypt(padding, &encrypted, &mut output, None)
        .ok()?;
    <[u8; DATA_KEY_BYTES]>::try_from(&*plain)
        .ok()
        .map(Zeroizing::new)
}

/// Label and DER form of a block of a PEM text (RFC 7468) behind its `BEGIN`, and what follows it.
fn pem_block(text: &str) -> Option<(&str, Zeroizing<Vec<u8>>, &str)> {
    let (label, rest) = text.split_once("-----")?;
    let (body, rest) = rest.split_once("-----END ")?;
    let rest = rest.strip_prefix(label)?.strip_prefix("-----")?;
    let base64: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let der = STANDARD.decode(base64.as_bytes()).ok()?;
    Some((label, Zeroizing::new(der), rest))
}

/// Reads an `RSAPrivateKey` (RFC 8017) by way of `PrivateKeyInfo` (RFC 5208), the form that can decrypt.
fn from_pkcs1(der: &[u8]) -> Option<PrivateDecryptingKey> {
    let pkcs8: Pkcs8V1Der<'_> = KeyPair::from_der(der).ok()?.as_der().ok()?;
    PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).ok()
}

#[cfg(test)]
mod tests;
