//! What a person does about the messages in the container `failed`: read them, have them tried once more, remove them.
//! `bridge::queue` decides which are meant, in which order they go back, and what becomes of each.

mod drain;
mod replay;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bridge::queue::failed::FailedMessage;
use bridge::queue::selection::{Failed, Selection, sort};
use bridge::state::blobs::FAILED;
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use services::blob::{Blobs, ETag};
use services::error::{ErrorKind, ServiceError};
use services::service_bus::ServiceBus;

pub use replay::End;

/// Blobs that are read, or lanes that are worked on, at a time.
const AT_A_TIME: usize = 8;

/// What the commands reach: less than a function needs, so that a person can run them with their own login.
#[derive(Debug)]
pub struct Desk {
    /// The data storage account.
    pub blobs: Blobs,
    /// The queues' namespace.
    pub bus: ServiceBus,
    /// Name of the queue to Genesys.
    pub inbound_queue: String,
    /// Name of the queue to Teams.
    pub outbound_queue: String,
}

/// Failed messages as they were read.
#[derive(Default)]
pub struct Found {
    /// Those that are meant, by lane and in order.
    pub failed: Vec<Failed>,
    /// Blobs that are none of a failed message's; they belong to no selection but by their name.
    pub strange: Vec<String>,
    versions: BTreeMap<String, ETag>,
}

impl Desk {
    /// Reads the failed messages that are meant. One that is gone by the time it is read was taken care of by somebody else.
    ///
    /// # Errors
    /// The account refused or could not be reached.
    pub async fn find(&self, selection: &Selection) -> Result<Found, ServiceError> {
        let names = match selection.blobs.is_empty() {
            true => self.blobs.names(FAILED).await?,
            false => selection.blobs.iter().cloned().collect(),
        };
        let read = |name: String| async {
            let read = self.blobs.get(FAILED, &name).await?;
            Ok::<_, ServiceError>((name, read))
        };
        let mut reads = stream::iter(names).map(read).buffered(AT_A_TIME);
        let mut found = Found::default();
        while let Some((blob, read)) = reads.try_next().await? {
            if let Some((body, version)) = read {
                found.add(selection, blob, &body, version);
            }
        }
        sort(&mut found.failed);
        Ok(found)
    }

    /// What a blob says, as it is.
    ///
    /// # Errors
    /// The account refused or could not be reached.
    pub async fn read(&self, blob: &str) -> Result<Option<Bytes>, ServiceError> {
        let read = self.blobs.get(FAILED, blob).await?;
        Ok(read.map(|(body, _)| body))
    }

    /// Removes a failed message, for good; false when it has failed once more since it was read, and stays.
    ///
    /// # Errors
    /// The account refused or could not be reached.
    pub async fn discard(&self, found: &Found, blob: &str) -> Result<bool, ServiceError> {
        let Some(version) = found.versions.get(blob) else {
            return Ok(false);
        };
        match self.blobs.remove(FAILED, blob, version).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == ErrorKind::Precondition => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Found {
    fn add(&mut self, selection: &Selection, blob: String, body: &[u8], version: ETag) {
        match FailedMessage::parse(body) {
            Ok(message) => {
                let failed = Failed { blob, message };
                if !selection.takes(&failed) {
                    return;
                }
                self.versions.insert(failed.blob.clone(), version);
                self.failed.push(failed);
            }
            Err(_) => {
                self.versions.insert(blob.clone(), version);
                self.strange.push(blob);
            }
        }
    }
}
