//! stub
use crate::app::App;
use crate::failure::Failure;
use crate::queue::delivery::{Delivery, Outcome};
use crate::queue::settlement::Job;
use bridge::ids::Digest;
use bridge::queue::envelope::NotificationEnvelope;
use bridge::queue::failed::Direction;
pub(super) struct CustomerMessage<'a> {
    app: &'a App,
    subject: Digest,
}
impl<'a> CustomerMessage<'a> {
    pub(super) fn new(app: &'a App, _d: &'a Delivery, n: &'a NotificationEnvelope) -> Self {
        Self {
            app,
            subject: n.chat.digest(),
        }
    }
}
impl Job for CustomerMessage<'_> {
    async fn attempt(&self) -> Result<Outcome, Failure> {
        Err(Failure::OutOfTime)
    }
    fn way(&self) -> (Direction, &str) {
        (Direction::Inbound, &self.app.settings.inbound_queue)
    }
    fn subject(&self) -> &Digest {
        &self.subject
    }
}
