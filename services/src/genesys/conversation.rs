//! What is asked of a conversation besides its messages: who takes part, that it ends, that somebody is typing (Platform API,
//! `/api/v2/conversations/messages/{conversationId}`; Open Messaging, inbound events).

use bytes::Bytes;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::messaging::Genesys;
use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// Somebody who takes part in a conversation. `Debug` leaves the name out.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Participant {
    /// Its id within the conversation.
    pub id: String,
    /// `customer`, `agent`, `workflow`, …
    pub purpose: String,
    /// `connected`, `disconnected`, …
    pub state: String,
    /// Name.
    pub name: Option<String>,
}

impl std::fmt::Debug for Participant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Participant({}, {})", self.purpose, self.state)
    }
}

impl Participant {
    /// Whether it has left.
    pub fn is_gone(&self) -> bool {
        matches!(self.state.as_str(), "disconnected" | "terminated")
    }
}

impl Genesys {
    /// Who takes part in a conversation ("Get message conversation"); our client needs `conversation:message:view`.
    ///
    /// # Errors
    /// As [`Genesys::post_message`].
    pub async fn participants(&self, conversation: &str) -> Result<Vec<Participant>> {
        #[derive(Deserialize)]
        struct Conversation {
            #[serde(default)]
            participants: Vec<Participant>,
        }
        let path = self.conversation_path(conversation)?;
        let answer = self.request(Method::GET, &path, None).await?;
        let conversation: Conversation = serde_json::from_slice(&answer.body?)
            .map_err(|_| ServiceError::new(Service::Genesys, ErrorKind::Malformed, Sent::Yes))?;
        Ok(conversation.participants)
    }

    /// Takes a participant out of a conversation, which ends with its customer ("Update conversation participant"); our client needs
    /// `conversation:communication:disconnect`.
    ///
    /// # Errors
    /// As [`Genesys::post_message`].
    pub async fn disconnect(&self, conversation: &str, participant: &str) -> Result<()> {
        let participant = address::segment(Service::Genesys, participant)?;
        let path = self.conversation_path(conversation)?;
        let path = format!("{path}/participants/{participant}");
        let body = json!({ "state": "disconnected" }).to_string();
        let answer = self.request(Method::PATCH, &path, Some(body.into())).await;
        answer.map(drop)
    }

    /// Tells that a customer is typing (`OpenInboundNormalizedEvent`).
    ///
    /// # Errors
    /// As [`Genesys::post_message`].
    pub async fn post_typing(&self, json: impl Into<Bytes>, correlation: &str) -> Result<()> {
        self.post("event", json.into(), correlation).await.map(drop)
    }

    fn conversation_path(&self, conversation: &str) -> Result<String> {
        let conversation = address::segment(Service::Genesys, conversation)?;
        Ok(format!("conversations/messages/{conversation}"))
    }
}
