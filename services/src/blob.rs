//! Azure Blob Storage: small documents guarded by ETags, and read links.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use crate::error::ServiceError;
use crate::identity::ManagedIdentity;

/// Version of a blob.
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
#[derive(Debug)]
pub struct Blobs {}

impl Blobs {
    /// The account at this endpoint; nothing is called yet.
    ///
    /// # Errors
    /// The endpoint is no https URL.
    pub fn new(
        client: reqwest::Client,
        endpoint: &str,
        identity: Arc<ManagedIdentity>,
    ) -> Result<Self, ServiceError> {
        let _ = (client, endpoint, identity);
        unimplemented!()
    }

    /// The blob and its version, `None` when there is none.
    ///
    /// # Errors
    /// The account refused or could not be reached.
    pub async fn get(
        &self,
        container: &str,
        name: &str,
    ) -> Result<Option<(Bytes, ETag)>, ServiceError> {
        let _ = (container, name);
        unimplemented!()
    }

    /// Writes the blob, whether or not there is one.
    ///
    /// # Errors
    /// The account refused or could not be reached.
    pub async fn put(
        &self,
        container: &str,
        name: &str,
        body: Bytes,
    ) -> Result<ETag, ServiceError> {
        let _ = (container, name, body);
        unimplemented!()
    }

    /// Writes the blob if there is none.
    ///
    /// # Errors
    /// The account refused or could not be reached.
    pub async fn create(
        &self,
        container: &str,
        name: &str,
        body: Bytes,
    ) -> Result<Creation, ServiceError> {
        let _ = (container, name, body);
        unimplemented!()
    }

    /// Writes the blob if it still has this version, and returns the new one.
    ///
    /// # Errors
    /// `Precondition` when somebody else wrote first; otherwise the account refused or could not be reached.
    pub async fn replace(
        &self,
        container: &str,
        name: &str,
        body: Bytes,
        version: &ETag,
    ) -> Result<ETag, ServiceError> {
        let _ = (container, name, body, version);
        unimplemented!()
    }

    /// A link that lets anybody read this one blob over https for `lifetime`.
    ///
    /// # Errors
    /// The account refused or could not be reached.
    pub async fn read_link(
        &self,
        container: &str,
        name: &str,
        lifetime: Duration,
    ) -> Result<Url, ServiceError> {
        let _ = (container, name, lifetime);
        unimplemented!()
    }
}
