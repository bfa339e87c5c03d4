//! Reading a webhook's body as the raw bytes that were signed or encrypted, with a bound on the memory of all of them.

use axum::body::{Body, BodyDataStream, Bytes};
use bytes::BytesMut;
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::webhook::refusal::Refusal;

/// Unit in which the memory for bodies is counted; what fits into one is not counted at all.
const BLOCK: usize = 64 * 1024;

/// A body's share of the memory, free again when it is dropped. A small body's is empty.
pub type Share<'a> = SemaphorePermit<'a>;

/// Reads a request's body, whatever its content type says: what it is shows when it is read. Its memory is taken from `blocks`.
///
/// # Errors
/// 413 above `limit` bytes, 400 when the body breaks off, 503 while large bodies of others use up the memory for them.
pub async fn read<'a>(
    blocks: &'a Semaphore,
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<(Bytes, Share<'a>), Refusal> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let mut chunks = body.into_data_stream();
    if declared.is_some_and(|length| length > limit as u64) {
        drain(chunks).await;
        return Err(too_large());
    }
    let more = |number: usize| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let share = blocks.try_acquire_many(number);
        share.map_err(|_| Refusal::unavailable("busy, please retry"))
    };
    let mut taken = BytesMut::new();
    let mut share = more(0)?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Refusal::bad_request("the body did not arrive whole"))?;
        if declared == Some(chunk.len() as u64) && chunk.len() < BLOCK {
            return Ok((chunk, share));
        }
        let length = taken.len() + chunk.len();
        if length > limit {
            drain(chunks).await;
            return Err(too_large());
        }
        match more((length / BLOCK).saturating_sub(share.num_permits())) {
            Ok(more) => share.merge(more),
            Err(busy) => {
                drain(chunks).await;
                return Err(busy);
            }
        }
        taken.extend_from_slice(&chunk);
    }
    Ok((taken.freeze(), share))
}

const fn too_large() -> Refusal {
    Refusal {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        reason: "the body is too large",
    }
}

/// Reads the rest of a body that is not wanted: a connection closed in the middle of it would reach the sender as a failure of
/// ours, and be retried. The caller's deadline ends what never ends.
async fn drain(mut chunks: BodyDataStream) {
    while let Some(Ok(_)) = chunks.next().await {}
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 8 * 1024 * 1024;

    async fn read(blocks: &Semaphore, size: usize) -> Result<(Bytes, Share<'_>), StatusCode> {
        let body = Body::from(vec![b' '; size]);
        super::read(blocks, &HeaderMap::new(), body, LIMIT)
            .await
            .map_err(|refusal| refusal.status)
    }

    #[tokio::test]
    async fn large_bodies_share_a_bounded_memory() {
        let blocks = &Semaphore::new(LIMIT / BLOCK * 3 / 2);
        let first = read(blocks, LIMIT).await.expect("there is room");
        assert_eq!(first.0.len(), LIMIT);
        assert_eq!(
            read(blocks, LIMIT).await.err(),
            Some(StatusCode::SERVICE_UNAVAILABLE)
        );
        assert!(read(blocks, 1000).await.is_ok(), "small ones always pass");
        drop(first);
        assert!(read(blocks, LIMIT).await.is_ok());
        assert_eq!(
            read(blocks, LIMIT + 1).await.err(),
            Some(StatusCode::PAYLOAD_TOO_LARGE)
        );
    }
}
