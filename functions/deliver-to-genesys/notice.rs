//! Having a customer told that a message of theirs waits for Genesys, did not reach it, or is not passed on.

use bridge::conversation::present_thread;
use bridge::notices::NoticeKind;
use bridge::queue::envelope::{Content, Envelope, NoticeEnvelope, NotificationEnvelope};
use bridge::state::inbound::InboundState;
use bridge::teams::notification::ChangeType;
use services::error::{Service, ServiceError};
use time::OffsetDateTime;

use super::chat::InboundChat;
use crate::app::App;
use crate::failure::Rejection;
use crate::queue::delivery::HandBack;
use crate::queue::enqueue::enqueue;
use crate::queue::settlement::handed_back;

/// Puts a notice on the outbound queue when Genesys did not take the message. Other failures say nothing: as long as a message
/// was not read, nobody knows whether it was meant for the agent, or came from a customer at all.
///
/// # Errors
/// The queue did not take it.
pub(super) async fn tell(
    app: &App,
    notification: &NotificationEnvelope,
    rejection: &Rejection,
) -> Result<(), HandBack> {
    let (chat, account) = (&notification.chat, &notification.account);
    let chat = InboundChat::load(app, chat, account).await.ok();
    let mut chat = note_given_up(app, notification, chat).await;
    // Of a change nobody expects an answer; and the customer knows what it changed.
    let is_new = notification.change == ChangeType::Created;
    let is_refused = rejection.service == Some(Service::Genesys);
    let state = chat.as_ref().map(|chat| chat.known().inbound);
    let is_told = state.is_some_and(|state| state.failure_told_at.is_some());
    if !is_new || !is_refused || is_told || !is_on(app, NoticeKind::Failed) {
        return Ok(());
    }
    let language = state.and_then(|state| state.language.clone());
    let sent = send(app, notification, state, NoticeKind::Failed, language).await;
    sent.map_err(|error| handed_back("notice_not_enqueued", &error))?;
    if let Some(chat) = &mut chat {
        chat.state().failure_told_at = Some(OffsetDateTime::now_utc());
        note(app, chat).await;
    }
    Ok(())
}

/// Whether customers are told such a thing at all.
pub(super) fn is_on(app: &App, says: NoticeKind) -> bool {
    app.settings.notice(says, None).is_some()
}

/// Notes in the chat's state that its people were told. Without the note they may be told of the next message too; of the same one
/// they are not, since its notice is known by its id.
pub(super) async fn note(app: &App, chat: &mut InboundChat) {
    if let Err(failure) = chat.save(app).await {
        let reason = failure.label();
        tracing::warn!(event = "notice_not_noted", reason);
    }
}

/// Notes in the chat's state that the message was given up, so that no catch-up takes it for one that nobody told of. Without the
/// note it would be tried, and told, once more.
async fn note_given_up(
    app: &App,
    notification: &NotificationEnvelope,
    chat: Option<InboundChat>,
) -> Option<InboundChat> {
    let mut chat = chat?;
    let state = chat.state();
    state.give_up(&notification.message, OffsetDateTime::now_utc());
    if let Err(failure) = chat.save(app).await {
        let reason = failure.label();
        tracing::warn!(event = "given_up_not_noted", reason);
    }
    Some(chat)
}

/// Puts a notice about a message on the outbound queue. The queue and the chat know a repetition by the message.
///
/// # Errors
/// The queue did not take it.
pub(super) async fn send(
    app: &App,
    notification: &NotificationEnvelope,
    state: Option<&InboundState>,
    says: NoticeKind,
    language: Option<String>,
) -> Result<(), ServiceError> {
    // A group is bridged by one account, whichever was notified.
    let notice = NoticeEnvelope {
        chat: notification.chat.clone(),
        message: notification.message.clone(),
        account: state
            .map_or(&notification.account, |state| &state.account)
            .clone(),
        thread: state.and_then(present_thread),
        says,
        language,
    };
    let envelope = Envelope::new(OffsetDateTime::now_utc(), Content::Notice(notice));
    enqueue(app, &[envelope]).await.map(drop)
}
