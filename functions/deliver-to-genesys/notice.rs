//! Having a customer told that a message of theirs did not reach Genesys.

use bridge::queue::envelope::{Content, Envelope, NoticeEnvelope, NotificationEnvelope};
use bridge::teams::notification::ChangeType;
use services::error::Service;
use time::OffsetDateTime;

use super::chat::{ChatMemory, thread_id};
use crate::app::App;
use crate::enqueue::enqueue;
use crate::failure::Rejection;
use crate::invocation::HandBack;

/// Puts a notice on the outbound queue when Genesys did not take the message. Other failures say nothing: as long as a message
/// was not read, nobody knows whether it was meant for the agent, or came from a customer at all.
///
/// # Errors
/// The queue did not take it.
pub async fn enqueue_notice(
    app: &App,
    notification: &NotificationEnvelope,
    rejection: &Rejection,
) -> Result<(), HandBack> {
    // Of a change nobody expects an answer; and the customer knows what it changed.
    let is_new = notification.change == ChangeType::Created;
    if !is_new
        || rejection.service != Some(Service::Genesys)
        || app.settings.failure_notice.is_none()
    {
        return Ok(());
    }
    // A group is bridged by one account, whichever was notified.
    let memory = ChatMemory::load(app, notification).await.ok();
    let inbound = memory.as_ref().map(|memory| &memory.inbound);
    let account = inbound.map_or(&notification.account, |inbound| &inbound.account);
    let thread = inbound.and_then(|inbound| {
        let (kind, customer) = (inbound.chat_type?, inbound.customer.as_ref()?);
        Some(thread_id(kind, account, &inbound.chat, customer, 0))
    });
    let notice = NoticeEnvelope {
        chat: notification.chat.clone(),
        message: notification.message.clone(),
        account: account.clone(),
        thread,
    };
    let envelope = Envelope::new(OffsetDateTime::now_utc(), Content::Notice(notice));
    enqueue(app, &[envelope]).await.map(drop).map_err(|error| {
        let service = error.service.to_string();
        tracing::error!(
            event = "notice_not_enqueued",
            service,
            kind = error.kind.label(),
            status = error.status
        );
        HandBack
    })
}
