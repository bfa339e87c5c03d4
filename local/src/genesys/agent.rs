//! What an agent or a bot writes: text, a file, or structured content.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::checks::MEDIA_TYPES;
use super::conversations::{Outgoing, structured, time_text};
use super::media::{Access, AgentFile};
use super::state::Genesys;
use super::webhook::{self, FirstAttempt};
use crate::hub::Direction;
use crate::shared::correlation;
use crate::shared::download::{self, Behaviour};

/// A message's answer waits at most this long for the flow's greeting to be delivered.
const GREETING_WAIT: Duration = Duration::from_secs(1);

/// What goes out, as the control interface takes it.
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
    #[serde(flatten)]
    download: download::Ordered,
    #[serde(default)]
    access: Access,
    media_type: Option<String>,
}

impl Genesys {
    /// The agent writes into a thread; returns the message's id. Its webhook is on its way when this returns.
    pub(super) fn agent_writes(&self, thread: &str, outgoing: &Outgoing) -> String {
        // Only bots send structured content.
        let entity = if outgoing.is_structured() {
            "Bot"
        } else {
            "Human"
        };
        self.write(thread, outgoing, entity).0
    }

    /// The flow answers a conversation's first message before that message's own request is answered.
    pub(super) async fn greet(&self, thread: &str, text: &str) {
        let (_, first_attempt) = self.write(thread, &Outgoing::text(text), "Bot");
        webhook::wait(first_attempt, GREETING_WAIT).await;
    }

    fn write(&self, thread: &str, outgoing: &Outgoing, entity: &str) -> (String, FirstAttempt) {
        let now = OffsetDateTime::now_utc();
        // Held until the webhook stands in its thread's line, so that the line has the conversation's order.
        let mut conversations = self.conversations.lock();
        let placed = conversations.answer(thread, outgoing, now);
        let hub = &self.world.hub;
        let correlation = correlation::of_genesys_message(&placed.message);
        hub.journey(&correlation, Direction::Outbound, "genesys", 1, "written");
        hub.event(
            "conversation",
            json!({ "conversation": placed.conversation, "thread": thread }),
        );
        let integration = &self.world.config.genesys_integration_id;
        let time = time_text(now);
        let body = webhook::body(integration, thread, &placed, outgoing, &time, entity);
        let first_attempt = self.webhooks.send(thread, &placed.message, &body);
        (placed.message, first_attempt)
    }

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
        let files = content.len() - structured(&content).len();
        let attached = files + usize::from(written.attachment.is_some());
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

    /// Keeps a file for its download; its id and the content item about it.
    pub(super) async fn host(&self, attachment: Attachment) -> Result<(String, Value), String> {
        let Attachment {
            download,
            access,
            media_type,
        } = attachment;
        let mime = download.content_type.clone();
        if matches!(
            download.behaviour,
            Behaviour::Virus | Behaviour::Unavailable
        ) {
            return Err("agents' files know no such behaviour".to_owned());
        }
        let kind = match media_type.as_deref() {
            None => derived(&mime),
            Some(given) => MEDIA_TYPES
                .into_iter()
                .find(|kind| *kind == given)
                .ok_or_else(|| format!("media_type is one of {}", MEDIA_TYPES.join(", ")))?,
        };
        let download = download.download().await?;
        let (name, size) = (download.name.clone(), download.content.size());
        let id = self.media.keep(AgentFile { download, access });
        let host = &self.world.endpoints.genesys_downloads;
        let item = json!({
            "contentType": "Attachment",
            "attachment": {
                "id": id,
                "mediaType": kind,
                "url": format!("{host}/api/v2/downloads/{id}"),
                "mime": mime,
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
