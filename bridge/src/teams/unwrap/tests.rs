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

const SIGNATURE: usize = 1;

/// The content with one of its three fields changed.
fn changed(
    content: &EncryptedContent,
    field: usize,
    change: impl Fn(&str) -> String,
) -> EncryptedContent {
    let mut content = content.clone();
    let fields = [
        &mut content.data,
        &mut content.data_signature,
        &mut content.data_key,
    ];
    let text = fields.into_iter().nth(field).expect("a field");
    *text = change(text);
    content
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
fn what_has_another_size_or_is_no_base64_is_refused() {
    let good = wrap(b"{}", &DATA_KEY);
    for bad in ["", "!", "AAA", "AAAA\n", "ÄÖÜ"] {
        for field in 0..3 {
            assert_eq!(
                unwrap(&changed(&good, field, |_| bad.to_owned()), &KEY),
                Err(Tampered)
            );
        }
    }
    for length in [0, 16, 31] {
        let truncated = changed(&good, SIGNATURE, |_| STANDARD.encode(vec![0; length]));
        assert_eq!(unwrap(&truncated, &KEY), Err(Tampered));
    }
    let encrypted_key = STANDARD.decode(good.data_key).expect("base64");
    // Data that is signed, but no whole number of blocks.
    for length in [0, 1, 15, 17] {
        let odd = sealed(&encrypted_key, &vec![1; length]);
        assert_eq!(unwrap(&odd, &KEY), Err(Tampered));
    }
    for size in [0, 1, 16, 24, 31, 33, 64] {
        assert_eq!(unwrap(&wrap(b"{}", &vec![b'k'; size]), &KEY), Err(Tampered));
    }
}

#[test]
fn another_key_opens_nothing() {
    let other = rsa_pair();
    let pem = [other.serialize_pem(), certificate(&other).pem()].concat();
    let other = NotificationKey::from_pem(&pem.into()).expect("a key");
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
    let own = CERTIFICATE.pem();
    let windows = own.replace('\n', "\r\n");
    let issuer = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let issuer = certificate(&issuer).pem();
    for blocks in [
        &[&*own, &*pem][..],
        &["some words\n", &pem, "\n\n", &windows],
        &[&windows, &PAIR.serialize_pem()],
        // All on one line.
        &[&own.replace('\n', " "), &pem.replace('\n', " ")],
        // The certificate of the key is found in a chain.
        &[&issuer, &PAIR.serialize_pem(), &own],
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
fn unusable_pem_texts_are_told_apart() {
    let key = PAIR.serialize_pem();
    let certificate_pem = CERTIFICATE.pem();
    let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let other_certificate = certificate(&other).pem();
    for (blocks, error) in [
        (&[][..], KeyError::NoPrivateKey),
        (&[&*certificate_pem], KeyError::NoPrivateKey),
        (&[&key], KeyError::NoCertificate),
        (&[&key, &other_certificate], KeyError::OtherCertificate),
        (
            &[&other.serialize_pem(), &other_certificate],
            KeyError::NotRsa,
        ),
        (&["-----BEGIN CERTIFICATE-----\nAAAA"], KeyError::Pem),
        (&["-----BEGIN "], KeyError::Pem),
        (&["-----BEGIN X-----\n!!!\n-----END X-----"], KeyError::Pem),
        (&["-----BEGIN X-----\nAAAA\n-----END Y-----"], KeyError::Pem),
    ] {
        let found = NotificationKey::from_pem(&joined(blocks)).expect_err("an error");
        assert_eq!(found, error);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_changed_bit_is_refused(plain in prop::collection::vec(any::<u8>(), 0..200), bit in any::<usize>(), field in 0_usize..3) {
        let flipped = changed(&wrap(&plain, &DATA_KEY), field, |base64| {
            let mut bytes = STANDARD.decode(base64).expect("base64");
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            STANDARD.encode(bytes)
        });
        prop_assert_eq!(unwrap(&flipped, &KEY), Err(Tampered));
    }
}
