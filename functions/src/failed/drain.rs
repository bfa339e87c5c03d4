//! The queues' own dead letters into the container `failed`: each is stored before its queue lets go of it, under a name that is the
//! same at each repetition.

use bridge::genesys::receipt::ReceiptOutcome;
use bridge::genesys::webhook::Webhook;
use bridge::queue::dead_letter::DeadLetter;
use bridge::queue::envelope::{Content, Envelope};
use bridge::queue::failed::{Direction, FailedMessage};
use bridge::queue::selection::Failed;
use bridge::state::blobs::{FAILED, STATE};
use bytes::Bytes;
use services::error::ServiceError;
use services::service_bus;
use time::OffsetDateTime;

use super::Desk;
use crate::deliver_to_teams::{explanation_for_agent, receipt};
use crate::queue::enqueue::send;

impl Desk {
    /// Moves all dead letters of both queues, and tells of each; in a dry run they are only told. The sender of an agent's message
    /// learns that it failed, as of every message that lies in `failed`.
    ///
    /// # Errors
    /// Service Bus or the account refused or could not be reached; what is left comes with the next run, once its lock has ended.
    pub async fn drain(
        &self,
        is_dry_run: bool,
        tell: impl Fn(&Failed),
    ) -> Result<(), ServiceError> {
        let queues = [
            (&self.inbound_queue, Direction::Inbound),
            (&self.outbound_queue, Direction::Outbound),
        ];
        for (queue, direction) in queues {
            let mut looked_at = Vec::new();
            while let Some(letter) = self.bus.lock_dead_letter(queue).await? {
                let body = self.content(&letter).await?;
                let (blob, message) = DeadLetter {
                    direction,
                    queue,
                    session_id: letter.session_id.as_deref(),
                    message_id: letter.message_id.as_deref(),
                    correlation_id: letter.correlation_id.as_deref(),
                    deliveries: letter.delivery_count,
                    enqueued_at: letter.enqueued_at,
                    reason: letter.reason.as_deref(),
                    body: &body,
                }
                .failed(OffsetDateTime::now_utc());
                let failed = Failed { blob, message };
                if !is_dry_run {
                    self.keep(&failed).await?;
                    self.bus.complete(&letter).await?;
                    tell(&failed);
                    continue;
                }
                // The lock of the first has ended by now: all were seen.
                let is_seen = |it: &service_bus::DeadLetter| it.sequence == letter.sequence;
                if looked_at.iter().any(is_seen) {
                    break;
                }
                tell(&failed);
                looked_at.push(letter);
            }
            for letter in &looked_at {
                // Where the lock has ended, it is as wanted.
                let _ = self.bus.unlock(letter).await;
            }
        }
        Ok(())
    }

    /// The envelope, out of its blob where it was too large for the queue; where that is gone, what is left of it.
    async fn content(&self, letter: &service_bus::DeadLetter) -> Result<Bytes, ServiceError> {
        let Ok(Envelope {
            content: Content::Claim { blob },
            ..
        }) = Envelope::parse(&letter.body)
        else {
            return Ok(letter.body.clone());
        };
        let content = self.blobs.get(STATE, &blob).await?;
        Ok(content.map_or_else(|| letter.body.clone(), |(content, _)| content))
    }

    /// Stores the message, unless a delivery's own verdict on it is there already, and tells its sender.
    async fn keep(&self, failed: &Failed) -> Result<(), ServiceError> {
        let body = Bytes::from(failed.message.to_json());
        self.blobs.create(FAILED, &failed.blob, body).await?;
        let Some(told) = failure_receipt(&failed.message) else {
            return Ok(());
        };
        let route = told.route(|| [0; 16]);
        let queue = &self.inbound_queue;
        send(&self.blobs, &self.bus, queue, &[told], &[route]).await
    }
}

/// The final receipt of an agent's message; nothing for any other.
fn failure_receipt(failed: &FailedMessage) -> Option<Envelope> {
    let envelope = failed.envelope().ok()?;
    let Content::AgentMessage(message) = &envelope.content else {
        return None;
    };
    let webhook = Webhook::parse(&message.body(), envelope.accepted_at).ok()?;
    let outcome = ReceiptOutcome::Failed {
        code: failed.receipt,
        message: explanation_for_agent(failed.receipt).to_owned(),
    };
    Some(receipt(&webhook, envelope.replay.as_deref(), outcome))
}
