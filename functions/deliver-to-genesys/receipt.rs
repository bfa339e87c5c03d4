//! One receipt of an agent's message on its way to Genesys.

use bridge::ids::Digest;
use bridge::queue::envelope::ReceiptEnvelope;
use bytes::Bytes;

use crate::app::App;
use crate::failure::Failure;
use crate::outside::{Call, Caller};
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;

/// The final state of an agent's message. Telling it twice does no harm; one that Genesys refuses is dropped with a log line,
/// since nobody could do more with it.
pub(super) struct ReceiptJob<'a> {
    app: &'a App,
    caller: Caller,
    receipt: &'a ReceiptEnvelope,
}

impl<'a> ReceiptJob<'a> {
    /// The receipt of an envelope.
    pub(super) fn new(app: &'a App, delivery: &Delivery, receipt: &'a ReceiptEnvelope) -> Self {
        Self {
            app,
            caller: delivery.caller(Digest::of("thread", &receipt.to)),
            receipt,
        }
    }
}

impl Job for ReceiptJob<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let (app, caller, receipt) = (self.app, &self.caller, self.receipt);
        let outcome = &receipt.outcome;
        let body = outcome.to_json(&receipt.message, &receipt.to, receipt.at);
        let correlation = caller.correlation.as_str();
        let turn = app.gate.turn(Call::GenesysReceipt, caller).await?;
        let genesys = app.genesys_by(turn.client());
        turn.make(genesys.post_receipt(Bytes::from(body), correlation))
            .await?;
        Ok(Outcome::Routine(None))
    }

    fn subject(&self) -> &Digest {
        &self.caller.subject
    }

    fn is_worth_storing(&self) -> bool {
        false
    }
}
