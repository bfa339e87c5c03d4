//! What an agent or a bot writes: text, a file, or structured content.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Genesys;
use super::media::{self, Access, AgentFile};
use crate::shared::content::Content;
use crate::shared::download::{Behaviour, Download};

/// Kinds of media (Platform API, model `ConversationContentAttachment`).
pub const MEDIA_TYPES: [&str; 5] = ["Image", "Video", "Audio", "File", "Link"];

/// What goes out in one message.
#[derive(Clone, Default)]
pub struct Outgoing {
    /// The webhook's `type`, where it shall not follow from the content.
    pub kind: Option<String>,
    /// Text, or the prompt of structured content; may be empty beside content.
    pub text: String,
    /// The items of `content`, as the webhook carries them.
    pub content: Vec<Value>,
    /// Id of the agent's file.
    pub media: Option<String>,
}

/// The same, as the control interface takes it.
#[derive(Deserialize)]
pub struct Written {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    text: String,
    attachment: Option<Attachment>,
    #[serde(default)]
    structured: Vec<Value>,
    #[serde(default)]
    content: Vec<Value>,
}

/// An agent's file, as the control interface takes it.
#[derive(Deserialize)]
pub struct Attachment {
    name: String,
    content_type: String,
    base64: Option<String>,
    generate: Option<u64>,
    #[serde(default)]
    behaviour: Behaviour,
    #[serde(default)]
    access: Access,
    redirect_to: Option<String>,
    media_type: Option<String>,
}

impl Outgoing {
    /// Text only.
    pub fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// Whether it holds anything but text and files.
    pub fn is_structured(&self) -> bool {
        !structured(&self.content).is_empty()
    }
}

/// The items that are no files.
pub fn structured(content: &[Value]) -> Vec<Value> {
    let mut items = content.to_vec();
    items.retain(|item| item["contentType"] != "Attachment");
    items
}

impl Genesys {
    /// Reads what an agent wants to send; a file is at its address from here on.
    ///
    /// # Errors
    /// A line that says why it is not sent.
    pub(super) async fn outgoing(&self, written: Written) -> Result<Outgoing, String> {
        let mut content = written.structured;
        content.extend(written.content);
        if content.iter().any(|item| !item["contentType"].is_string()) {
            return Err("each content has a contentType".to_owned());
        }
        let files = content
            .iter()
            .filter(|item| item["contentType"] == "Attachment");
        let mut attached = usize::from(written.attachment.is_some());
        for file in files {
            attached += 1;
            self.check_type(file["attachment"]["mime"].as_str().unwrap_or_default())?;
        }
        if attached > 0 && attached + structured(&content).len() > 1 {
            return Err("a message with a file has no other content".to_owned());
        }
        if written.text.is_empty() && content.is_empty() && written.attachment.is_none() {
            return Err("text must not be empty".to_owned());
        }
        let mut outgoing = Outgoing {
            kind: written.kind,
            text: written.text,
            content,
            media: None,
        };
        if let Some(attachment) = written.attachment {
            let (id, item) = self.host(attachment).await?;
            outgoing.media = Some(id);
            outgoing.content.push(item);
        }
        Ok(outgoing)
    }

    fn check_type(&self, media_type: &str) -> Result<(), String> {
        if self.profile().lets_out(media_type) {
            Ok(())
        } else {
            Err(format!("the content profile lets no {media_type} out"))
        }
    }

    /// Keeps a file for its download; its id and the content item about it.
    pub(super) async fn host(&self, attachment: Attachment) -> Result<(String, Value), String> {
        self.check_type(&attachment.content_type)?;
        if matches!(
            attachment.behaviour,
            Behaviour::Virus | Behaviour::Unavailable
        ) {
            return Err("agents' files know no such behaviour".to_owned());
        }
        let kind = match attachment.media_type.as_deref() {
            None => derived(&attachment.content_type),
            Some(given) => MEDIA_TYPES
                .into_iter()
                .find(|kind| *kind == given)
                .ok_or_else(|| format!("media_type is one of {}", MEDIA_TYPES.join(", ")))?,
        };
        let content = Content::ordered(attachment.base64, attachment.generate).await?;
        let download = Download::ordered(
            content,
            &attachment.content_type,
            attachment.name,
            attachment.behaviour,
            attachment.redirect_to.as_deref(),
        )?;
        let (name, size) = (download.name.clone(), download.content.size());
        let access = attachment.access;
        let id = self.media.keep(AgentFile { download, access });
        let url = media::address(&self.world.endpoints.genesys_downloads, &id);
        let item = json!({
            "contentType": "Attachment",
            "attachment": {
                "id": id,
                "mediaType": kind,
                "url": url,
                "mime": attachment.content_type,
                "filename": name,
                "contentSizeBytes": size,
            },
        });
        Ok((id, item))
    }
}

/// The kind of media that a media type is.
fn derived(content_type: &str) -> &'static str {
    match content_type.split('/').next() {
        Some("image") => "Image",
        Some("video") => "Video",
        Some("audio") => "Audio",
        _ => "File",
    }
}
