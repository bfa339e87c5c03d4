//! Reading the platform's answers: small look-ups in its JSON.

use serde_json::Value;

use crate::files::sha256;

/// The documented digest: the first half of a SHA-256 over a namespace and a text.
#[must_use]
pub fn digest(namespace: &str, text: &str) -> String {
    sha256(format!("{namespace}\n{text}").as_bytes())[..32].to_owned()
}

/// The list in this member; empty where there is none.
#[must_use]
pub fn list(mut holder: Value, member: &str) -> Vec<Value> {
    match holder[member].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// The text in this member; empty where there is none.
#[must_use]
pub fn text<'a>(holder: &'a Value, member: &str) -> &'a str {
    holder[member].as_str().unwrap_or_default()
}

/// The texts of these messages; those without any are left out.
#[must_use]
pub fn texts(messages: &[Value]) -> Vec<&str> {
    let texts = messages.iter().map(|message| message["text"].as_str());
    texts.flatten().collect()
}

/// Text of simple HTML.
#[must_use]
pub fn plain(html: &str) -> String {
    let pieces = html.split('<').enumerate();
    let text: String = pieces
        .map(|(index, piece)| match piece.split_once('>') {
            Some((_tag, text)) if index > 0 => text,
            _ => piece,
        })
        .collect();
    text.replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .trim()
        .to_owned()
}
