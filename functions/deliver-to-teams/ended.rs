//! Telling a customer that the conversation is over, or that another agent goes on with it.

use bridge::ids::{
    BusMessageId, ChatId, Digest, GenesysMessageId, SupportAccountName, TeamsMessageId,
};
use bridge::notices::{Language, NoticeKind};
use bridge::queue::envelope::EndedEnvelope;
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::Says;
use time::OffsetDateTime;

use super::posting::OutboundChat;
use crate::app::App;
use crate::failure::Failure;
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;
use crate::store::document::peek;

/// Word of an end on its way into the customer's chat.
pub(super) struct Ended<'a> {
    app: &'a App,
    ended: &'a EndedEnvelope,
    caller: Caller,
}

impl<'a> Ended<'a> {
    /// The end of an envelope.
    pub(super) fn new(app: &'a App, delivery: &Delivery, ended: &'a EndedEnvelope) -> Self {
        Self {
            app,
            ended,
            caller: delivery.caller(Digest::of("thread", &ended.thread.to_string())),
        }
    }
}

impl Job for Ended<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, ended) = (self.app, self.ended);
        let now = OffsetDateTime::now_utc();
        let known = app.threads.chat_of(&app.blobs, &ended.thread, now).await?;
        let Some(id) = known else {
            return Ok(Outcome::Skipped("no chat is known for the thread"));
        };
        let inbound = peek::<InboundState>(&app.blobs, &blobs::inbound_state(&id)).await?;
        let tag = inbound.as_ref().and_then(|state| state.language.as_deref());
        let language = tag.and_then(Language::of_tag);
        let says = match ended.transferred {
            true => NoticeKind::Transferred,
            false => NoticeKind::Ended,
        };
        let account = &ended.thread.account;
        let mut chat = OutboundChat::load(app, &self.caller, account, &id).await?;
        chat.resolve_pending().await?;
        let name = name(ended, &id)?;
        let last_message = inbound.and_then(|state| Some(state.thread?.last_message));
        let state = &mut chat.state.value;
        if state.conversation_before.as_ref() == Some(&ended.conversation) {
            return Ok(Outcome::Skipped("another conversation has begun since"));
        }
        if ended.transferred {
            // Whoever goes on with it has another name.
            app.speakers.remove(&ended.conversation);
        }
        // What an earlier attempt began is still to be said.
        let is_begun = state.posts.contains_key(&name);
        if !ended.transferred && !is_begun {
            if state.is_told_of_end(last_message) {
                return Ok(Outcome::Skipped("the customer knows"));
            }
            // The times of messages are Teams', whose clock may be ahead of ours.
            state.ended_at = Some(last_message.map_or(now, |last| last.max(now)));
        }
        let Some(text) = app.settings.notice(says, language) else {
            if !ended.transferred {
                // Nobody is there any more, whether or not that is told.
                chat.save().await?;
            }
            return Ok(Outcome::Skipped("notices are off"));
        };
        let parts = [chat.way.door()?.words(text)];
        Ok(match chat.post(&name, &parts, &Says::Notice).await? {
            true => Outcome::Delivered,
            false => Outcome::Skipped("already posted"),
        })
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.ended.thread.account)
    }

    fn is_worth_storing(&self) -> bool {
        false
    }
}

/// It is remembered like an agent's message; its own kind of id keeps it apart from those.
fn name(ended: &EndedEnvelope, chat: &ChatId) -> Result<GenesysMessageId, Failure> {
    let what = TeamsMessageId::standing_for(&ended.session);
    let id = BusMessageId::notice(chat, &what, Some(ended.conversation.as_str()), None);
    id.as_str().parse().map_err(|_| super::notice::unnamed())
}
