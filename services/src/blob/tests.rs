use azure_core::http::Url;

use super::*;
use crate::testing::{Reply, World, client_of, identity, serve_tls};

mod files;

const CONTAINER: &str = "state";
const NAME: &str = "chats/0123/inbound.json";

async fn blobs() -> (World, Blobs) {
    let world = World::start().await;
    let blobs = Blobs::new(world.client(), &world.blob_endpoint(), world.identity());
    (world, blobs.expect("a client"))
}

/// Every answer from now on.
fn fails_with(world: &World, status: u16) {
    let reply = Reply::new(status, "<Error/>").header("retry-after", "4");
    world.answer("GET", "", reply.clone());
    world.answer("PUT", "", reply);
}

#[tokio::test]
async fn a_document_comes_back_with_its_version() {
    let (account, blobs) = blobs().await;
    assert_eq!(blobs.get(CONTAINER, NAME).await.expect("an answer"), None);
    let version = blobs
        .put(CONTAINER, NAME, Bytes::from_static(b"{}"))
        .await
        .expect("written");
    let (body, found) = blobs
        .get(CONTAINER, NAME)
        .await
        .expect("an answer")
        .expect("a blob");
    assert_eq!((&body[..], found.as_str()), (&b"{}"[..], version.as_str()));
    let seen = account.seen(Service::Blob);
    assert!(
        seen.iter()
            .all(|seen| seen.header("authorization")
                == "Bearer https://storage.azure.com/.default#1")
    );
    assert_eq!(seen[1].header("x-ms-blob-content-type"), "application/json");
    assert_eq!(seen.len(), 3, "one request each");
}

#[tokio::test]
async fn a_document_has_a_limit() {
    let (account, blobs) = blobs().await;
    for (size, fits) in [(DOCUMENT_LIMIT, true), (DOCUMENT_LIMIT + 1, false)] {
        account.put_blob(CONTAINER, NAME, vec![b'x'; size]);
        match blobs.get(CONTAINER, NAME).await {
            Ok(found) => assert!(fits && found.expect("a blob").0.len() == size),
            Err(error) => assert!(!fits && error.kind == ErrorKind::TooLarge, "{error}"),
        }
    }
}

#[tokio::test]
async fn a_missing_container_is_an_error() {
    let (_, blobs) = blobs().await;
    let error = blobs.get("absent", NAME).await.expect_err("no container");
    assert_eq!(
        (error.service, error.kind),
        (Service::Blob, ErrorKind::NotFound)
    );
    assert_eq!(error.code.as_deref(), Some("ContainerNotFound"));
    assert_eq!(error.request_ids, [("x-ms-request-id", "r-1".to_owned())]);
}

#[tokio::test]
async fn only_one_creates() {
    let (_, blobs) = blobs().await;
    let create = |body: &'static str| blobs.create(CONTAINER, NAME, Bytes::from(body));
    let Creation::Created(version) = create("first").await.expect("an answer") else {
        panic!("it is new");
    };
    assert_eq!(create("second").await.expect("an answer"), Creation::Exists);
    let (body, found) = blobs
        .get(CONTAINER, NAME)
        .await
        .expect("an answer")
        .expect("a blob");
    assert_eq!((&body[..], found), (&b"first"[..], version));
}

#[tokio::test]
async fn only_the_current_version_is_replaced() {
    let (_, blobs) = blobs().await;
    let first = blobs
        .put(CONTAINER, NAME, Bytes::from_static(b"1"))
        .await
        .expect("written");
    let body = || Bytes::from_static(b"2");
    let second = blobs
        .replace(CONTAINER, NAME, body(), &first)
        .await
        .expect("replaced");
    assert_ne!(first, second);
    let error = blobs
        .replace(CONTAINER, NAME, body(), &first)
        .await
        .expect_err("stale");
    assert_eq!(
        (error.kind, error.status, error.sent),
        (ErrorKind::Precondition, Some(412), Sent::No)
    );
    blobs
        .replace(CONTAINER, NAME, body(), &second)
        .await
        .expect("replaced");
}

#[tokio::test]
async fn a_failure_is_passed_on_at_once() {
    let (account, blobs) = blobs().await;
    fails_with(&account, 503);
    let error = blobs
        .put(CONTAINER, NAME, Bytes::new())
        .await
        .expect_err("away");
    assert_eq!(
        (error.kind, error.sent),
        (ErrorKind::Unavailable, Sent::Maybe)
    );
    assert_eq!(error.retry_after, Some(Duration::from_secs(4)));
    fails_with(&account, 403);
    let error = blobs.get(CONTAINER, NAME).await.expect_err("no rights");
    assert_eq!((error.kind, error.sent), (ErrorKind::Forbidden, Sent::No));
    assert_eq!(
        account.seen(Service::Blob).len(),
        2,
        "no attempts of the crate's own"
    );
}

#[tokio::test]
async fn an_endless_error_body_is_cut() {
    use axum::http::StatusCode;

    let endless = || async { (StatusCode::INTERNAL_SERVER_ERROR, vec![b'x'; 1 << 20]) };
    let (base, authority) = serve_tls(axum::Router::new().fallback(endless)).await;
    let client = client_of(&authority);
    let blobs = Blobs::new(client, &format!("{base}/account"), identity()).expect("a client");
    let error = blobs.get(CONTAINER, NAME).await.expect_err("an error");
    assert_eq!(
        (error.kind, error.status),
        (ErrorKind::Unavailable, Some(500))
    );
}

#[tokio::test]
async fn an_untrusted_server_gets_nothing() {
    let account = World::start().await;
    let client = crate::testing::client();
    let blobs = Blobs::new(client, &account.blob_endpoint(), identity()).expect("a client");
    let error = blobs.get(CONTAINER, NAME).await.expect_err("no trust");
    assert_eq!((error.kind, error.sent), (ErrorKind::Connection, Sent::No));
    assert!(account.seen(Service::Blob).is_empty());
}

#[tokio::test]
async fn a_link_reads_one_blob_for_a_while() {
    let (account, blobs) = blobs().await;
    let day = Duration::from_secs(24 * 3600);
    let link = blobs
        .read_link("attachments", "ab/cd", day)
        .await
        .expect("a link");
    assert!(link.path().ends_with("/account/attachments/ab/cd"));
    let field = |link: &Url, name: &str| {
        let found = link.query_pairs().find(|(field, _)| field == name);
        found
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    assert_eq!(
        (field(&link, "sp"), field(&link, "sr"), field(&link, "spr")),
        ("r".into(), "b".into(), "https".into())
    );
    let time = |link: &Url, name: &str| {
        time::OffsetDateTime::parse(
            &field(link, name),
            &time::format_description::well_known::Rfc3339,
        )
        .expect("a time")
    };
    let life = time(&link, "se") - time(&link, "st");
    assert_eq!(life.whole_minutes(), 24 * 60 + 5);
    let weeks = blobs
        .read_link("attachments", "ab/cd", 30 * day)
        .await
        .expect("a link");
    let life = time(&weeks, "se") - time(&weeks, "st");
    assert!(
        (6..7).contains(&life.whole_days()),
        "not beyond its key: {life}"
    );
    assert_eq!(account.seen(Service::Blob).len(), 1, "one key for both");
}

#[test]
fn the_endpoint_is_https_and_names_the_account() {
    let new = |endpoint: &str| Blobs::new(crate::testing::client(), endpoint, identity());
    assert!(new("https://contoso.blob.core.windows.net/").is_ok());
    for bad in ["http://127.0.0.1:10000/devstoreaccount1", "contoso", ""] {
        assert_eq!(
            new(bad).expect_err("no endpoint").kind,
            ErrorKind::Configuration,
            "{bad}"
        );
    }
}
