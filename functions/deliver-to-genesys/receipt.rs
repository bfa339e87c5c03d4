//! One receipt of an agent's message on its way to Genesys.

use bridge::ids::Digest;
use bridge::queue::envelope::ReceiptEnvelope;
use bridge::queue::failed::Direction;
use bytes::Bytes;

use crate::app::App;
use crate::failure::Failure;
use crate::outside::Call;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::job::Job;

/// The final state of an agent's message. Telling it twice does no harm; one that Genesys refuses is dropped with a log line,
/// since nobody could do more with it.
pub(super) struct ReceiptJob<'a> {
    app: &'a App,
    delivery: &'a Delivery,
    receipt: &'a ReceiptEnvelope,
    subject: Digest,
}

impl<'a> ReceiptJob<'a> {
    /// The receipt of an envelope.
    pub(super) fn new(app: &'a App, delivery: &'a Delivery, receipt: &'a ReceiptEnvelope) -> Self {
        Self {
            app,
            delivery,
            receipt,
            subject: Digest::of("thread", &receipt.to),
        }
    }
}

impl Job for ReceiptJob<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        let receipt = self.receipt;
        let outcome = &receipt.outcome;
        let body = outcome.to_json(&receipt.message, &receipt.to, receipt.at);
        let caller = self.delivery.caller(self.subject.clone());
        let genesys = &self.app.genesys;
        let post = genesys.post_receipt(Bytes::from(body), caller.correlation.as_str());
        self.app
            .gate
            .call(Call::GenesysReceipt, &caller, post)
            .await?;
        Ok(Outcome::Delivered)
    }

    fn way(&self) -> (Direction, &str) {
        (Direction::Inbound, &self.app.settings.inbound_queue)
    }

    fn subject(&self) -> &Digest {
        &self.subject
    }

    fn is_worth_storing(&self) -> bool {
        false
    }
}
