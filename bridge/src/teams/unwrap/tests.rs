use std::sync::LazyLock;

use aws_lc_rs::cipher::{EncryptionContext, PaddedBlockEncryptingKey};
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rsa::{OaepPublicEncryptingKey, PublicEncryptingKey};
use proptest::prelude::*;
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize,
};

use super::*;

/// Making an RSA key takes long, so the tests share one.
static PAIR: LazyLock<KeyPair> = LazyLock::new(rsa_pair);
static CERTIFICATE: LazyLock<rcgen::Certificate> = LazyLock::new(|| certificate(&PAIR));
static KEY: LazyLock<NotificationKey> = LazyLock::new(|| {
    NotificationKey::from_pem(&joined(&[&PAIR.serialize_pem(), &CERTIFICATE.pem()])).expect("a key")
});

const DATA_KEY: [u8; DATA_KEY_BYTES] = *b"0123456789abcdef0123456789ABCDEF";

fn rsa_pair() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("an RSA key")
}

fn certificate(pair: &KeyPair) -> rcgen::Certificate {
    CertificateParams::new(Vec::new())
        .and_then(|params| params.self_signed(pair))
        .expect("a certificate")
}

fn joined(blocks: &[&str]) -> SecretString {
    blocks.concat().into()
}

fn error_of(blocks: &[&str]) -> KeyError {
    NotificationKey::from_pem(&joined(blocks)).expect_err("an error")
}

/// Encrypts as Graph does.
fn wrap(plain: &[u8], data_key: &[u8]) -> EncryptedContent {
    let public =
        PublicEncryptingKey::from_der(&PAIR.subject_public_key_info()).expect("a public key");
    let public = OaepPublicEncryptingKey::new(public).expect("a public key");
    let mut encrypted_key = vec![0; public.ciphertext_size()];
    let encrypted_key = public
        .encrypt(&OAEP_SHA1_MGF1SHA1, data_key, &mut encrypted_key, None)
        .expect("an encrypted key");
    let mut initialisation = [0; BLOCK_BYTES];
    initialisation.copy_from_slice(&DATA_KEY[..BLOCK_BYTES]);
    let cipher = UnboundCipherKey::new(&AES_256, &DATA_KEY)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .expect("a cipher");
    let mut data = plain.to_vec();
    cipher
        .less_safe_encrypt(
            &mut data,
            EncryptionContext::Iv128(FixedLength::from(initialisation)),
        )
        .expect("encrypted data");
    sealed(encrypted_key, &data)
}

fn sealed(encrypted_key: &[u8], data: &[u8]) -> EncryptedContent {
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &DATA_KEY), data);
    EncryptedContent {
        data: STANDARD.encode(data),
        data_signature: STANDARD.encode(signature),
        data_key: STANDARD.encode(encrypted_key),
        certificate_id: KEY.certificate_id().to_owned(),
    }
}

fn flipped(base64: &str, bit: usize) -> String {
    let mut bytes = STANDARD.decode(base64).expect("base64");
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    STANDARD.encode(bytes)
}

#[test]
fn what_graph_wraps_is_unwrapped() {
    for plain in [&b""[..], b"{}", &[7; 16], &[b'x'; 16_384]] {
        assert_eq!(unwrap(&wrap(plain, &DATA_KEY), &KEY).as_deref(), Ok(plain));
    }
}

#[test]
fn the_certificate_id_is_the_digest_of_the_certificate() {
    let expected = hex(digest(&SHA256, CERTIFICATE.der()).as_ref());
    assert_eq!(KEY.certificate_id(), expected);
    assert_eq!(expected.len(), 64);
    assert_eq!(
        format!("{:?}", *KEY),
        format!("NotificationKey {{ certificate_id: {expected:?}, .. }}")
    );
}

#[test]
fn a_truncated_signature_is_refused() {
    let mut content = wrap(b"{}", &DATA_KEY);
    for length in [0, 16, 31] {
        content.data_signature = STANDARD.encode(vec![0; length]);
        assert_eq!(unwrap(&content, &KEY), Err(Tampered));
    }
}

#[test]
fn signed_data_that_is_no_whole_number_of_blocks_is_refused() {
    let encrypted_key = STANDARD
        .decode(wrap(b"", &DATA_KEY).data_key)
        .expect("base64");
    for length in [0, 1, 15, 17] {
        assert_eq!(
            unwrap(&sealed(&encrypted_key, &vec![1; length]), &KEY),
            Err(Tampered)
        );
    }
}

#[test]
fn data_keys_of_other_sizes_are_refused() {
    for size in [0, 1, 16, 24, 31, 33, 64] {
        assert_eq!(unwrap(&wrap(b"{}", &vec![b'k'; size]), &KEY), Err(Tampered));
    }
}

#[test]
fn what_is_no_base64_is_refused() {
    let good = wrap(b"{}", &DATA_KEY);
    for bad in ["", "!", "AAA", "AAAA\n", "ÄÖÜ"] {
        for field in 0..3 {
            let mut content = good.clone();
            *[
                &mut content.data,
                &mut content.data_signature,
                &mut content.data_key,
            ][field] = bad.to_owned();
            assert_eq!(unwrap(&content, &KEY), Err(Tampered));
        }
    }
}

#[test]
fn another_key_opens_nothing() {
    let other = rsa_pair();
    let other_certificate = certificate(&other);
    let other =
        NotificationKey::from_pem(&joined(&[&other.serialize_pem(), &other_certificate.pem()]))
            .expect("a key");
    assert_eq!(unwrap(&wrap(b"{}", &DATA_KEY), &other), Err(Tampered));
}

#[test]
fn both_kinds_of_pem_are_read_in_any_order() {
    let der = PAIR.serialize_der();
    let key = PrivateDecryptingKey::from_pkcs8(&der).expect("a key");
    let pkcs8: Pkcs8V1Der<'_> = key.as_der().expect("PKCS#8");
    // Behind version and algorithm, the key is all the rest but the heads of the sequence and the octet string.
    let pkcs1 = &pkcs8.as_ref()[4 + 3 + 15 + 4..];
    let pem = format!(
        "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n",
        STANDARD.encode(pkcs1)
    );
    let certificate = CERTIFICATE.pem();
    let windows = certificate.replace('\n', "\r\n");
    for blocks in [
        &[&*certificate, &*pem][..],
        &["some words\n", &pem, "\n\n", &windows],
        &[&windows, &PAIR.serialize_pem()],
    ] {
        let key = NotificationKey::from_pem(&joined(blocks)).expect("a key");
        assert_eq!(key.certificate_id(), KEY.certificate_id());
        assert_eq!(
            unwrap(&wrap(b"{}", &DATA_KEY), &key).as_deref(),
            Ok(&b"{}"[..])
        );
    }
}

#[test]
fn the_certificate_of_the_key_is_found_in_a_chain() {
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let issuer = certificate(&other).pem();
    let key = NotificationKey::from_pem(&joined(&[
        &issuer,
        &PAIR.serialize_pem(),
        &CERTIFICATE.pem(),
    ]))
    .expect("a key");
    assert_eq!(key.certificate_id(), KEY.certificate_id());
}

#[test]
fn unusable_pem_texts_are_told_apart() {
    let key = PAIR.serialize_pem();
    let certificate_pem = CERTIFICATE.pem();
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let other_certificate = certificate(&other).pem();
    assert_eq!(error_of(&[]), KeyError::NoPrivateKey);
    assert_eq!(error_of(&[&certificate_pem]), KeyError::NoPrivateKey);
    assert_eq!(error_of(&[&key]), KeyError::NoCertificate);
    assert_eq!(
        error_of(&[&key, &other_certificate]),
        KeyError::OtherCertificate
    );
    assert_eq!(
        error_of(&[&other.serialize_pem(), &other_certificate]),
        KeyError::NotRsa
    );
    assert_eq!(
        error_of(&["-----BEGIN CERTIFICATE-----\nAAAA"]),
        KeyError::Pem
    );
    assert_eq!(error_of(&["-----BEGIN "]), KeyError::Pem);
    assert_eq!(
        error_of(&["-----BEGIN X-----\n!!!\n-----END X-----"]),
        KeyError::Pem
    );
    assert_eq!(
        error_of(&["-----BEGIN X-----\nAAAA\n-----END Y-----"]),
        KeyError::Pem
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_changed_bit_is_refused(plain in prop::collection::vec(any::<u8>(), 0..200), bit in any::<usize>(), field in 0_usize..3) {
        let mut content = wrap(&plain, &DATA_KEY);
        let changed = [&mut content.data, &mut content.data_signature, &mut content.data_key];
        let [data, signature, key] = changed;
        let chosen = match field { 0 => data, 1 => signature, _ => key };
        *chosen = flipped(chosen, bit);
        prop_assert_eq!(unwrap(&content, &KEY), Err(Tampered));
    }
}
