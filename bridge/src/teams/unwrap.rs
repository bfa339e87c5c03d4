//! Opens the encrypted message of a rich notification (Microsoft Learn, "Set up Microsoft Graph change notifications with
//! resource data"; the same steps as msgraph-sdk-dotnet-core, `IDecryptableContentExtensions.cs`).

use std::fmt;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
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
        for block in PemBlocks(pem.expose_secret()) {
            let (label, der) = block?;
            match label {
                "PRIVATE KEY" => key = Some(der),
                "RSA PRIVATE KEY" => key = Some(pkcs8_of_pkcs1(&der)),
                "CERTIFICATE" => certificates.push(der),
                _ => {}
            }
        }
        let key = key.ok_or(KeyError::NoPrivateKey)?;
        if certificates.is_empty() {
            return Err(KeyError::NoCertificate);
        }
        let key = PrivateDecryptingKey::from_pkcs8(&key).map_err(|_| KeyError::NotRsa)?;
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
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| KeyError::NotRsa)?;
        Ok(Self {
            certificate_id,
            key,
        })
    }

    /// What a subscription names as `encryptionCertificateId`: the SHA-256 of the certificate's DER form, 64 lower-case
    /// hexadecimal digits.
    #[must_use]
    pub fn certificate_id(&self) -> &str {
        &self.certificate_id
    }
}

impl fmt::Debug for NotificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NotificationKey")
            .field("certificate_id", &self.certificate_id)
            .finish_non_exhaustive()
    }
}

/// Opens the encrypted message: RSA-OAEP for the data key, HMAC-SHA256 over the encrypted message, then AES-256-CBC with the
/// first 16 bytes of the data key as initialisation vector. Nothing is decrypted before the HMAC is right.
///
/// Costs one RSA private operation, about 0.4 ms for a key of 2048 bits.
///
/// # Errors
/// [`Tampered`] when any step fails.
pub fn unwrap(content: &EncryptedContent, key: &NotificationKey) -> Result<Vec<u8>, Tampered> {
    let data_key = data_key(&content.data_key, key)?;
    let mut data = STANDARD.decode(&content.data).map_err(|_| Tampered)?;
    let signature = STANDARD
        .decode(&content.data_signature)
        .map_err(|_| Tampered)?;
    hmac::verify(
        &hmac::Key::new(hmac::HMAC_SHA256, &*data_key),
        &data,
        &signature,
    )
    .map_err(|_| Tampered)?;

    let mut initialisation = [0; BLOCK_BYTES];
    initialisation.copy_from_slice(&data_key[..BLOCK_BYTES]);
    let cipher = UnboundCipherKey::new(&AES_256, &*data_key)
        .and_then(PaddedBlockDecryptingKey::cbc_pkcs7)
        .map_err(|_| Tampered)?;
    let length = cipher
        .decrypt(
            &mut data,
            DecryptionContext::Iv128(FixedLength::from(initialisation)),
        )
        .map_err(|_| Tampered)?
        .len();
    data.truncate(length);
    Ok(data)
}

/// Decrypts the data key; another size than AES-256's is refused.
fn data_key(
    encrypted: &str,
    key: &NotificationKey,
) -> Result<Zeroizing<[u8; DATA_KEY_BYTES]>, Tampered> {
    let encrypted = STANDARD.decode(encrypted).map_err(|_| Tampered)?;
    let mut output = Zeroizing::new(vec![0; key.key.min_output_size()]);
    let plain = key
        .key
        .decrypt(&OAEP_SHA1_MGF1SHA1, &encrypted, &mut output, None)
        .map_err(|_| Tampered)?;
    let mut data_key = Zeroizing::new([0; DATA_KEY_BYTES]);
    if plain.len() != DATA_KEY_BYTES {
        return Err(Tampered);
    }
    data_key.copy_from_slice(plain);
    Ok(data_key)
}

/// Label and DER form of each block of a PEM text (RFC 7468), text around them being passed over.
struct PemBlocks<'a>(&'a str);

impl<'a> Iterator for PemBlocks<'a> {
    type Item = Result<(&'a str, Zeroizing<Vec<u8>>), KeyError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, rest) = self.0.split_once("-----BEGIN ")?;
        self.0 = "";
        let Some((label, rest)) = rest.split_once("-----") else {
            return Some(Err(KeyError::Pem));
        };
        let Some((body, rest)) = rest.split_once("-----END ") else {
            return Some(Err(KeyError::Pem));
        };
        let Some(rest) = rest
            .strip_prefix(label)
            .and_then(|rest| rest.strip_prefix("-----"))
        else {
            return Some(Err(KeyError::Pem));
        };
        self.0 = rest;
        let base64: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
        Some(
            STANDARD
                .decode(base64.as_bytes())
                .map(|der| (label, Zeroizing::new(der)))
                .map_err(|_| KeyError::Pem),
        )
    }
}

/// Wraps an `RSAPrivateKey` (RFC 8017) as `PrivateKeyInfo` (RFC 5208), the form that aws-lc-rs reads.
fn pkcs8_of_pkcs1(key: &[u8]) -> Zeroizing<Vec<u8>> {
    /// Version 0, then the algorithm rsaEncryption with NULL parameters.
    const HEAD: &[u8] = b"\x02\x01\x00\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    const SEQUENCE: u8 = 0x30;
    const OCTET_STRING: u8 = 0x04;
    let mut inner = Zeroizing::new(HEAD.to_vec());
    push_der(&mut inner, OCTET_STRING, key);
    let mut outer = Zeroizing::new(Vec::new());
    push_der(&mut outer, SEQUENCE, &inner);
    outer
}

/// Appends tag, length in its shortest form, and contents.
fn push_der(output: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    output.push(tag);
    let length = contents.len().to_be_bytes();
    let significant = &length[length
        .iter()
        .take_while(|byte| **byte == 0)
        .count()
        .min(length.len() - 1)..];
    match significant {
        [short] if *short < 0x80 => output.push(*short),
        long => {
            output.push(0x80 | u8::try_from(long.len()).expect("a length has at most eight bytes"));
            output.extend_from_slice(long);
        }
    }
    output.extend_from_slice(contents);
}

#[cfg(test)]
mod tests;
