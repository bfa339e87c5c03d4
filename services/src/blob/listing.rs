//! Which blobs there are.

use azure_storage_blob::models::BlobContainerClientListBlobsOptions;
use futures::TryStreamExt;

use super::{Blobs, call, failed};
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// The most names of one listing (Blob service REST API, "List Blobs").
const MOST: u16 = 5_000;

/// Some of a container's blobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Their names, sorted.
    pub names: Vec<String>,
    /// Where the next ones are asked for; `None` at the end.
    pub next: Option<String>,
}

impl Blobs {
    /// The names that begin with `prefix`, at most `most` of them (5,000 at once), from where an earlier listing ended. What is written or removed meanwhile may be listed or not.
    ///
    /// # Errors
    /// `NotFound` when there is no such container; otherwise the account or the managed identity refused or could not be
    /// reached.
    pub async fn list(
        &self,
        container: &str,
        prefix: &str,
        most: u16,
        from: Option<&str>,
    ) -> Result<Listing> {
        let client = self.service.blob_container_client(container);
        let options = BlobContainerClientListBlobsOptions {
            prefix: Some(prefix.to_owned()),
            maxresults: Some(most.into()),
            marker: from.map(str::to_owned),
            ..BlobContainerClientListBlobsOptions::default()
        };
        call(|| async {
            let pages = client.list_blobs(Some(options.clone())).map_err(failed)?;
            let page = pages.into_pages().try_next().await.map_err(failed)?;
            let malformed = || ServiceError::new(Service::Blob, ErrorKind::Malformed, Sent::Yes);
            let page = page.ok_or_else(malformed)?.into_model().map_err(failed)?;
            Ok(Listing {
                names: page
                    .blob_items
                    .into_iter()
                    .filter_map(|it| it.name)
                    .collect(),
                next: page.next_marker.filter(|marker| !marker.is_empty()),
            })
        })
        .await
    }

    /// The names of all blobs of a container, in their order.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn names(&self, container: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut from = None;
        loop {
            let page = self.list(container, "", MOST, from.as_deref()).await?;
            names.extend(page.names);
            from = page.next;
            if from.is_none() {
                return Ok(names);
            }
        }
    }
}
