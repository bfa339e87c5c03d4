//! A chat as this function remembers it, and putting a message into it once: wait for the turn, save pending, post, save posted.

use bridge::ids::{ChatId, GenesysMessageId};
use bridge::state::blobs;
use bridge::state::outbound::{OutboundState, Says};
use bridge::teams::recognise::fingerprint_html;
use services::error::{Sent, Service};
use services::graph::HostedImage;
use time::OffsetDateTime;

use crate::app::App;
use crate::doors::Graph;
use crate::failure::Failure;
use crate::outside::Caller;
use crate::settings::SupportAccount;
use crate::store::document::Document;

/// One Teams message.
pub(super) struct Part {
    /// What it shows.
    pub(super) html: String,
    /// The pictures in it.
    pub(super) images: Vec<HostedImage>,
}

impl Part {
    /// A part of words only.
    pub(super) fn of_html(html: String) -> Self {
        let images = Vec::new();
        Self { html, images }
    }
}

/// A chat with its outbound state in the version that was read.
pub(super) struct OutboundChat<'a> {
    /// Who acts.
    pub(super) account: &'a SupportAccount,
    /// The way into it.
    pub(super) door: Graph<'a>,
    /// Our posts so far.
    pub(super) state: Document<OutboundState>,
}

impl<'a> OutboundChat<'a> {
    /// Reads the state; a chat without one has no posts yet.
    ///
    /// # Errors
    /// Blob could not be read, or holds something that is no such state.
    pub(super) async fn load(
        app: &'a App,
        caller: &'a Caller,
        account: &'a SupportAccount,
        chat: &'a ChatId,
    ) -> Result<Self, Failure> {
        let absent = || OutboundState::new(chat.clone());
        Ok(Self {
            account,
            door: Graph {
                app,
                account: &account.name,
                chat,
                caller,
            },
            state: Document::load(&app.blobs, blobs::outbound_state(chat), absent).await?,
        })
    }

    /// Writes the state, without what need not be known any more.
    ///
    /// # Errors
    /// As [`Document::save`].
    pub(super) async fn save(&mut self) -> Result<(), Failure> {
        self.state.value.forget_before(OffsetDateTime::now_utc());
        self.state.save(&self.door.app.blobs).await
    }

    /// Posts the parts of a message that are not in the chat yet; tells whether there were any. A pending post of an earlier
    /// attempt must have been resolved.
    ///
    /// # Errors
    /// The state is such that another attempt finds out what was posted.
    pub(super) async fn post(
        &mut self,
        id: &GenesysMessageId,
        parts: &[Part],
        says: &Says,
    ) -> Result<bool, Failure> {
        let already = self.state.value.parts_posted(id);
        for (index, part) in parts.iter().enumerate().skip(already) {
            let is_last = index + 1 == parts.len();
            self.post_part(id, part, (index, is_last), says).await?;
        }
        Ok(already < parts.len())
    }

    async fn post_part(
        &mut self,
        id: &GenesysMessageId,
        part: &Part,
        (index, is_last): (usize, bool),
        says: &Says,
    ) -> Result<(), Failure> {
        let (door, own_posts) = (self.door, &self.door.app.own_posts);
        let chat = door.chat.digest();
        let turn = door.turn_to_post().await?;
        let fingerprint = fingerprint_html(&part.html);
        own_posts.begin(&chat, &fingerprint);
        let now = OffsetDateTime::now_utc();
        let state = &mut self.state.value;
        state.begin(id, index, is_last, now, fingerprint, says.clone());
        // Another holder of this lane that was faster has changed the state, so this stops here.
        self.save().await?;
        match door.post(turn, &part.html, &part.images).await {
            Ok(posted) => {
                own_posts.posted(&chat, &posted);
                self.state.value.posted(posted, OffsetDateTime::now_utc());
                self.save().await
            }
            Err(error) => {
                if error.service != Service::Graph || error.sent == Sent::No {
                    own_posts.not_posted(&chat);
                    self.state.value.clear_pending();
                    self.save().await?;
                } else if error.status.is_some() {
                    own_posts.answered(&chat);
                }
                Err(error.into())
            }
        }
    }
}
