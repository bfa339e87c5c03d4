//! One receipt of an agent's message on its way to Genesys.

use bridge::genesys::receipt::Receipt;
use bridge::ids::Digest;
use bridge::queue::envelope::ReceiptEnvelope;
use bytes::Bytes;

use super::call_genesys;
use crate::app::App;
use crate::failure::Failure;
use crate::invocation::{Delivery, Outcome};
use crate::persistence::Work;

/// Tells Genesys the final state of an agent's message. Repeating it does no harm.
///
/// # Errors
/// Those of Genesys.
pub async fn deliver(
    app: &App,
    delivery: &Delivery,
    receipt: &ReceiptEnvelope,
) -> Result<Outcome, Failure> {
    let body = Receipt {
        message: &receipt.message,
        to: &receipt.to,
        time: receipt.at,
        outcome: receipt.outcome.clone(),
    }
    .to_json();
    let subject = Digest::of("thread", &receipt.to);
    let call = app
        .genesys
        .post_receipt(Bytes::from(body), delivery.correlation.as_str());
    call_genesys(app, delivery, Work::Receipt, &subject, call).await?;
    Ok(Outcome::Delivered)
}
