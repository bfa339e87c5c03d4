//! Writing a state blob that has one writer: created once, then replaced only in the version that was read.

use bytes::Bytes;
use services::blob::{Creation, ETag};
use services::error::{ErrorKind, Sent, Service, ServiceError};

use crate::app::App;
use crate::enqueue::STATE;

/// Writes the blob and returns its new version.
///
/// # Errors
/// `Precondition` when the blob changed since it was read: the caller must read again and repeat its work.
pub async fn write(
    app: &App,
    blob: &str,
    body: Bytes,
    version: Option<&ETag>,
) -> Result<ETag, ServiceError> {
    match version {
        Some(version) => app.blobs.replace(STATE, blob, body, version).await,
        None => match app.blobs.create(STATE, blob, body).await? {
            Creation::Created(version) => Ok(version),
            Creation::Exists => Err(ServiceError::new(
                Service::Blob,
                ErrorKind::Precondition,
                Sent::No,
            )),
        },
    }
}
