//! Telling a customer that a message of theirs waits, could not be delivered, or is not passed on.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{BusMessageId, Digest, GenesysMessageId, SupportAccountName};
use bridge::notices::{Language, NoticeKind};
use bridge::queue::envelope::NoticeEnvelope;
use bridge::state::blobs;
use bridge::state::inbound::InboundState;
use bridge::state::outbound::Says;
use bridge::teams::from_text::from_text;

use super::posting::{OutboundChat, Part};
use crate::app::App;
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
        let account = app.settings.support_account(&notice.account);
        let account = account.ok_or_else(|| unaddressable("account_unknown"))?;
        // It is remembered like an agent's message; its own kind of id keeps it apart from those.
        let id = BusMessageId::notice(
            &notice.chat,
            &notice.message,
            notice.says.distinction(),
            None,
        );
        let id: GenesysMessageId = id
            .as_str()
            .parse()
            .map_err(|_| unaddressable("notice_unnamed"))?;
        let mut chat = OutboundChat::load(app, &self.caller, account, &notice.chat).await?;
        chat.resolve_pending().await?;
        let parts = [Part::of_html(from_text(text))];
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

fn unaddressable(kind: &'static str) -> Failure {
    Failure::from(Rejection::new(
        kind,
        "the notice belongs to a support account that SUPPORT_ACCOUNTS does not name",
        ReasonCode::InvalidDestination,
    ))
}
