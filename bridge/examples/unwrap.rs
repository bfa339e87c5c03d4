//! Measures how many rich notifications of 16 KiB one thread opens in a second, with a key of 2048 bits:
//! `cargo run --release --package bridge --example unwrap` prints `unwraps_per_second N`. To be compared with the private-key
//! operations of `openssl speed rsa2048` on the same processor core.
//!
//! Like openssl, it counts seconds of processor time, so that other work on the machine does not matter; where the system
//! (other than Linux) does not tell them, seconds of the clock.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::teams::notification::EncryptedContent;
use bridge::teams::unwrap::{NotificationKey, unwrap};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};

/// How long the measurement takes.
const MEASURED: Duration = Duration::from_secs(3);
/// Bytes of each message.
const PAYLOAD_BYTES: usize = 16 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
    let certificate = CertificateParams::new(Vec::new())?.self_signed(&pair)?;
    let key = NotificationKey::from_pem(
        &format!("{}{}", pair.serialize_pem(), certificate.pem()).into(),
    )?;
    let content = wrapped(&vec![b'x'; PAYLOAD_BYTES], &pair, &key)?;

    let (start, processor_start, mut count) = (Instant::now(), processor_time(), 0_u32);
    while start.elapsed() < MEASURED {
        let opened = unwrap(black_box(&content), black_box(&key))?;
        assert_eq!(black_box(opened).len(), PAYLOAD_BYTES);
        count += 1;
    }
    let spent = match (processor_start, processor_time()) {
        (Some(start), Some(end)) if end > start => end - start,
        _ => start.elapsed(),
    };
    println!(
        "unwraps_per_second {:.0}",
        f64::from(count) / spent.as_secs_f64()
    );
    Ok(())
}

/// Processor time of this thread so far (Linux, "proc" manual page: the first number of `schedstat`, in nanoseconds).
fn processor_time() -> Option<Duration> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = statistics.split_ascii_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Encrypts a message as Graph does.
fn wrapped(
    message: &[u8],
    pair: &KeyPair,
    key: &NotificationKey,
) -> Result<EncryptedContent, Box<dyn Error>> {
    let mut data_key = [0; 32];
    rand::fill(&mut data_key)?;
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(
        &pair.subject_public_key_info(),
    )?)?;
    let mut encrypted_key = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &data_key, &mut encrypted_key, None)?;

    let initialisation: [u8; 16] = data_key[..16].try_into()?;
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &data_key)?)?;
    let mut data = message.to_vec();
    cipher.less_safe_encrypt(
        &mut data,
        EncryptionContext::Iv128(FixedLength::from(initialisation)),
    )?;

    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &data_key), &data);
    Ok(EncryptedContent {
        data: STANDARD.encode(&data),
        data_signature: STANDARD.encode(signature),
        data_key: STANDARD.encode(&encrypted_key),
        certificate_id: key.certificate_id().to_owned(),
    })
}
