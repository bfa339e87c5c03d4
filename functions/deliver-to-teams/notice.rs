//! Telling a customer that a message of theirs could not be delivered.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{BusMessageId, Digest, GenesysMessageId, SupportAccountName};
use bridge::queue::envelope::NoticeEnvelope;
use bridge::queue::failed::Direction;
use bridge::state::outbound::Says;
use bridge::teams::from_text::from_text;

use super::part::Part;
use super::pending;
use super::posting::{self, Posting};
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;

/// A notice on its way into the customer's chat.
pub(super) struct Notice<'a> {
    app: &'a App,
    delivery: &'a Delivery,
    notice: &'a NoticeEnvelope,
    chat: Digest,
}

impl<'a> Notice<'a> {
    /// The notice of an envelope.
    pub(super) fn new(app: &'a App, delivery: &'a Delivery, notice: &'a NoticeEnvelope) -> Self {
        Self {
            app,
            delivery,
            notice,
            chat: notice.chat.digest(),
        }
    }
}

impl Job for Notice<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, notice) = (self.app, self.notice);
        let Some(text) = &app.settings.failure_notice else {
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
        let mut state = posting::load(app, &notice.chat).await?;
        let caller = self.delivery.caller(self.chat.clone());
        pending::resolve(app, &caller, account, &notice.chat, &mut state).await?;
        let posting = Posting {
            account,
            chat: &notice.chat,
            id: &id,
            parts: &[Part::of_html(from_text(text))],
            says: Says::Notice,
        };
        Ok(match posting.run(app, &caller, &mut state).await? {
            true => Outcome::Delivered,
            false => Outcome::Skipped("already posted"),
        })
    }

    fn way(&self) -> (Direction, &str) {
        (Direction::Outbound, &self.app.settings.outbound_queue)
    }

    fn subject(&self) -> &Digest {
        &self.chat
    }

    fn chat(&self) -> Option<Digest> {
        Some(self.chat.clone())
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
