//! Which blobs there are, and taking one away.

use azure_storage_blob::models::BlobContainerClientListBlobsOptions;
use futures::TryStreamExt;

use super::{Blobs, call, failed};
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// Some of a container's blobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Their names, sorted.
    pub names: Vec<String>,
    /// Where the next ones are asked for; `None` at the end.
    pub next: Option<String>,
}

impl Blobs {
    /// The names that begin with `prefix`, at most `most` of them (5,000 at once: Blob service REST API, "List Blobs"), from where
    /// an earlier listing ended. What is written or removed meanwhile may be listed or not.
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

    /// Removes the blob; that there is none is as good.
    ///
    /// # Errors
    /// The account or the managed identity refused or could not be reached.
    pub async fn remove(&self, container: &str, name: &str) -> Result<()> {
        let blob = self.service.blob_client(container, name);
        let removed = call(|| async { blob.delete(None).await.map_err(failed) });
        match removed.await {
            Err(error) if error.code.as_deref() != Some("BlobNotFound") => Err(error),
            _ => Ok(()),
        }
    }
}
