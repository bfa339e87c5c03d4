//! Telling a customer that a message of theirs could not be delivered, or is not passed on.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{BusMessageId, Digest, GenesysMessageId, SupportAccountName};
use bridge::queue::envelope::{NoticeEnvelope, NoticeKind};
use bridge::state::outbound::Says;
use bridge::teams::from_text::from_text;

use super::posting::{OutboundChat, Part};
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::outside::Caller;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;

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

impl Job for Notice<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, notice) = (self.app, self.notice);
        let text = match notice.says {
            NoticeKind::Failed => &app.settings.failure_notice,
            NoticeKind::TurnedAway => &app.settings.tenant_notice,
        };
        let Some(text) = text else {
            return Ok(Outcome::Skipped("notices are off"));
        };
        let account = app.settings.support_account(&notice.account);
        let account = account.ok_or_else(|| unaddressable("account_unknown"))?;
        // It is remembered like an agent's message; its own kind of id keeps it apart from those.
        let id = BusMessageId::notice(&notice.chat, &notice.message, None);
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
