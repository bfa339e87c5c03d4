//! Digests stand for ids wherever an id must not be seen or does not fit.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

text_id!(
    /// The first 16 bytes of a SHA-256, as 32 lower-case hexadecimal digits. The namespace keeps equal texts of different
    /// meaning apart.
    #[derive(Debug)]
    Digest,
    "digest",
    |text| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| text.to_owned())
    }
);

impl Digest {
    /// Digest of a text.
    #[must_use]
    pub fn of(namespace: &str, text: &str) -> Self {
        Self::of_bytes(namespace, text.as_bytes())
    }

    /// Digest of bytes.
    #[must_use]
    pub fn of_bytes(namespace: &str, bytes: &[u8]) -> Self {
        Self(half_sha256(&[namespace.as_bytes(), b"\n", bytes].concat()))
    }

    /// The 16 bytes that the digits stand for.
    #[must_use]
    pub fn bytes(&self) -> [u8; 16] {
        let number = u128::from_str_radix(&self.0, 16);
        // A digest has 32 digits, as its parser sees to it.
        number.unwrap_or_default().to_be_bytes()
    }

    /// The digits behind a word that tells what they stand for.
    pub(super) fn tagged(&self, word: &str) -> String {
        [word, "-", &self.0].concat()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The first half of the SHA-256 of bytes, in lower-case hexadecimal digits.
pub(super) fn half_sha256(bytes: &[u8]) -> String {
    hex(&digest(&SHA256, bytes).as_ref()[..16])
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_keep_equal_texts_apart() {
        assert_ne!(Digest::of("chat", "x"), Digest::of("thread", "x"));
        assert_eq!(Digest::of("chat", "x"), Digest::of_bytes("chat", b"x"));
    }

    #[test]
    fn digests_are_parsed_back() {
        let digest = Digest::of("chat", "x");
        assert_eq!(digest.as_str().parse(), Ok(digest.clone()));
        assert_eq!(hex(&digest.bytes()), digest.as_str());
        assert!("abc".parse::<Digest>().is_err());
        assert!("Z".repeat(32).parse::<Digest>().is_err());
    }
}
