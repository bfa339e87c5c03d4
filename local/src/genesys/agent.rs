//! What an agent or a bot writes: text, a file, or structured content.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::timeout;
use uuid::Uuid;

use super::conversations::{Outgoing, Place, Placed, structured};
use super::media::{Access, AgentFile};
use super::state::Genesys;
use super::webhook;
use crate::delivery::FirstAttempt;
use crate::hub::Direction;
use crate::shared::correlation;
use crate::shared::download::{self, Behaviour};

/// A message's answer waits at most this long for the flow's greeting to be delivered.
const GREETING_WAIT: Duration = Duration::from_secs(1);

/// Who writes where nobody else is named.
const AGENT: &str = "Local Agent";

/// What goes out, as the control interface takes it.
#[derive(Deserialize)]
pub struct Written {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    text: String,
    attachment: Option<Attachment>,
    #[serde(default, alias = "structured")]
    content: Vec<Value>,
    /// Who writes it; another one than before takes the conversation over.
    agent: Option<String>,
}

/// An agent's file, as the control interface takes it.
#[derive(Deserialize)]
pub struct Attachment {
    #[serde(flatten)]
    download: download::Ordered,
    #[serde(default)]
    access: Access,
}

impl Genesys {
    /// The agent writes into a thread; returns the message's id. Its webhook is on its way when this returns.
    pub(super) fn agent_writes(&self, thread: &str, outgoing: &Outgoing) -> String {
        self.write(thread, outgoing, "Human").0
    }

    /// The flow answers a conversation's first message before that message's own request is answered.
    pub(super) async fn greet(&self, thread: &str, text: &str) {
        let (_, first_attempt) = self.write(thread, &Outgoing::text(text), "Bot");
        let _ = timeout(GREETING_WAIT, first_attempt.over()).await;
    }

    fn write(&self, thread: &str, outgoing: &Outgoing, entity: &str) -> (String, FirstAttempt) {
        let (id, now) = (new_id(), OffsetDateTime::now_utc());
        let integration = &self.world.config.genesys_integration_id;
        let body =
            |placed: &Placed| webhook::body(integration, thread, placed, outgoing, now, entity);
        let first_attempt = self.send(thread, &id, outgoing, now, body);
        (id, first_attempt)
    }

    /// Puts a message of this id into the thread's conversation, and what `body` makes of it on its way.
    pub(super) fn send(
        &self,
        thread: &str,
        id: &str,
        outgoing: &Outgoing,
        now: OffsetDateTime,
        body: impl FnOnce(&Placed) -> Value,
    ) -> FirstAttempt {
        // Held until the webhook stands in its thread's line, so that the line has the conversation's order.
        let mut conversations = self.conversations.lock();
        let placed = conversations.answer(thread, id.to_owned(), outgoing, now);
        let hub = &self.world.hub;
        let correlation = correlation::of_genesys_message(id);
        let attempt = hub.journeys.next_attempt(&correlation, "genesys");
        hub.journey(
            &correlation,
            Direction::Outbound,
            "genesys",
            attempt,
            "written",
        );
        self.tell(&placed.conversation, thread);
        self.webhooks.send(thread, Some(id), &body(&placed))
    }

    /// Reads what an agent wants to send; a file is at its address from here on.
    ///
    /// # Errors
    /// A line that says why it is not sent.
    pub(super) async fn outgoing(&self, written: Written) -> Result<Outgoing, String> {
        let content = written.content;
        if content.iter().any(|item| !item["contentType"].is_string()) {
            return Err("each content has a contentType".to_owned());
        }
        let mut attached = usize::from(written.attachment.is_some());
        for item in content
            .iter()
            .filter(|it| it["contentType"] == "Attachment")
        {
            attached += 1;
            let kind = item["attachment"]["mime"].as_str();
            self.check_type(kind.unwrap_or_default())?;
        }
        if attached > 0 && attached + structured(&content).len() > 1 {
            return Err("a message with a file has no other content".to_owned());
        }
        if written.text.is_empty() && content.is_empty() && written.attachment.is_none() {
            return Err("text must not be empty".to_owned());
        }
        // Only bots send structured content.
        let is_agents = structured(&content).is_empty();
        let agent = written.agent.unwrap_or_else(|| AGENT.to_owned());
        let mut outgoing = Outgoing {
            kind: written.kind,
            text: written.text,
            content,
            file: None,
            agent: is_agents.then_some(agent),
        };
        if let Some(attachment) = written.attachment {
            let (id, item) = self.host(attachment).await?;
            outgoing.file = Some(Place::Media(id));
            outgoing.content.push(item);
        }
        Ok(outgoing)
    }

    fn check_type(&self, media_type: &str) -> Result<(), String> {
        let sent = self.profile.lock().lets_out(media_type);
        sent.then_some(())
            .ok_or_else(|| format!("the content profile lets no {media_type} out"))
    }

    /// Keeps a file for its download; its id and the content item about it.
    pub(super) async fn host(&self, attachment: Attachment) -> Result<(String, Value), String> {
        let Attachment { download, access } = attachment;
        let mime = download.content_type.clone();
        self.check_type(&mime)?;
        if download.behaviour == Behaviour::Virus {
            return Err("agents' files know no such behaviour".to_owned());
        }
        let download = download.download().await?;
        let (name, size) = (download.name.clone(), download.content.size());
        let id = Uuid::new_v4().to_string();
        self.media.keep(&id, AgentFile { download, access });
        let host = &self.world.endpoints.genesys_downloads;
        let item = json!({
            "contentType": "Attachment",
            "attachment": {
                "id": id,
                "mediaType": kind_of(&mime),
                "url": format!("{host}/api/v2/downloads/{id}"),
                "mime": mime,
                "filename": name,
                "contentSizeBytes": size,
            },
        });
        Ok((id, item))
    }
}

/// The id of a new message.
pub fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The kind of media that a media type is.
fn kind_of(content_type: &str) -> &'static str {
    match content_type.split('/').next() {
        Some("image") => "Image",
        Some("video") => "Video",
        Some("audio") => "Audio",
        _ => "File",
    }
}
