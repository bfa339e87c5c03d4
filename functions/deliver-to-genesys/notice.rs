//! Having a customer told that a message of theirs did not reach Genesys.

use bridge::ids::{BusMessageId, Lane};
use bridge::queue::envelope::{Content, Envelope, NoticeEnvelope, NotificationEnvelope};
use bridge::teams::notification::ChangeType;
use services::error::Service;
use time::OffsetDateTime;

use super::chat::ChatMemory;
use crate::app::App;
use crate::enqueue::{Passage, enqueue};
use crate::failure::Rejection;
use crate::invocation::{Delivery, HandBack};

/// Puts a notice on the outbound queue when Genesys did not take the message. Other failures say nothing: as long as a message
/// was not read, nobody knows whether it was meant for the agent, or came from a customer at all.
///
/// # Errors
/// The queue did not take it.
pub async fn enqueue_notice(
    app: &App,
    delivery: &Delivery,
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
    let account = match ChatMemory::load(app, notification).await {
        Ok(memory) => memory.inbound.account,
        Err(_) => notification.account.clone(),
    };
    let lane = Lane::outbound_graph(&account);
    let message_id = BusMessageId::notice(&notification.chat, &notification.message);
    let passage = Passage {
        queue: &app.settings.outbound_queue,
        lane: Some(&lane),
        message_id: Some(&message_id),
        correlation: &delivery.correlation,
        time_to_live: None,
    };
    let notice = NoticeEnvelope {
        chat: notification.chat.clone(),
        message: notification.message.clone(),
        account,
    };
    let envelope = Envelope::new(OffsetDateTime::now_utc(), Content::Notice(notice));
    enqueue(app, passage, &envelope).await.map_err(|error| {
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
