use futures::stream;

use super::*;

const FILE: &str = "0123/4567";
const MIB: usize = 1024 * 1024;

fn label() -> Label {
    Label {
        content_type: "application/pdf".to_owned(),
        disposition: "attachment; filename=\"a.pdf\"".to_owned(),
    }
}

fn pieces(sizes: &[usize]) -> impl futures::Stream<Item = Result<Bytes, ServiceError>> + Unpin {
    let pieces: Vec<_> = sizes
        .iter()
        .enumerate()
        .map(|(index, size)| {
            Ok(Bytes::from(vec![
                u8::try_from(index % 251).expect("small");
                *size
            ]))
        })
        .collect();
    stream::iter(pieces)
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes)
        .as_ref()
        .to_vec()
}

#[tokio::test]
async fn a_small_file_is_one_request() {
    let (account, blobs) = blobs().await;
    let stored = blobs
        .store(CONTAINER, FILE, pieces(&[10, 0, 20]), 30, &label())
        .await
        .expect("stored");
    assert_eq!(stored.size, 30);
    let seen = account.seen(Service::Blob);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("x-ms-blob-content-type"), "application/pdf");
    assert_eq!(
        seen[0].header("x-ms-blob-content-disposition"),
        "attachment; filename=\"a.pdf\""
    );
    assert_eq!(hash(&seen[0].body), stored.sha256);
}

#[tokio::test]
async fn an_empty_file_is_stored_too() {
    let (_, blobs) = blobs().await;
    let stored = blobs
        .store(CONTAINER, FILE, pieces(&[]), 30, &label())
        .await
        .expect("stored");
    assert_eq!((stored.size, stored.sha256.to_vec()), (0, hash(b"")));
}

#[tokio::test]
async fn a_large_file_is_put_together_from_blocks() {
    let (account, blobs) = blobs().await;
    let sizes = [3 * MIB, 3 * MIB, 3 * MIB, 1];
    let stored = blobs
        .store(CONTAINER, FILE, pieces(&sizes), 64 * MIB as u64, &label())
        .await
        .expect("stored");
    let seen = account.seen(Service::Blob);
    let blocks: Vec<_> = seen
        .iter()
        .filter(|seen| seen.target.contains("blockid="))
        .collect();
    assert_eq!(blocks.len(), 3);
    assert!(blocks.iter().all(|block| block.body.len() <= 4 * MIB));
    let list = seen.last().expect("a commit");
    assert!(list.target.contains("comp=blocklist"));
    assert_eq!(list.header("x-ms-blob-content-type"), "application/pdf");
    // Put together in the order of the list, they are the file.
    let text = String::from_utf8_lossy(&list.body).into_owned();
    let mut whole = Vec::new();
    for id in text.split("<Uncommitted>").skip(1) {
        let id = id.split('<').next().expect("an id");
        let encoded = id
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        let block = blocks
            .iter()
            .find(|block| block.target.contains(&encoded) || block.target.contains(id))
            .expect("the block");
        whole.extend_from_slice(&block.body);
    }
    assert_eq!(whole.len() as u64, stored.size);
    assert_eq!(hash(&whole), stored.sha256);
}

#[tokio::test]
async fn a_file_above_the_limit_leaves_nothing() {
    let (account, blobs) = blobs().await;
    for sizes in [vec![31], vec![5 * MIB, 5 * MIB]] {
        let limit = sizes.iter().sum::<usize>() as u64 - 1;
        let error = blobs
            .store(CONTAINER, FILE, pieces(&sizes), limit, &label())
            .await
            .expect_err("too large");
        assert!(matches!(error, StoreError::TooLarge));
    }
    assert!(
        account
            .seen(Service::Blob)
            .iter()
            .all(|seen| seen.target.contains("blockid="))
    );
}

#[tokio::test]
async fn a_source_that_breaks_off_leaves_nothing() {
    let (account, blobs) = blobs().await;
    let broken = ServiceError::new(Service::Files, ErrorKind::Connection, Sent::Yes);
    let source = stream::iter([Ok(Bytes::from_static(b"half")), Err(broken)]);
    let error = blobs
        .store(CONTAINER, FILE, source, 100, &label())
        .await
        .expect_err("half a file");
    assert!(matches!(error, StoreError::Source(error) if error.service == Service::Files));
    assert!(account.seen(Service::Blob).is_empty());
}

#[tokio::test]
async fn an_account_that_stays_away_is_named() {
    let (account, blobs) = blobs().await;
    fails_with(&account, 403);
    let error = blobs
        .store(CONTAINER, FILE, pieces(&[1]), 100, &label())
        .await
        .expect_err("refused");
    assert!(matches!(error, StoreError::Blob(error) if error.kind == ErrorKind::Forbidden));
    assert_eq!(
        account.seen(Service::Blob).len(),
        1,
        "a refusal is not repeated"
    );
}
