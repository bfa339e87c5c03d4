//! Encrypting as Graph does, and changing what was encrypted.

use std::sync::LazyLock;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::teams::notification::EncryptedContent;
use bridge::teams::unwrap::NotificationKey;

const DATA_KEY: [u8; 32] = *b"0123456789abcdef0123456789ABCDEF";

/// What a run encrypts for, and opens with: its own key, since a private key is nothing to lie in a repository.
static KEYS: LazyLock<(NotificationKey, String)> = LazyLock::new(keys);

/// The key that opens what [`sealed`] makes.
pub fn key() -> &'static NotificationKey {
    &KEYS.0
}

fn keys() -> (NotificationKey, String) {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("an RSA key");
    let public = private.public_key();
    let private: Pkcs8V1Der<'_> = private.as_der().expect("a DER form");
    let der: PublicKeyX509Der<'_> = public.as_der().expect("a DER form");
    let block = |label: &str, der: &[u8]| {
        let text = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    };
    // Of a certificate nothing is looked at but whether it holds the public key.
    let pem = block("PRIVATE KEY", private.as_ref()) + &block("CERTIFICATE", der.as_ref());
    let key = NotificationKey::from_pem(&pem.into()).expect("a key");
    let public = OaepPublicEncryptingKey::new(public).expect("a public key");
    let mut output = vec![0; public.ciphertext_size()];
    let encrypted = public
        .encrypt(&OAEP_SHA1_MGF1SHA1, &DATA_KEY, &mut output, None)
        .expect("an encrypted key");
    (key, STANDARD.encode(encrypted))
}

/// A rich notification's content that holds this.
pub fn sealed(plain: &[u8]) -> EncryptedContent {
    let initialisation = <[u8; 16]>::try_from(&DATA_KEY[..16]).expect("16 bytes");
    let cipher = UnboundCipherKey::new(&AES_256, &DATA_KEY)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .expect("a cipher");
    let context = EncryptionContext::Iv128(FixedLength::from(initialisation));
    let mut data = plain.to_vec();
    cipher
        .less_safe_encrypt(&mut data, context)
        .expect("encrypted data");
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &DATA_KEY), &data);
    EncryptedContent {
        data: STANDARD.encode(&data),
        data_signature: STANDARD.encode(signature),
        data_key: KEYS.1.clone(),
        certificate_id: KEYS.0.certificate_id().to_owned(),
    }
}

/// The content with one character of it changed, left out or added, as the number says.
pub fn tampered(mut content: EncryptedContent, number: usize) -> EncryptedContent {
    let text = match number % 3 {
        0 => &mut content.data,
        1 => &mut content.data_signature,
        _ => &mut content.data_key,
    };
    let (how, place) = (number / 3 % 3, number / 9 % text.len());
    let found = text.as_bytes()[place];
    let other = if found == b'A' { "B" } else { "A" };
    match how {
        0 => text.replace_range(place..=place, other),
        1 => drop(text.remove(place)),
        _ => text.insert_str(place, other),
    }
    content
}
