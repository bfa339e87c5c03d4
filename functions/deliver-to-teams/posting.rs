//! Putting a message into a chat once: wait for the turn, save pending, post, save posted.

use bridge::ids::{ChatId, GenesysMessageId};
use bridge::state::blobs;
use bridge::state::outbound::{OutboundState, Says};
use bridge::teams::recognise::fingerprint_html;
use services::error::{Sent, Service};
use time::OffsetDateTime;

use super::part::Part;
use crate::app::App;
use crate::doors::Place;
use crate::failure::Failure;
use crate::outside::Caller;
use crate::settings::SupportAccount;
use crate::store::document::Document;

/// The chat's outbound state in the version that was read.
pub(super) type OutboundChat = Document<OutboundState>;

/// Reads the chat's outbound state; a chat without one has no posts yet.
///
/// # Errors
/// Blob could not be read, or holds something that is no such state.
pub(super) async fn load(app: &App, chat: &ChatId) -> Result<OutboundChat, Failure> {
    let absent = || OutboundState::new(chat.clone());
    Document::load(&app.blobs, blobs::outbound_state(chat), absent).await
}

/// Writes the chat's outbound state, without what need not be known any more.
///
/// # Errors
/// As [`Document::save`].
pub(super) async fn save(app: &App, state: &mut OutboundChat) -> Result<(), Failure> {
    state.value.forget_before(OffsetDateTime::now_utc());
    state.save(&app.blobs).await
}

/// A message that is to be in a chat, in one part or several.
pub(super) struct Posting<'a> {
    /// Who posts it.
    pub(super) account: &'a SupportAccount,
    /// Where.
    pub(super) chat: &'a ChatId,
    /// What it is remembered by.
    pub(super) id: &'a GenesysMessageId,
    /// Its parts, in order.
    pub(super) parts: &'a [Part],
    /// What it is to the conversation.
    pub(super) says: Says,
}

impl Posting<'_> {
    /// Posts the parts that are not in the chat yet; tells whether there were any. A pending post of an earlier attempt must
    /// have been resolved.
    ///
    /// # Errors
    /// The state is such that another attempt finds out what was posted.
    pub(super) async fn run(
        &self,
        app: &App,
        caller: &Caller,
        state: &mut OutboundChat,
    ) -> Result<bool, Failure> {
        let already = state.value.parts_posted(self.id);
        for (index, part) in self.parts.iter().enumerate().skip(already) {
            self.post_part(app, caller, state, index, part).await?;
        }
        Ok(already < self.parts.len())
    }

    async fn post_part(
        &self,
        app: &App,
        caller: &Caller,
        state: &mut OutboundChat,
        index: usize,
        part: &Part,
    ) -> Result<(), Failure> {
        let chat = self.chat.digest();
        let place = Place {
            account: &self.account.name,
            chat: self.chat,
        };
        let turn = app.door.turn_to_post(place, caller).await?;
        let fingerprint = fingerprint_html(&part.html);
        app.own_posts.begin(&chat, &fingerprint);
        state.value.begin(
            self.id,
            index,
            index + 1 == self.parts.len(),
            OffsetDateTime::now_utc(),
            fingerprint,
            self.says.clone(),
        );
        // Another holder of this lane that was faster has changed the state, so this stops here.
        save(app, state).await?;
        let shown = (part.html.as_str(), part.images.as_slice());
        let limit = app.settings.graph_post_timeout;
        let posted = app.door.post(turn, place, caller, shown, limit);
        match posted.await {
            Ok(id) => {
                app.own_posts.posted(&chat, &id);
                state.value.posted(id, OffsetDateTime::now_utc());
                save(app, state).await
            }
            Err(error) => {
                if error.service != Service::Graph || error.sent == Sent::No {
                    app.own_posts.not_posted(&chat);
                    state.value.clear_pending();
                    save(app, state).await?;
                } else if error.status.is_some() {
                    app.own_posts.answered(&chat);
                }
                Err(error.into())
            }
        }
    }
}
