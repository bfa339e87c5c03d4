//! Getting a message's content: decrypted from the notification, or read from Graph.

use bridge::genesys::receipt::ReasonCode;
use bridge::queue::envelope::NotificationEnvelope;
use bridge::teams::message::ChatMessage;
use bridge::teams::unwrap::unwrap;
use services::error::{ErrorKind, Service, ServiceError};

use crate::app::App;
use crate::failure::{Failure, Rejection};
use crate::graph_calls::read_as_support_user;
use crate::invocation::Delivery;
use crate::persistence::Work;

/// The message that the notification is about.
///
/// # Errors
/// Permanent when the content was tampered with, names another message, or is no chat message.
pub async fn read(
    app: &App,
    delivery: &Delivery,
    notification: &NotificationEnvelope,
) -> Result<ChatMessage, Failure> {
    let message = match decrypted(app, notification).await? {
        Some(body) => {
            let message = parse(&body)?;
            // The resource outside the encryption is what was enqueued by; only the inside is signed.
            if message.id != notification.message
                || message.chat_id.as_ref() != Some(&notification.chat)
            {
                return Err(swapped());
            }
            message
        }
        None => asked(app, delivery, notification).await??,
    };
    Ok(message)
}

/// The message as it is at Graph now, whatever the notification encloses; `None` when it is not there.
///
/// # Errors
/// As [`read`].
pub async fn fresh(
    app: &App,
    delivery: &Delivery,
    notification: &NotificationEnvelope,
) -> Result<Option<ChatMessage>, Failure> {
    match asked(app, delivery, notification).await? {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn asked(
    app: &App,
    delivery: &Delivery,
    notification: &NotificationEnvelope,
) -> Result<Result<ChatMessage, ServiceError>, Failure> {
    let body = read_as_support_user(app, delivery, &notification.account, |token| {
        Box::pin(async move {
            app.graph
                .get_message(
                    &token,
                    delivery.correlation.as_str(),
                    notification.chat.as_str(),
                    notification.message.as_str(),
                )
                .await
        })
    })
    .await?;
    let body = match body {
        Ok(body) => body,
        Err(error) => return Ok(Err(error)),
    };
    app.served(Work::Message, Service::Graph, &notification.chat.digest());
    let message = parse(&body)?;
    if message.id != notification.message {
        return Err(swapped());
    }
    Ok(Ok(message))
}

/// The decrypted content; `None` when the notification has none or its key is gone, so that Graph must be asked.
async fn decrypted(
    app: &App,
    notification: &NotificationEnvelope,
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(encrypted) = &notification.encrypted else {
        return Ok(None);
    };
    let Some(key) = app.keys.find(&encrypted.certificate_id).await? else {
        tracing::warn!(
            event = "notification_key_unknown",
            "the message is read from Graph instead"
        );
        return Ok(None);
    };
    unwrap(encrypted, &key).map(Some).map_err(|_| {
        Failure::Permanent(Rejection::new(
            "tampered",
            "the notification's content does not match its signature",
            ReasonCode::InvalidMessageStructure,
        ))
    })
}

fn parse(body: &[u8]) -> Result<ChatMessage, Failure> {
    ChatMessage::parse(body).map_err(|error| {
        Failure::Permanent(Rejection::new(
            "message_malformed",
            format!("the content is no Teams chat message: {error}"),
            ReasonCode::InvalidMessageStructure,
        ))
    })
}

fn swapped() -> Failure {
    Failure::Permanent(Rejection::new(
        "ids_differ",
        "the content belongs to another message than the notification says",
        ReasonCode::InvalidMessageStructure,
    ))
}
