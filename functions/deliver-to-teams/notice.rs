//! Telling a customer that a message of theirs waits, could not be delivered, or is not passed on.

use bridge::bot::{cards, outgoing};
use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{BusMessageId, Digest, GenesysMessageId, SupportAccountName};
use bridge::notices::{Language, NoticeKind};
use bridge::queue::envelope::NoticeEnvelope;
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::Says;
use bridge::teams::chat_kind::ChatKind;

use super::posting::OutboundChat;
use crate::app::App;
use crate::doors::{Door, Part};
use crate::failure::{Failure, Rejection};
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;
use crate::store::document::peek;

/// A notice on its way into the customer's chat.
pub(super) struct Notice<'a> {
    app: &'a App,
    notice: &'a NoticeEnvelope,
    caller: Caller,
}

impl<'a> Notice<'a> {
    /// The notice of an envelope.
    pub(super) fn new(app: &'a App, delivery: &Delivery, notice: &'a NoticeEnvelope) -> Self {
        Self {
            app,
            notice,
            caller: delivery.caller(notice.chat.digest()),
        }
    }
}

impl Notice<'_> {
    /// Whether the message is with the agent by now: a notice can wait too.
    async fn is_delivered(&self) -> Result<bool, Failure> {
        let name = blobs::inbound_state(&self.notice.chat);
        let state = peek::<InboundState>(&self.app.blobs, &name).await?;
        Ok(state.is_some_and(|state| state.is_complete(&self.notice.message)))
    }
}

impl Job for Notice<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, notice) = (self.app, self.notice);
        let language = notice.language.as_deref().and_then(Language::of_tag);
        let Some(text) = app.settings.notice(notice.says, language) else {
            return Ok(Outcome::Skipped("notices are off"));
        };
        if notice.says == NoticeKind::Delayed && self.is_delivered().await? {
            return Ok(Outcome::Skipped("the message arrived meanwhile"));
        }
        // It is remembered like an agent's message; its own kind of id keeps it apart from those.
        let id = BusMessageId::notice(
            &notice.chat,
            &notice.message,
            notice.says.distinction(),
            None,
        );
        let id: GenesysMessageId = id.as_str().parse().map_err(|_| unnamed())?;
        let mut chat = OutboundChat::load(app, &self.caller, &notice.account, &notice.chat).await?;
        chat.resolve_pending().await?;
        let door = chat.way.door()?;
        let language = language.unwrap_or(app.settings.notice_language);
        let parts = [match (&door, notice.says) {
            (Door::Bot(bot), NoticeKind::Greeting)
                if !app.settings.end_words.is_empty() && bot.kind() == ChatKind::OneOnOne =>
            {
                let card = cards::with_end_button(text, language.end_button());
                Part::Activity(outgoing::card(&card, text))
            }
            _ => door.words(text),
        }];
        Ok(match chat.post(&id, &parts, &Says::Notice).await? {
            true => Outcome::Delivered,
            false => Outcome::Skipped("already posted"),
        })
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn chat(&self) -> Option<Digest> {
        Some(self.caller.subject.clone())
    }

    fn account(&self) -> Option<&SupportAccountName> {
        Some(&self.notice.account)
    }
}

/// The message that a notice is about has an id that makes none for the notice.
pub(super) fn unnamed() -> Failure {
    Failure::from(Rejection::new(
        "notice_unnamed",
        "the id of the message makes no id for a notice about it",
        ReasonCode::InvalidDestination,
    ))
}
