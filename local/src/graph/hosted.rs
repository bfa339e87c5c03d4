//! Hosted contents: the images in a message, and the code of its snippets (Microsoft Learn, "chatMessageHostedContent resource
//! type").

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use uuid::Uuid;

use crate::shared::content::Content;

/// Size of an image whose bytes do not tell, in pixels.
const UNKNOWN_SIZE: (u32, u32) = (250, 250);

/// One hosted content of a message.
#[derive(Clone)]
pub struct Hosted {
    /// Its id, unique in the world.
    pub id: String,
    /// Its media type.
    pub content_type: HeaderValue,
    /// Its bytes.
    pub content: Content,
}

impl Hosted {
    /// A content with a new id.
    pub fn new(content_type: HeaderValue, content: Content) -> Self {
        let id = format!("id=x_0-local-{},type=1", Uuid::new_v4().simple());
        Self {
            id: URL_SAFE_NO_PAD.encode(id),
            content_type,
            content,
        }
    }

    /// Its address below the message's.
    pub fn address(&self, message: &str) -> String {
        format!("{message}/hostedContents/{}/$value", self.id)
    }

    /// Width and height in pixels, as the first bytes of a PNG or a GIF tell.
    pub fn pixels(&self) -> (u32, u32) {
        let start = self.content.start(24);
        let big = |at: usize| Some(u32::from_be_bytes(start.get(at..at + 4)?.try_into().ok()?));
        let little = |at: usize| Some(u16::from_le_bytes(start.get(at..at + 2)?.try_into().ok()?));
        let told = if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            big(16).zip(big(20))
        } else if start.starts_with(b"GIF8") {
            little(6).map(u32::from).zip(little(8).map(u32::from))
        } else {
            None
        };
        told.unwrap_or(UNKNOWN_SIZE)
    }
}

/// The address of a hosted content while its message has none.
pub fn relative(id: &str) -> String {
    format!("../hostedContents/{id}/$value")
}
