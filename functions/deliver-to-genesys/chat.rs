//! What this function remembers of a chat, and what the other side does.

use bridge::conversation::case::Chat;
use bridge::ids::{ChatId, SupportAccountName};
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::OutboundState;
use time::OffsetDateTime;

use crate::app::App;
use crate::failure::Failure;
use crate::store::document::{Document, peek};

/// A chat's state: ours to write, and the other side's to read.
pub(super) struct InboundChat {
    inbound: Document<InboundState>,
    outbound: Option<OutboundState>,
}

impl InboundChat {
    /// Reads both blobs.
    ///
    /// # Errors
    /// Blob could not be read, or a state is not readable.
    pub(super) async fn load(
        app: &App,
        chat: &ChatId,
        account: &SupportAccountName,
    ) -> Result<Self, Failure> {
        let absent = || InboundState::new(chat.clone(), account.clone());
        let outbound = blobs::outbound_state(chat);
        let (inbound, outbound) = futures::try_join!(
            Document::load(&app.blobs, blobs::inbound_state(chat), absent),
            peek(&app.blobs, &outbound),
        )?;
        Ok(Self { inbound, outbound })
    }

    /// Both, to decide by.
    pub(super) fn known(&self) -> Chat<'_> {
        Chat {
            inbound: &self.inbound.value,
            outbound: self.outbound.as_ref(),
        }
    }

    /// Our side, to be changed and saved.
    pub(super) fn state(&mut self) -> &mut InboundState {
        &mut self.inbound.value
    }

    /// Writes our side.
    ///
    /// # Errors
    /// As [`Document::save`]; another holder of the lane may have written in between.
    pub(super) async fn save(&mut self, app: &App) -> Result<(), Failure> {
        self.inbound.value.forget(OffsetDateTime::now_utc());
        self.inbound.save(&app.blobs).await
    }
}
