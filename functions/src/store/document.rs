//! A JSON blob that has one writer: created once, then replaced only in the version that was read.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use services::blob::{Blobs, Creation, ETag};
use services::error::{ErrorKind, Sent, Service, ServiceError};

use bridge::genesys::receipt::ReasonCode;

use crate::failure::{Failure, Rejection};

/// Container of everything the functions remember.
pub use bridge::state::blobs::STATE;

/// What a blob says, in the version that was read.
#[derive(Debug)]
pub struct Document<T> {
    /// What it says.
    pub value: T,
    name: String,
    version: Option<ETag>,
}

impl<T: Serialize + DeserializeOwned> Document<T> {
    /// Reads the blob; what it says where there is none is handed in.
    ///
    /// # Errors
    /// Blob could not be read, or holds something else: only a person can tell what it should say.
    pub async fn load(
        blobs: &Blobs,
        name: String,
        absent: impl FnOnce() -> T,
    ) -> Result<Self, Failure> {
        let (value, version) = match blobs.get(STATE, &name).await? {
            Some((body, version)) => (read(&name, &body)?, Some(version)),
            None => (absent(), None),
        };
        Ok(Self {
            value,
            name,
            version,
        })
    }

    /// Writes the blob.
    ///
    /// # Errors
    /// `Precondition` when another holder of the lane wrote since it was read: read again and repeat the work. Otherwise Blob
    /// refused or could not be reached.
    pub async fn save(&mut self, blobs: &Blobs) -> Result<(), Failure> {
        let body = Bytes::from(serde_json::to_vec(&self.value).unwrap_or_default());
        let version = match &self.version {
            Some(version) => blobs.replace(STATE, &self.name, body, version).await?,
            None => match blobs.create(STATE, &self.name, body).await? {
                Creation::Created(version) => version,
                Creation::Exists => {
                    let kind = ErrorKind::Precondition;
                    return Err(ServiceError::new(Service::Blob, kind, Sent::No).into());
                }
            },
        };
        self.version = Some(version);
        Ok(())
    }
}

/// A document that is only read; `None` where there is none.
///
/// # Errors
/// As [`Document::load`].
pub async fn peek<T: DeserializeOwned>(blobs: &Blobs, name: &str) -> Result<Option<T>, Failure> {
    match blobs.get(STATE, name).await? {
        Some((body, _)) => read(name, &body).map(Some),
        None => Ok(None),
    }
}

fn read<T: DeserializeOwned>(name: &str, body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::from(Rejection::new(
            "state_unreadable",
            format!("the blob {STATE}/{name} cannot be read (line {line}, column {column}): restore or delete it, then replay"),
            ReasonCode::ServerError,
        ))
    })
}
