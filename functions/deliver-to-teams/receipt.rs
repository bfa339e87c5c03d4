//! Final receipts of agent messages: envelopes of their own, so that they never hold up messages.

use bridge::genesys::receipt::{ReasonCode, ReceiptOutcome};
use bridge::genesys::webhook::Webhook;
use bridge::queue::envelope::{Content, Envelope, ReceiptEnvelope};
use time::OffsetDateTime;

/// An agent message's receipt. Queued twice, it is still delivered once: its `MessageId` is the message's, whatever the outcome,
/// so the first final state stands; a replay's receipt has an id of its own.
pub(crate) fn receipt(
    webhook: &Webhook,
    replay: Option<&str>,
    outcome: ReceiptOutcome,
) -> Envelope {
    let now = OffsetDateTime::now_utc();
    let receipt = ReceiptEnvelope {
        message: webhook.id.clone(),
        to: webhook.to.clone(),
        outcome,
        at: now,
    };
    Envelope::new(now, Content::Receipt(receipt)).replayed(replay.map(str::to_owned))
}

/// What the agent is told about a message that did not reach the customer.
pub(crate) fn explanation_for_agent(code: ReasonCode) -> &'static str {
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
