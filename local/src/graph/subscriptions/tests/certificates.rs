//! Which certificates content is encrypted for.

use rcgen::{CertificateParams, Issuer, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm};

use super::*;

/// The public part of an RSA key of this size; nobody knows the private one.
struct Key(Vec<u8>);

impl Key {
    fn of(bits: usize) -> Self {
        let mut modulus = vec![0xff; bits / 8 + 1];
        modulus[0] = 0;
        let exponent = der(0x02, &[1, 0, 1]);
        Self(der(0x30, &[der(0x02, &modulus), exponent].concat()))
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// An element of DER with a length of two bytes, which all of those here can have but the shortest.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..0x80 => vec![short as u8],
        middle @ 0x80..0x100 => vec![0x81, middle as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [vec![tag], length, content.to_vec()].concat()
}

/// A certificate for such a key, in base64.
fn certificate_of(bits: usize) -> String {
    let issuer = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(Vec::new()).expect("parameters");
    let issuer = Issuer::new(params.clone(), issuer);
    let certificate = params.signed_by(&Key::of(bits), &issuer);
    STANDARD.encode(certificate.expect("a certificate").der())
}

#[tokio::test]
async fn the_certificate_holds_an_rsa_key_of_a_good_size() {
    let play = Play::new();
    let elliptic = {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(Vec::new()).expect("parameters");
        STANDARD.encode(params.self_signed(&key).expect("a certificate").der())
    };
    let good = play.wanted()["encryptionCertificate"].take();
    let good = good.as_str().expect("text");
    let key_alone = STANDARD.encode(CERTIFICATE.signing_key.serialized_der());
    let (half, _) = good.split_at(good.len() / 8 * 4);
    for (certificate, id, status) in [
        (Some(good), Some("first"), 201),
        (Some(good), Some(&*"x".repeat(128)), 201),
        (Some(good), Some(&*"x".repeat(129)), 400),
        (Some(good), Some(""), 400),
        (Some(good), None, 400),
        (None, Some("first"), 400),
        (None, None, 400),
        (Some(""), Some("first"), 400),
        (Some("***"), Some("first"), 400),
        (Some(&CERTIFICATE.cert.pem()), Some("first"), 400),
        (Some(&key_alone), Some("first"), 400),
        (Some(half), Some("first"), 400),
        (Some(&elliptic), Some("first"), 400),
        (Some(&certificate_of(1024)), Some("first"), 400),
        (Some(&certificate_of(2048)), Some("first"), 201),
        (Some(&certificate_of(4096)), Some("first"), 201),
        (Some(&certificate_of(4104)), Some("first"), 400),
        (Some(&certificate_of(8192)), Some("first"), 400),
    ] {
        let pair = json!({ "encryptionCertificate": certificate, "encryptionCertificateId": id });
        let body = with(play.wanted(), pair);
        let answer = play.ask("POST", ALL, body).await;
        assert_eq!(
            answer.status, status,
            "{id:?} {certificate:?}: {}",
            answer.body
        );
        play.graph.subscriptions.remove(&answer.text("id"));
    }
}
