//! Files of this world: bytes that were given, or bytes that a generator makes whenever they are wanted, so that a file of
//! hundreds of megabytes costs no memory.

use std::io;

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use serde::Deserialize;

/// Bytes handed out at once.
const PIECE: u64 = 64 * 1024;

/// Largest generated file, in bytes.
const LARGEST: u64 = 2 * 1024 * 1024 * 1024;

/// What stands between two states of the generator (SplitMix64: the golden ratio in 64 bits).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The content of a file.
#[derive(Clone)]
pub struct Content {
    source: Source,
    sha256: String,
}

#[derive(Clone)]
enum Source {
    Given(Bytes),
    /// So many bytes of the generator.
    Generated(u64),
}

/// A content as the control interface takes it: given or to be generated.
#[derive(Deserialize)]
pub struct Ordered {
    base64: Option<String>,
    generate: Option<u64>,
}

impl Ordered {
    /// The content.
    ///
    /// # Errors
    /// A line that says what is wrong with the two fields.
    pub async fn content(self) -> Result<Content, String> {
        match (self.base64, self.generate) {
            (Some(text), None) => STANDARD
                .decode(text)
                .map(Content::given)
                .map_err(|_| "base64 is no base64".to_owned()),
            (None, Some(size)) if size <= LARGEST => {
                // The digest of a large file takes its time.
                tokio::task::spawn_blocking(move || Content::generated(size))
                    .await
                    .map_err(|_| "the file could not be generated".to_owned())
            }
            (None, Some(_)) => Err(format!("generate is at most {LARGEST}")),
            _ => Err("either base64 or generate is required".to_owned()),
        }
    }
}

impl Content {
    /// These bytes.
    #[must_use]
    pub fn given(bytes: impl Into<Bytes>) -> Self {
        Self::of(Source::Given(bytes.into()))
    }

    /// So many pseudo-random bytes, the same ones each time.
    #[must_use]
    pub fn generated(size: u64) -> Self {
        Self::of(Source::Generated(size))
    }

    fn of(source: Source) -> Self {
        let mut digest = Context::new(&SHA256);
        for piece in source.pieces(source.size()) {
            digest.update(&piece);
        }
        let sha256 = hexadecimal(digest.finish().as_ref());
        Self { source, sha256 }
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.source.size()
    }

    /// SHA-256 in lowercase hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// All of it.
    pub fn body(&self) -> Body {
        Body::from_stream(self.pieces(self.size()))
    }

    /// The first half of it, then a broken connection.
    pub fn broken_body(&self) -> Body {
        let broken = stream::once(async {
            // Lets the server send what it has before it learns that there is no more.
            tokio::task::yield_now().await;
            Err(io::Error::other("cut, as ordered"))
        });
        Body::from_stream(self.pieces(self.size() / 2).chain(broken))
    }

    fn pieces(&self, end: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        stream::iter(self.source.clone().pieces(end).map(Ok))
    }
}

impl Source {
    fn size(&self) -> u64 {
        match self {
            Self::Given(bytes) => bytes.len() as u64,
            Self::Generated(size) => *size,
        }
    }

    /// The bytes before `end`, piece by piece.
    fn pieces(&self, end: u64) -> impl Iterator<Item = Bytes> + Send + use<> {
        let source = self.clone();
        (0..end.div_ceil(PIECE)).map(move |number| {
            let start = number * PIECE;
            source.piece(start, (end - start).min(PIECE) as usize)
        })
    }

    /// So many bytes from `start` on, all of which exist. `start` is the place of a word of the generator.
    fn piece(&self, start: u64, length: usize) -> Bytes {
        match self {
            Self::Given(bytes) => bytes.slice(start as usize..start as usize + length),
            Self::Generated(_) => {
                let words = (start / 8..).take(length.div_ceil(8));
                let mut bytes: Vec<u8> = words.flat_map(|it| mixed(it).to_le_bytes()).collect();
                bytes.truncate(length);
                bytes.into()
            }
        }
    }
}

/// The generator's word at this place: SplitMix64, which needs no word before it.
fn mixed(place: u64) -> u64 {
    let mut word = place.wrapping_add(1).wrapping_mul(STEP);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Lowercase hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_given_or_generated() {
        let ordered = async |base64: Option<&str>, generate| {
            let base64 = base64.map(str::to_owned);
            Ordered { base64, generate }.content().await
        };
        let given = ordered(Some("YWJj"), None).await.expect("valid");
        assert_eq!(given.size(), 3);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(given.sha256(), abc);
        assert!(ordered(None, None).await.is_err());
        assert!(ordered(Some("YWJj"), Some(1)).await.is_err());
        assert!(ordered(Some("*"), None).await.is_err());
        assert!(ordered(None, Some(LARGEST + 1)).await.is_err());
    }

    #[tokio::test]
    async fn a_generated_file_is_the_same_each_time() {
        let size = 3 * PIECE + 5;
        let content = Content::generated(size);
        let bytes = axum::body::to_bytes(content.body(), usize::MAX).await;
        let bytes = bytes.expect("a whole body");
        assert_eq!(bytes.len() as u64, size);
        assert_eq!(bytes[..8], mixed(0).to_le_bytes());
        assert_eq!(bytes[PIECE as usize..][..8], mixed(PIECE / 8).to_le_bytes());
        let digest = aws_lc_rs::digest::digest(&SHA256, &bytes);
        assert_eq!(content.sha256(), hexadecimal(digest.as_ref()));
    }
}
