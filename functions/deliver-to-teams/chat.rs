//! What this function remembers of a chat: its own posts, and the one that may be under way.

use bridge::ids::ChatId;
use bridge::state::blobs;
use bridge::state::outbound::OutboundState;
use bytes::Bytes;
use services::blob::ETag;
use time::OffsetDateTime;

use crate::app::App;
use crate::enqueue::STATE;
use crate::failure::{Failure, unreadable_state};

/// A chat's outbound state in the version that was read.
pub struct ChatMemory {
    /// Posts of ours.
    pub state: OutboundState,
    chat: ChatId,
    version: Option<ETag>,
}

impl ChatMemory {
    /// Reads the state; a chat without one has no posts yet.
    ///
    /// # Errors
    /// Blob could not be read, or holds something that is no such state.
    pub async fn load(app: &App, chat: &ChatId) -> Result<Self, Failure> {
        let (state, version) = match app.blobs.get(STATE, &blobs::outbound_state(chat)).await? {
            Some((body, version)) => {
                let state = serde_json::from_slice(&body)
                    .map_err(|error| unreadable_state("outbound", &error))?;
                (state, Some(version))
            }
            None => (OutboundState::new(chat.clone()), None),
        };
        Ok(Self {
            state,
            chat: chat.clone(),
            version,
        })
    }

    /// Writes the state; fails when another instance wrote in between.
    ///
    /// # Errors
    /// Blob refused, could not be reached, or holds a newer state.
    pub async fn save(&mut self, app: &App) -> Result<(), Failure> {
        self.state.forget_before(OffsetDateTime::now_utc());
        let blob = blobs::outbound_state(&self.chat);
        let body = Bytes::from(serde_json::to_vec(&self.state).unwrap_or_default());
        let version = crate::state_blobs::write(app, &blob, body, self.version.as_ref()).await?;
        self.version = Some(version);
        Ok(())
    }
}
