//! Which blobs there are.

use azure_storage_blob::models::BlobContainerClientListBlobsOptions;
use futures::TryStreamExt;
use time::OffsetDateTime;

use super::{Blobs, call, failed};
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};

/// The most names of one listing (Blob service REST API, "List Blobs").
const MOST: u16 = 5_000;

/// Some of a container's blobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Their names, sorted.
    pub names: Vec<String>,
    /// When each of them was written last, in the same order, where the account tells.
    pub written: Vec<Option<OffsetDateTime>>,
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
            let named = page.blob_items.into_iter().filter_map(|it| {
                let written = it.properties.and_then(|it| it.last_modified);
                Some((it.name?, written))
            });
            let (names, written) = named.unzip();
            Ok(Listing {
                names,
                written,
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
        Ok(self.list_all(container, "").await?.names)
    }

    /// All blobs whose names begin with `prefix`.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub async fn list_all(&self, container: &str, prefix: &str) -> Result<Listing> {
        let mut all = Listing::default();
        loop {
            let page = self.list(container, prefix, MOST, all.next.as_deref());
            let page = page.await?;
            all.names.extend(page.names);
            all.written.extend(page.written);
            all.next = page.next;
            if all.next.is_none() {
                return Ok(all);
            }
        }
    }
}
