//! Azure Blob Storage through `azure_storage_blob`: small documents guarded by ETags, and read links.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use azure_core::http::Etag;
use azure_storage_blob::models::{
    BlobClientDeleteOptions, BlobClientDownloadOptions, BlockBlobClientUploadOptions,
};
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use tokio::time::timeout;
use url::Url;

use crate::azure;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::http::CALL_TIMEOUT;
use crate::managed_identity::ManagedIdentity;

mod link;
mod listing;
mod store;

use link::Links;
pub use listing::Listing;
pub use store::{Label, StoreError, Stored};

/// Largest document: well above the largest webhook body (4 MB) that a claim check stores.
const DOCUMENT_LIMIT: usize = 8 * 1024 * 1024;

/// Version of a blob, as the service wrote it, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

/// What became of a blob that should be new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    /// It is new; its version.
    Created(ETag),
    /// There was one already; it is unchanged.
    Exists,
}

/// Client of one storage account.
///
/// A call whose connection broke is made once more, for one that lay in the pool while the account closed it looks exactly like
/// that. Reads and whole blobs may be repeated without harm; after a repeated write with a condition, that the condition does not
/// hold may be our own doing, as with any write whose answer was lost.
pub struct Blobs {
    service: Arc<BlobServiceClient>,
    links: Links,
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").finish_non_exhaustive()
    }
}

impl Blobs {
    /// The account at this endpoint, `https://{account}.blob.core.windows.net` or, with the account in the path as
    /// Azurite has it, `https://{host}/{account}`; nothing is called yet.
    ///
    /// # Errors
    /// `Configuration` when the endpoint is no https URL.
    pub fn new(
        client: reqwest::Client,
        endpoint: &str,
        identity: Arc<ManagedIdentity>,
    ) -> Result<Self> {
        let unusable = || ServiceError::new(Service::Blob, ErrorKind::Configuration, Sent::No);
        let url = Url::parse(crate::address::base(endpoint).as_str())
            .map_err(|error| unusable().because(error))?;
        let options = BlobServiceClientOptions {
            client_options: azure::options(client),
            ..BlobServiceClientOptions::default()
        };
        let service = BlobServiceClient::new(url.clone(), Some(identity), Some(options));
        let service = Arc::new(service.map_err(failed)?);
        let links = Links::of(&url, &service).ok_or_else(unusable)?;
        Ok(Self { service, links })
    }

    /// The blob and its version, `None` when there is none.
    ///
    /// # Errors
    /// `NotFound` when there is no such container; otherwise the account or the managed identity refused or could not be
    /// reached.
    pub async fn get(&self, container: &str, name: &str) -> Result<Option<(Bytes, ETag)>> {
        match call(|| self.download(container, name)).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code.as_deref() == Some("BlobNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the blob, whether or not there is one, and returns its version.
    ///
    /// # Errors
    /// The account or the managed identity refused or could not be reached.
    pub async fn put(&self, container: &str, name: &str, body: Bytes) -> Result<ETag> {
        self.upload(container, name, body, document()).await
    }

    /// Writes the blob if there is none. After an error with [`Sent::Maybe`] an `Exists` may mean our own.
    ///
    /// # Errors
    /// The account or the managed identity refused or could not be reached.
    pub async fn create(&self, container: &str, name: &str, body: Bytes) -> Result<Creation> {
        let options = document().if_not_exists();
        match self.upload(container, name, body, options).await {
            Ok(version) => Ok(Creation::Created(version)),
            Err(error) if error.code.as_deref() == Some("BlobAlreadyExists") => {
                Ok(Creation::Exists)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the blob if it still has this version, and returns the new one.
    ///
    /// # Errors
    /// `Precondition` when somebody else wrote (or removed it) first; otherwise the account or the managed identity refused
    /// or could not be reached.
    pub async fn replace(
        &self,
        container: &str,
        name: &str,
        body: Bytes,
        version: &ETag,
    ) -> Result<ETag> {
        let options = BlockBlobClientUploadOptions {
            if_match: Some(version.0.as_str().into()),
            ..document()
        };
        self.upload(container, name, body, options).await
    }

    /// Removes the blob if it still has this version; one that is gone already is as wanted.
    ///
    /// # Errors
    /// `Precondition` when somebody else wrote since; otherwise the account or the managed identity refused or could not be
    /// reached.
    pub async fn remove(&self, container: &str, name: &str, version: &ETag) -> Result<()> {
        self.remove_if(container, name, Some(version)).await
    }

    /// Removes the blob in whatever version; one that is gone already is as wanted.
    ///
    /// # Errors
    /// The account or the managed identity refused or could not be reached.
    pub async fn remove_any(&self, container: &str, name: &str) -> Result<()> {
        self.remove_if(container, name, None).await
    }

    async fn remove_if(&self, container: &str, name: &str, version: Option<&ETag>) -> Result<()> {
        let removed = call(|| async {
            let options = BlobClientDeleteOptions {
                if_match: version.map(|version| version.0.as_str().into()),
                ..BlobClientDeleteOptions::default()
            };
            let blob = self.service.blob_client(container, name);
            blob.delete(Some(options)).await.map_err(failed)
        });
        match removed.await {
            Ok(_) => Ok(()),
            Err(error) if error.code.as_deref() == Some("BlobNotFound") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A link that lets anybody read this one blob over https for `lifetime`: a user delegation SAS, valid from 5 minutes
    /// ago for clocks that are behind ours. It never outlives its key, which lasts at least 6 days.
    ///
    /// # Errors
    /// The account or the managed identity refused or could not be reached.
    pub async fn read_link(&self, container: &str, name: &str, lifetime: Duration) -> Result<Url> {
        self.links.read(container, name, lifetime).await
    }

    async fn download(&self, container: &str, name: &str) -> Result<(Bytes, ETag)> {
        let options = BlobClientDownloadOptions {
            // One request: documents are small, and parts could come from two versions.
            parallel: NonZero::new(1),
            partition_size: NonZero::new(DOCUMENT_LIMIT),
            ..BlobClientDownloadOptions::default()
        };
        let blob = self.service.blob_client(container, name);
        let mut found = blob.download(Some(options)).await.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = found.body.try_next().await.map_err(failed)? {
            if body.len() + chunk.len() > DOCUMENT_LIMIT {
                let too_large = ErrorKind::TooLarge;
                return Err(ServiceError::new(Service::Blob, too_large, Sent::Yes));
            }
            body.extend_from_slice(&chunk);
        }
        let version = version(found.properties.etag.as_ref())?;
        Ok((body.freeze(), version))
    }

    async fn upload(
        &self,
        container: &str,
        name: &str,
        body: Bytes,
        options: BlockBlobClientUploadOptions<'_>,
    ) -> Result<ETag> {
        let blob = self.service.blob_client(container, name);
        let blob = blob.block_blob_client();
        let done = call(|| async {
            let options = Some(options.clone());
            let done = blob.upload(body.clone().into(), options).await;
            done.map_err(failed)
        })
        .await?;
        version(done.etag.as_ref())
    }
}

fn document<'a>() -> BlockBlobClientUploadOptions<'a> {
    BlockBlobClientUploadOptions {
        blob_content_type: Some("application/json".to_owned()),
        // One request, so that a condition holds for the whole document.
        parallel: NonZero::new(1),
        partition_size: NonZero::new(DOCUMENT_LIMIT as u64),
        ..BlockBlobClientUploadOptions::default()
    }
}

fn version(etag: Option<&Etag>) -> Result<ETag> {
    etag.map(|etag| ETag(etag.as_ref().to_owned()))
        .ok_or_else(|| ServiceError::new(Service::Blob, ErrorKind::Malformed, Sent::Yes))
}

fn failed(error: azure_core::Error) -> ServiceError {
    azure::failure(Service::Blob, error)
}

/// Makes a call, once more when its connection broke, and limits the time of each, token and body included.
async fn call<T, F>(make: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let limited = || async {
        let late = ServiceError::new(Service::Blob, ErrorKind::TimedOut, Sent::Maybe);
        timeout(CALL_TIMEOUT, make()).await.unwrap_or(Err(late))
    };
    match limited().await {
        Err(error) if error.is_broken_connection() => limited().await,
        result => result,
    }
}

#[cfg(test)]
mod tests;
