//! The one settlement of a queue message: open it, keep to an earlier verdict, keep trying, and when it is given up, store it
//! and tell its sender.

use std::sync::Arc;

use base64::Engine;
use bridge::ids::Digest;
use bridge::queue::failed::{Direction, FailedMessage};
use services::blob::Blobs;
use services::error::{Service, ServiceError};
use time::OffsetDateTime;

use super::delivery::{Delivery, HandBack, Outcome};
use super::job::Job;
use super::keep_trying::{End, Persistence};
use super::opening::{Opened, misplaced, open};
use crate::failure::{Failure, Rejection};
use crate::store::failed::Failed;

/// Settles queue messages.
#[derive(Debug)]
pub struct Settlement {
    blobs: Arc<Blobs>,
    persistence: Persistence,
    failed: Failed,
}

impl Settlement {
    /// Nothing is settled yet.
    pub fn new(blobs: Arc<Blobs>, persistence: Persistence) -> Self {
        Self {
            failed: Failed::new(Arc::clone(&blobs)),
            blobs,
            persistence,
        }
    }

    /// Opens the envelope of a queue message.
    ///
    /// # Errors
    /// Blob could not be read in the time of this invocation, or an instance of a newer release may take the message.
    pub async fn open(&self, delivery: &Delivery) -> Result<Opened, HandBack> {
        open(&self.blobs, &self.persistence, delivery).await
    }

    /// Settles a message.
    ///
    /// # Errors
    /// Nothing more can be done for it in this invocation.
    pub async fn settle(
        &self,
        delivery: &Delivery,
        body: &[u8],
        job: &impl Job,
    ) -> Result<Outcome, HandBack> {
        if let Some(verdict) = self.earlier_verdict(delivery, body).await? {
            job.tell(&verdict).await?;
            return Ok(Outcome::Failed);
        }
        let (rejection, attempts) = match self.persistence.keep_trying(delivery, job).await? {
            End::Done(outcome) => return Ok(outcome),
            End::GivenUp(rejection, attempts) => (rejection, attempts),
        };
        if job.arrived_after_all().await? {
            return Ok(Outcome::Delivered);
        }
        if !job.is_worth_storing() {
            let status = rejection.status;
            tracing::warn!(event = "dropped", kind = rejection.kind, status);
            return Ok(Outcome::Skipped("given up"));
        }
        self.store(delivery, body, job, &rejection, attempts)
            .await?;
        job.tell(&rejection).await?;
        Ok(Outcome::Failed)
    }

    /// Settles a message that cannot be read, or that belongs on another queue: nobody can be told.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub async fn refuse(
        &self,
        delivery: &Delivery,
        opened: &Opened,
        way: (Direction, &str),
    ) -> Result<Outcome, HandBack> {
        let unreadable = Unreadable {
            way,
            subject: Digest::of("lane", delivery.lane.as_str()),
            rejection: match &opened.content {
                Ok(_) => misplaced(),
                Err(rejection) => rejection.clone(),
            },
        };
        self.settle(delivery, &opened.body, &unreadable).await
    }

    async fn earlier_verdict(
        &self,
        delivery: &Delivery,
        body: &[u8],
    ) -> Result<Option<Rejection>, HandBack> {
        if delivery.trigger.delivery_count <= 1 {
            return Ok(None);
        }
        let stored = self.failed.get(&delivery.lane, body).await;
        let stored = stored.map_err(|error| handed_back("failed_not_read", &error))?;
        Ok(stored.map(|message| Rejection {
            service: message
                .service
                .filter(|service| service == Service::Genesys.label())
                .map(|_| Service::Genesys),
            ..Rejection::new("failed_before", message.reason, message.receipt)
        }))
    }

    async fn store(
        &self,
        delivery: &Delivery,
        body: &[u8],
        job: &impl Job,
        rejection: &Rejection,
        attempts: u32,
    ) -> Result<(), HandBack> {
        let now = OffsetDateTime::now_utc();
        let trigger = &delivery.trigger;
        let (direction, queue) = job.way();
        let service = rejection.service.map(|service| service.label());
        let message = FailedMessage {
            direction,
            queue: queue.to_owned(),
            lane: delivery.lane.as_str().to_owned(),
            message_id: trigger.message_id.clone(),
            chat: job.chat(),
            correlation: delivery.correlation.to_string(),
            kind: rejection.kind.to_owned(),
            reason: rejection.explanation.clone(),
            receipt: rejection.receipt,
            service: service.map(str::to_owned),
            status: rejection.status,
            request_ids: rejection.request_ids.iter().cloned().collect(),
            first_attempt: trigger.enqueued_at.unwrap_or(now),
            last_attempt: now,
            attempts: attempts.saturating_add(trigger.delivery_count.saturating_sub(1)),
            // What is not even JSON is kept as base64.
            envelope: serde_json::from_slice(body).unwrap_or_else(|_| {
                base64::engine::general_purpose::STANDARD
                    .encode(body)
                    .into()
            }),
        };
        let stored = self.failed.put(&delivery.lane, body, &message).await;
        let blob = stored.map_err(|error| handed_back("failed_not_stored", &error))?;
        tracing::error!(
            event = "message_failed",
            kind = rejection.kind,
            service,
            status = rejection.status,
            blob,
            "a message was put into the container failed"
        );
        Ok(())
    }
}

/// Something that must be durable before the message is settled could not be done, so the message goes back.
pub fn handed_back(event: &'static str, error: &ServiceError) -> HandBack {
    let (service, kind) = (error.service.label(), error.kind.label());
    tracing::error!(event, service, kind, status = error.status);
    HandBack
}

/// A message that cannot be read.
struct Unreadable<'a> {
    way: (Direction, &'a str),
    subject: Digest,
    rejection: Rejection,
}

impl Job for Unreadable<'_> {
    fn way(&self) -> (Direction, &str) {
        self.way
    }

    fn subject(&self) -> &Digest {
        &self.subject
    }

    async fn attempt(&self) -> Result<Outcome, Failure> {
        Err(self.rejection.clone().into())
    }
}
