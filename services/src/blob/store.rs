//! Storing files of any size with bounded memory: blocks of 4 MiB, two of them on their way while the next one fills.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use azure_storage_blob::BlockBlobClient;
use azure_storage_blob::models::{
    BlockBlobClientCommitBlockListOptions, BlockBlobClientUploadOptions, BlockLookupList,
};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use tokio::time::sleep;

use super::{Blobs, call, failed};
use crate::error::{Result, ServiceError};

/// Bytes of one block. A file of at most this size is written by one request.
const BLOCK: usize = 4 * 1024 * 1024;

/// Blocks in memory: two on their way while the next one fills, or three on their way.
const PARALLEL: usize = 3;

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
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Label({})", self.content_type)
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
        S: Stream<Item = Result<Bytes>> + Send + Unpin,
    {
        let blob = self.service.blob_client(container, name);
        let blob = &blob.block_blob_client();
        let mut blocks = Blocks::of(source, limit);
        let first = blocks.next().await?.unwrap_or_default();
        let Some(second) = blocks.next().await? else {
            write_whole(blob, first, label).await?;
            return Ok(blocks.finished());
        };
        // Another attempt at the same blob may run elsewhere: its blocks must have other ids.
        let series = uuid::Uuid::new_v4().into_bytes();
        let rest = stream::try_unfold(&mut blocks, |blocks| async move {
            let block = blocks.next().await?;
            Ok(block.map(|block| (block, blocks)))
        })
        .boxed();
        let ids = stream::iter([Ok(first), Ok(second)])
            .chain(rest)
            .enumerate()
            .map(|(number, block)| {
                let id = [&series[..8], &(number as u64).to_be_bytes()].concat();
                Ok::<_, StoreError>(stage(blob, id, block?))
            })
            .try_buffered(PARALLEL)
            .try_collect()
            .await?;
        commit(blob, ids, label).await?;
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
    S: Stream<Item = Result<Bytes>> + Send + Unpin,
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

async fn write_whole(blob: &BlockBlobClient, body: Bytes, label: &Label) -> Result<(), StoreError> {
    repeated(|| async {
        let options = BlockBlobClientUploadOptions {
            blob_content_type: Some(label.content_type.clone()),
            blob_content_disposition: Some(label.disposition.clone()),
            partition_size: std::num::NonZero::new(2 * BLOCK as u64),
            ..BlockBlobClientUploadOptions::default()
        };
        blob.upload(body.clone().into(), Some(options)).await
    })
    .await
}

/// Sends a block, and returns its id.
async fn stage(blob: &BlockBlobClient, id: Vec<u8>, block: Bytes) -> Result<Vec<u8>, StoreError> {
    let size = block.len() as u64;
    repeated(|| async {
        let block = block.clone().into();
        blob.stage_block(&id, size, block, None).await
    })
    .await?;
    Ok(id)
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
        let blocks = blocks.try_into()?;
        blob.commit_block_list(blocks, Some(options)).await
    })
    .await
}

/// Each of these calls may be repeated without harm, and losing a large file to one lost packet would be a pity.
async fn repeated<T, F>(make: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = azure_core::Result<T>>,
{
    let mut waits = RETRIES.iter();
    loop {
        let done = call(|| async { make().await.map_err(failed) }).await;
        let Err(error) = done else { return Ok(()) };
        match waits.next() {
            Some(wait) if error.is_transient() => {
                sleep(error.retry_after.unwrap_or_default().max(*wait)).await;
            }
            _ => return Err(StoreError::Blob(error)),
        }
    }
}
