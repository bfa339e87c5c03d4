//! Messages that a person must look at: one blob each in the container `failed`, under a name that needs no look-up.

use std::sync::Arc;

use bridge::ids::{Digest, Lane};
use bridge::queue::failed::FailedMessage;
use bridge::state::blobs::{FAILED, failed};
use bytes::Bytes;
use services::blob::Blobs;
use services::error::ServiceError;

/// The container of failed messages.
#[derive(Debug)]
pub struct Failed(Arc<Blobs>);

impl Failed {
    /// The container in this account.
    pub fn new(blobs: Arc<Blobs>) -> Self {
        Self(blobs)
    }

    /// Stores a message with the reason; a repetition writes the same blob again. Returns the blob's name.
    ///
    /// # Errors
    /// Blob refused or could not be reached: the message must go back to the queue.
    pub async fn put(
        &self,
        lane: &Lane,
        body: &[u8],
        message: &FailedMessage,
    ) -> Result<String, ServiceError> {
        let name = name(lane, body);
        let document = Bytes::from(message.to_json());
        self.0.put(FAILED, &name, document).await?;
        Ok(name)
    }

    /// What was stored of the same message by an earlier delivery whose process ended before it was settled: a message that
    /// somebody was told about as failed must not be delivered after all.
    ///
    /// # Errors
    /// Blob could not be read.
    pub async fn get(
        &self,
        lane: &Lane,
        body: &[u8],
    ) -> Result<Option<FailedMessage>, ServiceError> {
        let stored = self.0.get(FAILED, &name(lane, body)).await?;
        Ok(stored.and_then(|(body, _)| serde_json::from_slice(&body).ok()))
    }
}

fn name(lane: &Lane, body: &[u8]) -> String {
    failed(lane, &Digest::of_bytes("failed", body))
}
