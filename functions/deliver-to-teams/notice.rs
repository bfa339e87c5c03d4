//! Telling a customer that a message of theirs could not be delivered.

use bridge::genesys::receipt::ReasonCode;
use bridge::ids::{BusMessageId, GenesysMessageId};
use bridge::queue::envelope::NoticeEnvelope;
use bridge::state::outbound::Says;
use bridge::teams::from_text::from_text;

use super::chat::ChatMemory;
use super::pending;
use super::posting::{Part, Posting};
use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::invocation::{Delivery, Outcome};

/// Posts the notice into the customer's chat, once.
///
/// # Errors
/// Those of Graph and of the state; another attempt finds out what was posted.
pub async fn deliver(
    app: &App,
    delivery: &Delivery,
    notice: &NoticeEnvelope,
) -> Result<Outcome, Failure> {
    let Some(text) = &app.settings.failure_notice else {
        return Ok(Outcome::Skipped("notices are off"));
    };
    let account = app
        .settings
        .support_account(&notice.account)
        .ok_or_else(|| unaddressable("account_unknown"))?;
    // It is remembered like an agent's message; its own kind of id keeps it apart from those.
    let id: GenesysMessageId = BusMessageId::notice(&notice.chat, &notice.message)
        .as_str()
        .parse()
        .map_err(|_| unaddressable("notice_unnamed"))?;
    let parts = [Part::of_html(from_text(text))];
    let mut memory = ChatMemory::load(app, &notice.chat).await?;
    pending::resolve(app, delivery, account, &notice.chat, &mut memory).await?;
    let posting = Posting {
        account,
        chat: &notice.chat,
        id: &id,
        subject: notice.chat.digest(),
        parts: &parts,
        says: Says::Notice,
    };
    Ok(if posting.run(app, delivery, &mut memory).await? {
        Outcome::Delivered
    } else {
        Outcome::Skipped("already posted")
    })
}

fn unaddressable(kind: &'static str) -> Failure {
    Failure::Permanent(Rejection::new(
        kind,
        "the notice belongs to a support account that SUPPORT_ACCOUNTS does not name",
        ReasonCode::InvalidDestination,
    ))
}
