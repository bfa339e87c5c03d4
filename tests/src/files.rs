//! Files of a test: small ones by their bytes, large ones that the platform generates.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::view::text;

/// The first bytes of a PNG, enough to be recognised as one, and `more` bytes behind them.
#[must_use]
pub fn png(more: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend((0..more).map(|index| u8::try_from(index % 251).expect("small")));
    bytes
}

/// The first bytes of a PDF.
pub const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n";

/// SHA-256 in lower-case hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A file as the control interface takes it.
#[must_use]
pub fn file(name: &str, content_type: &str, bytes: &[u8]) -> Value {
    json!({ "name": name, "content_type": content_type, "base64": STANDARD.encode(bytes) })
}

/// A picture as the control interface takes it.
#[must_use]
pub fn image(bytes: &[u8]) -> Value {
    json!({ "content_type": "image/png", "base64": STANDARD.encode(bytes) })
}

/// SHA-256 of the bytes that Genesys got when it fetched a message's attachment.
#[must_use]
pub fn fetched(message: &Value) -> &str {
    text(&message["attachment"]["fetched"], "sha256")
}

/// A file of that many bytes, which the platform makes up, as the control interface takes it.
#[must_use]
pub fn generated(name: &str, size: u64) -> Value {
    json!({ "name": name, "content_type": "application/octet-stream", "generate": size })
}
