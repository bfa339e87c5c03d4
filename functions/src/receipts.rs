//! Final receipts of agent messages: envelopes of their own, so that they never hold up messages.

use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::Webhook;
use bridge::ids::{BusMessageId, CorrelationId, Lane};
use bridge::queue::envelope::{Content, Envelope, ReceiptEnvelope};
use services::error::ServiceError;
use time::OffsetDateTime;

use crate::app::App;
use crate::enqueue::{Passage, enqueue};
use crate::invocation::HandBack;

/// Puts an agent message's receipt on the inbound queue. Queued twice, it is still delivered once: its `MessageId` is the
/// message's, whatever the outcome, so the first final state stands.
///
/// # Errors
/// Service Bus refused or could not be reached.
pub async fn enqueue_receipt(
    app: &App,
    lane: &Lane,
    correlation: &CorrelationId,
    webhook: &Webhook,
    outcome: ReceiptOutcome,
) -> Result<(), ServiceError> {
    let now = OffsetDateTime::now_utc();
    let message_id = BusMessageId::receipt(&webhook.id, "final");
    let receipt = ReceiptEnvelope {
        message: webhook.id.clone(),
        to: webhook.to.clone(),
        outcome,
        at: now,
    };
    let passage = Passage {
        queue: &app.settings.inbound_queue,
        lane: Some(lane),
        message_id: Some(&message_id),
        correlation,
        time_to_live: None,
    };
    enqueue(app, passage, &Envelope::new(now, Content::Receipt(receipt))).await
}

/// A message whose receipt the queue did not take goes back, so that the receipt is tried again.
pub fn report_not_enqueued(error: &ServiceError) -> HandBack {
    let service = error.service.to_string();
    tracing::error!(
        event = "receipt_not_enqueued",
        service,
        kind = error.kind.label(),
        status = error.status
    );
    HandBack
}

/// What the agent is told about a message that did not reach the customer.
pub fn explanation_for_agent(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::MessageExpired => "The message is too old to be delivered.",
        ReasonCode::RateLimited => "Microsoft Teams takes no more messages at the moment.",
        ReasonCode::MessageNotAllowed => "Microsoft Teams does not allow messages in this chat.",
        ReasonCode::UnsupportedMessage => {
            "This kind of message cannot be shown in Microsoft Teams."
        }
        ReasonCode::MediaTypeNotAllowed => "The file is not what it should be, and was not sent.",
        ReasonCode::InvalidMediaContentLength => {
            "The file is empty or too large, and was not sent."
        }
        ReasonCode::InvalidDestination => "The customer's chat was not found.",
        ReasonCode::InvalidMessageStructure => "The message could not be read.",
        ReasonCode::ServerError => "Microsoft Teams could not be reached.",
        _ => "The message could not be delivered.",
    }
}
