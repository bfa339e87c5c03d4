//! The activities that the bot posts (Microsoft Learn, "Format your bot messages", "Send and receive files through the bot").

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Most characters of one message: they and what surrounds them stay below the 80 KB, counted as UTF-16, that Microsoft advises.
pub const TEXT_LIMIT: usize = 20_000;

/// Largest picture that a message shows, in bytes ("Format your bot messages": 1 MB).
pub const PICTURE_LIMIT: usize = 1024 * 1024;

/// Longest side of such a picture, in pixels.
const PICTURE_SIDE: usize = 1024;

/// Media types of pictures that a message shows.
const PICTURES: [&str; 3] = ["image/png", "image/jpeg", "image/gif"];

/// Media type of an Adaptive Card.
const CARD: &str = "application/vnd.microsoft.card.adaptive";

/// How long after a post whose answer was lost it is made again, by how often that happened before. A bot cannot look whether the post is
/// there, and each repetition may show it once more.
#[must_use]
pub const fn repeated_after(lost: u32) -> Duration {
    Duration::from_secs(match lost {
        0 => 1,
        1 => 10,
        2 => 30,
        3 => 90,
        _ => 300,
    })
}

/// Words exactly as they are: without this format Teams would take signs in them for Markdown.
#[must_use]
pub fn words(text: &str) -> Value {
    json!({ "type": "message", "text": text, "textFormat": "plain" })
}

/// An Adaptive Card; `summary` is what a notification of it says.
#[must_use]
pub fn card(card: &Value, summary: &str) -> Value {
    json!({
        "type": "message",
        "summary": summary,
        "attachments": [{ "contentType": CARD, "content": card }],
    })
}

/// Whether Teams shows a picture in a bot's message.
#[must_use]
pub fn is_shown(media_type: &str, bytes: &[u8]) -> bool {
    let is_small = |size: imagesize::ImageSize| size.width.max(size.height) <= PICTURE_SIDE;
    PICTURES.contains(&media_type)
        && bytes.len() <= PICTURE_LIMIT
        && imagesize::blob_size(bytes).is_ok_and(is_small)
}

/// A picture that the message itself holds.
#[must_use]
pub fn picture(media_type: &str, bytes: &[u8], name: &str) -> Value {
    let address = format!("data:{media_type};base64,{}", STANDARD.encode(bytes));
    json!({
        "type": "message",
        "attachments": [{ "contentType": media_type, "contentUrl": address, "name": name }],
    })
}

/// That somebody is typing: Teams shows it for about three seconds, or until the next message.
#[must_use]
pub fn typing() -> Value {
    json!({ "type": "typing" })
}
