//! Digests stand for ids wherever an id must not be seen or does not fit.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::InvalidId;

/// The first 16 bytes of a SHA-256, as 32 lower-case hexadecimal digits. The namespace keeps equal texts of different
/// meaning apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// Digest of a text.
    #[must_use]
    pub fn of(namespace: &str, text: &str) -> Self {
        Self::of_bytes(namespace, text.as_bytes())
    }

    /// Digest of bytes.
    #[must_use]
    pub fn of_bytes(namespace: &str, bytes: &[u8]) -> Self {
        let mut input = Vec::with_capacity(namespace.len() + 1 + bytes.len());
        input.extend_from_slice(namespace.as_bytes());
        input.push(b'\n');
        input.extend_from_slice(bytes);
        Self(hex(&sixteen_bytes(&input)))
    }

    /// The digits behind a word that tells what they stand for.
    pub(super) fn tagged(&self, word: &str) -> String {
        let mut text = String::with_capacity(word.len() + 1 + self.0.len());
        text.push_str(word);
        text.push('-');
        text.push_str(&self.0);
        text
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == 32 && digits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId("digest"))
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

/// The first half of the SHA-256 of bytes.
pub(super) fn sixteen_bytes(input: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest(&SHA256, input).as_ref()[..16]);
    bytes
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
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
        assert!("abc".parse::<Digest>().is_err());
        assert!("Z".repeat(32).parse::<Digest>().is_err());
    }
}
