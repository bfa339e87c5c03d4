use futures::{StreamExt, stream};

use super::*;

const FILE: &str = "0123/4567";
const MIB: usize = 1024 * 1024;

/// Stores pieces of these sizes, each of a byte of its own.
async fn store(blobs: &Blobs, sizes: &[usize], limit: usize) -> Result<Stored, StoreError> {
    let pieces = (1..).zip(sizes).map(|(byte, size)| vec![byte; *size]);
    let pieces: Vec<_> = pieces.map(|piece| Ok(piece.into())).collect();
    store_from(blobs, stream::iter(pieces), limit).await
}

async fn store_from(
    blobs: &Blobs,
    source: impl futures::Stream<Item = Result<Bytes>> + Send + Unpin,
    limit: usize,
) -> Result<Stored, StoreError> {
    let label = Label {
        content_type: "application/pdf".to_owned(),
        disposition: "attachment; filename=\"a.pdf\"".to_owned(),
    };
    let limit = limit as u64;
    blobs.store(CONTAINER, FILE, source, limit, &label).await
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().to_vec()
}

#[tokio::test]
async fn a_small_file_is_one_request() {
    for (sizes, size) in [(&[10, 0, 20][..], 30), (&[], 0)] {
        let (world, blobs) = blobs().await;
        let stored = store(&blobs, sizes, 30).await.expect("stored");
        let seen = world.seen(Service::Blob);
        assert_eq!((stored.size, seen.len()), (size, 1));
        assert_eq!(hash(&seen[0].body), stored.sha256);
        assert_eq!(seen[0].header("x-ms-blob-content-type"), "application/pdf");
        let disposition = seen[0].header("x-ms-blob-content-disposition");
        assert_eq!(disposition, "attachment; filename=\"a.pdf\"");
    }
}

#[tokio::test]
async fn a_large_file_is_put_together_from_blocks() {
    let (world, blobs) = blobs().await;
    let sizes = [3 * MIB, 3 * MIB, 3 * MIB, 1];
    let stored = store(&blobs, &sizes, 64 * MIB).await.expect("stored");
    let seen = world.seen(Service::Blob);
    let (list, blocks) = seen.split_last().expect("a commit");
    assert_eq!(blocks.len(), 3);
    assert!(blocks.iter().all(|it| it.target.contains("blockid=")));
    assert!(blocks.iter().all(|it| it.body.len() <= 4 * MIB));
    assert!(list.target.contains("comp=blocklist"));
    assert_eq!(list.header("x-ms-blob-content-type"), "application/pdf");
    // Put together in the order of the list, they are the file.
    let whole = world.blob(CONTAINER, FILE).expect("a blob");
    assert_eq!(whole.len() as u64, stored.size);
    assert_eq!(hash(&whole), stored.sha256);
    let pieces = (1..).zip(sizes).map(|(byte, size)| vec![byte; size]);
    assert!(whole == pieces.collect::<Vec<_>>().concat());
}

#[tokio::test]
async fn a_file_above_the_limit_leaves_nothing() {
    let (world, blobs) = blobs().await;
    for sizes in [vec![31], vec![5 * MIB, 5 * MIB]] {
        let limit = sizes.iter().sum::<usize>() - 1;
        let error = store(&blobs, &sizes, limit).await;
        assert!(matches!(error, Err(StoreError::TooLarge)));
    }
    let seen = world.seen(Service::Blob);
    assert!(seen.iter().all(|it| it.target.contains("blockid=")));
}

#[tokio::test]
async fn a_source_that_breaks_off_leaves_nothing() {
    let (world, blobs) = blobs().await;
    let broken = ServiceError::new(Service::Files, ErrorKind::Connection, Sent::Yes);
    let source = stream::iter([Ok(Bytes::from("half")), Err(broken)]);
    let error = store_from(&blobs, source, 100).await;
    assert!(matches!(error, Err(StoreError::Source(error)) if error.service == Service::Files));
    assert!(world.seen(Service::Blob).is_empty());
}

#[tokio::test]
async fn blocks_move_on_while_the_next_one_is_read() {
    let (world, blobs) = blobs().await;
    let is_sent = async || {
        while world.seen(Service::Blob).is_empty() {
            tokio::task::yield_now().await;
        }
        Ok(Bytes::from("the end"))
    };
    let begin = [Ok(vec![1; 5 * MIB].into()), Ok(vec![2; 5 * MIB].into())];
    let source = Box::pin(stream::iter(begin).chain(stream::once(is_sent())));
    let stored = timeout(CALL_TIMEOUT, store_from(&blobs, source, 64 * MIB)).await;
    stored.expect("no standstill").expect("stored");
}

#[tokio::test]
async fn a_request_that_fails_for_a_moment_is_made_again() {
    for (size, requests) in [(1, 1), (5 * MIB, 3)] {
        let (world, blobs) = blobs().await;
        world.answer_once("PUT", "", Reply::new(503, ""));
        store(&blobs, &[size], 64 * MIB).await.expect("stored");
        let whole = world.blob(CONTAINER, FILE).expect("a blob");
        assert_eq!(whole.len(), size);
        assert_eq!(world.seen(Service::Blob).len(), requests + 1);
    }
}

#[tokio::test]
async fn an_account_that_stays_away_is_named() {
    let (world, blobs) = blobs().await;
    fails_with(&world, 403);
    let error = store(&blobs, &[1], 100).await;
    assert!(matches!(error, Err(StoreError::Blob(error)) if error.kind == ErrorKind::Forbidden));
    let attempts = world.seen(Service::Blob).len();
    assert_eq!(attempts, 1, "a refusal is not repeated");
}
