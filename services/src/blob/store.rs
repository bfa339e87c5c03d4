//! Storing files of any size with bounded memory: blocks of 4 MiB, two of them on their way while the next one fills.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use azure_storage_blob::BlockBlobClient;
use azure_storage_blob::models::{
    BlockBlobClientCommitBlockListOptions, BlockBlobClientUploadOptions, BlockLookupList,
};
use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Blobs, limited};
use crate::azure;
use crate::error::{ErrorKind, Sent, Service, ServiceError};

/// Bytes of one block. A file of at most this size is written by one request.
const BLOCK: usize = 4 * 1024 * 1024;

/// Blocks on their way at the same time.
const PARALLEL: usize = 2;

/// Waits before a block is sent again.
const RETRIES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// What a browser is told about a stored file.
#[derive(Clone, PartialEq, Eq)]
pub struct Label {
    /// Media type.
    pub content_type: String,
    /// `Content-Disposition` (RFC 6266); holds the file's name, which the blob's own name never does.
    pub disposition: String,
}

impl std::fmt::Debug for Label {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Label")
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// Why a file was not stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It has more bytes than the limit; the rest was not read.
    #[error("the file is larger than the limit")]
    TooLarge,
    /// Where it comes from failed half way.
    #[error("the file could not be read to its end")]
    Source(#[source] ServiceError),
    /// Blob refused or could not be reached.
    #[error("the file could not be stored")]
    Blob(#[source] ServiceError),
}

impl Blobs {
    /// Writes the bytes of `source` into a blob, whether or not there is one; nothing of it is to be seen before all is there.
    /// Memory holds a few blocks, whatever the size.
    ///
    /// # Errors
    /// See [`StoreError`]; the blob is then as it was.
    pub async fn store<S>(
        &self,
        container: &str,
        name: &str,
        source: S,
        limit: u64,
        label: &Label,
    ) -> Result<Stored, StoreError>
    where
        S: Stream<Item = Result<Bytes, ServiceError>> + Send + Unpin,
    {
        let blob = Arc::new(
            self.service
                .blob_client(container, name)
                .block_blob_client(),
        );
        let mut blocks = Blocks::of(source, limit);
        let first = blocks.next().await?.unwrap_or_default();
        let second = blocks.next().await?;
        let Some(second) = second else {
            write_whole(&blob, first, label).await?;
            return Ok(blocks.finished());
        };
        let mut ids: Vec<Vec<u8>> = Vec::new();
        let series = uuid::Uuid::new_v4().into_bytes();
        // Tasks, because blocks are to move on while the next one is read; dropping the set ends them.
        let mut under_way = JoinSet::new();
        let mut ready = [Some(first), Some(second)].into_iter().flatten();
        while let Some(block) = match ready.next() {
            Some(block) => Some(block),
            None => blocks.next().await?,
        } {
            if under_way.len() >= PARALLEL {
                settle(&mut under_way).await?;
            }
            // Another attempt at the same blob may run elsewhere: its blocks must have other ids.
            let mut id = series[..8].to_vec();
            id.extend_from_slice(&(ids.len() as u64).to_be_bytes());
            ids.push(id.clone());
            let blob = Arc::clone(&blob);
            under_way.spawn(async move { stage(&blob, id, block).await });
        }
        while !under_way.is_empty() {
            settle(&mut under_way).await?;
        }
        commit(&blob, ids, label).await?;
        Ok(blocks.finished())
    }
}

/// Cuts a stream into blocks, counting and hashing what passes.
struct Blocks<S> {
    source: S,
    /// What did not fit into the last block.
    rest: Bytes,
    limit: u64,
    size: u64,
    hash: Context,
}

impl<S> Blocks<S>
where
    S: Stream<Item = Result<Bytes, ServiceError>> + Send + Unpin,
{
    fn of(source: S, limit: u64) -> Self {
        Self {
            source,
            rest: Bytes::new(),
            limit,
            size: 0,
            hash: Context::new(&SHA256),
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        // The first piece decides whether there is a block at all; a file of a few bytes takes no more memory than that.
        let Some(first) = self.piece().await? else {
            return Ok(None);
        };
        let mut block = BytesMut::from(first);
        while block.len() < BLOCK {
            let Some(piece) = self.piece().await? else {
                break;
            };
            if block.capacity() < BLOCK && block.capacity() < block.len() + piece.len() {
                // The whole block at once: growing by and by would hold up to twice as much.
                let mut whole = BytesMut::with_capacity(BLOCK);
                whole.extend_from_slice(&block);
                block = whole;
            }
            let fits = piece.len().min(BLOCK - block.len());
            block.extend_from_slice(&piece[..fits]);
            self.rest = piece.slice(fits..);
        }
        Ok(Some(block.freeze()))
    }

    /// The next bytes of the source, at most a block of them, counted and hashed once.
    async fn piece(&mut self) -> Result<Option<Bytes>, StoreError> {
        while self.rest.is_empty() {
            let Some(piece) = self.source.try_next().await.map_err(StoreError::Source)? else {
                return Ok(None);
            };
            self.size += piece.len() as u64;
            if self.size > self.limit {
                return Err(StoreError::TooLarge);
            }
            self.hash.update(&piece);
            self.rest = piece;
        }
        Ok(Some(self.rest.split_to(self.rest.len().min(BLOCK))))
    }

    fn finished(self) -> Stored {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        Stored {
            size: self.size,
            sha256,
        }
    }
}

/// Waits for one of the blocks under way.
async fn settle(under_way: &mut JoinSet<Result<(), StoreError>>) -> Result<(), StoreError> {
    match under_way.join_next().await {
        None => Ok(()),
        Some(Ok(staged)) => staged,
        // The runtime is shutting down, or the client panicked.
        Some(Err(error)) => {
            let error =
                ServiceError::new(Service::Blob, ErrorKind::Connection, Sent::Maybe).because(error);
            Err(StoreError::Blob(error))
        }
    }
}

async fn write_whole(blob: &BlockBlobClient, body: Bytes, label: &Label) -> Result<(), StoreError> {
    repeated(|| async {
        let options = BlockBlobClientUploadOptions {
            blob_content_type: Some(label.content_type.clone()),
            blob_content_disposition: Some(label.disposition.clone()),
            partition_size: std::num::NonZero::new(2 * BLOCK as u64),
            ..BlockBlobClientUploadOptions::default()
        };
        blob.upload(body.clone().into(), Some(options))
            .await
            .map(drop)
    })
    .await
}

async fn stage(blob: &BlockBlobClient, id: Vec<u8>, block: Bytes) -> Result<(), StoreError> {
    repeated(|| async {
        blob.stage_block(&id, block.len() as u64, block.clone().into(), None)
            .await
            .map(drop)
    })
    .await
}

async fn commit(
    blob: &BlockBlobClient,
    ids: Vec<Vec<u8>>,
    label: &Label,
) -> Result<(), StoreError> {
    repeated(|| async {
        let options = BlockBlobClientCommitBlockListOptions {
            blob_content_type: Some(label.content_type.clone()),
            blob_content_disposition: Some(label.disposition.clone()),
            ..BlockBlobClientCommitBlockListOptions::default()
        };
        let blocks = BlockLookupList {
            uncommitted: Some(ids.clone()),
            ..BlockLookupList::default()
        };
        blob.commit_block_list(blocks.try_into()?, Some(options))
            .await
            .map(drop)
    })
    .await
}

/// Each of these calls may be repeated without harm, and losing a large file to one lost packet would be a pity.
async fn repeated<F>(mut call: impl FnMut() -> F) -> Result<(), StoreError>
where
    F: Future<Output = azure_core::Result<()>>,
{
    let mut waits = RETRIES.iter();
    loop {
        let done = limited(async {
            call()
                .await
                .map_err(|error| azure::failure(Service::Blob, error))
        })
        .await;
        let Err(error) = done else { return Ok(()) };
        match waits.next() {
            Some(wait) if error.is_transient() => {
                sleep(error.retry_after.unwrap_or_default().max(*wait)).await;
            }
            _ => return Err(StoreError::Blob(error)),
        }
    }
}
