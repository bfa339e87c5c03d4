use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::*;
use crate::testing::{Reply, World, client, client_of, endless, identity, serve_tls};

mod files;

const CONTAINER: &str = "state";
const NAME: &str = "chats/0123/inbound.json";

async fn blobs() -> (World, Blobs) {
    let world = World::start().await;
    let blobs = Blobs::new(world.client(), &world.blob_endpoint(), world.identity());
    (world, blobs.expect("a client"))
}

/// An account that is this router.
async fn account(router: Router) -> Blobs {
    let (base, authority) = serve_tls(router).await;
    let client = client_of(&authority);
    Blobs::new(client, &format!("{base}/account"), identity()).expect("a client")
}

/// Every answer from now on.
fn fails_with(world: &World, status: u16) {
    let reply = Reply::new(status, "<Error/>").header("retry-after", "4");
    world.answer("GET", "", reply.clone());
    world.answer("PUT", "", reply);
}

#[tokio::test]
async fn a_document_comes_back_with_its_version_and_has_a_limit() {
    let (world, blobs) = blobs().await;
    assert_eq!(blobs.get(CONTAINER, NAME).await.expect("an answer"), None);
    let version = blobs.put(CONTAINER, NAME, "{}".into()).await;
    let expected = (Bytes::from("{}"), version.expect("written"));
    let found = blobs.get(CONTAINER, NAME).await.expect("an answer");
    assert_eq!(found, Some(expected));
    let seen = world.seen(Service::Blob);
    let token = "Bearer https://storage.azure.com/.default#1";
    assert!(seen.iter().all(|it| it.header("authorization") == token));
    assert_eq!(seen[1].header("x-ms-blob-content-type"), "application/json");
    assert_eq!(seen.len(), 3, "one request each");
    for (size, fits) in [(DOCUMENT_LIMIT, true), (DOCUMENT_LIMIT + 1, false)] {
        world.put_blob(CONTAINER, NAME, vec![b'x'; size]);
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
    let text = "blob: not_found, status 404, code ContainerNotFound, x-ms-request-id r-1";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn only_one_creates_and_only_the_current_version_is_replaced() {
    let (_, blobs) = blobs().await;
    let create = |body: &'static str| blobs.create(CONTAINER, NAME, body.into());
    let Creation::Created(first) = create("first").await.expect("an answer") else {
        panic!("it is new");
    };
    assert_eq!(create("second").await.expect("an answer"), Creation::Exists);
    let found = blobs.get(CONTAINER, NAME).await.expect("an answer");
    assert_eq!(found, Some((Bytes::from("first"), first.clone())));

    let replace = async |version| blobs.replace(CONTAINER, NAME, "2".into(), version).await;
    let second = replace(&first).await.expect("replaced");
    assert_ne!(first, second);
    let error = replace(&first).await.expect_err("stale");
    assert_eq!((error.status, error.sent), (Some(412), Sent::No));
    assert_eq!(error.kind, ErrorKind::Precondition);
    replace(&second).await.expect("replaced");
}

#[tokio::test]
async fn names_are_listed_in_parts_until_they_are_removed() {
    let (world, blobs) = blobs().await;
    let list = |most, from: Option<String>| {
        let blobs = &blobs;
        async move {
            let listed = blobs.list(CONTAINER, "spool/", most, from.as_deref()).await;
            listed.expect("a list")
        }
    };
    assert_eq!(list(10, None).await, Listing::default());
    for name in ["other/0", "spool/b/2", "spool/a/1", "spool/a/0", "spoon"] {
        world.put_blob(CONTAINER, name, "{}");
    }
    let first = list(2, None).await;
    assert_eq!(first.names, ["spool/a/0", "spool/a/1"]);
    assert!(first.next.is_some());
    let second = list(2, first.next).await;
    assert_eq!(
        (second.names, second.next),
        (vec!["spool/b/2".to_owned()], None)
    );
    let error = blobs.list("absent", "", 1, None).await;
    assert_eq!(error.expect_err("no container").kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn only_the_version_that_was_read_is_removed() {
    let (world, blobs) = blobs().await;
    let old = blobs.put("failed", "a/1.json", "1".into()).await;
    let old = old.expect("written");
    let new = blobs.put("failed", "a/1.json", "2".into()).await;
    let error = blobs.remove("failed", "a/1.json", &old).await;
    assert_eq!(
        error.expect_err("another one").kind,
        ErrorKind::Precondition
    );
    assert_eq!(world.blobs("failed"), ["a/1.json"]);
    let new = new.expect("written");
    for _ in 0..2 {
        let removed = blobs.remove("failed", "a/1.json", &new).await;
        removed.expect("gone, once or again");
        assert!(world.blobs("failed").is_empty());
    }
}

#[tokio::test]
async fn all_pages_of_a_listing_are_read() {
    let (world, blobs) = blobs().await;
    for count in 0..6 {
        let names: Vec<String> = (0..count).map(|it| format!("a/{it}.json")).collect();
        assert_eq!(blobs.names("failed").await.expect("a listing"), names);
        world.put_blob("failed", &format!("a/{count}.json"), "{}");
    }
    let error = blobs.names("nowhere").await.expect_err("no such container");
    assert_eq!(error.kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_failure_is_passed_on_at_once() {
    let (world, blobs) = blobs().await;
    fails_with(&world, 503);
    let error = blobs.put(CONTAINER, NAME, Bytes::new()).await;
    let error = error.expect_err("away");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(error.sent, Sent::Maybe);
    assert_eq!(error.retry_after, Some(Duration::from_secs(4)));
    fails_with(&world, 403);
    let error = blobs.get(CONTAINER, NAME).await.expect_err("no rights");
    assert_eq!((error.kind, error.sent), (ErrorKind::Forbidden, Sent::No));
    let attempts = world.seen(Service::Blob).len();
    assert_eq!(attempts, 2, "no attempts of the crate's own");
}

/// An account whose connections break under the first requests, and the count of its requests.
async fn breaking(broken: usize) -> (Blobs, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let answer = async move || {
        if counter.fetch_add(1, Ordering::SeqCst) < broken {
            // Ends the task of the connection, and the connection with it.
            std::panic::resume_unwind(Box::new("the connection breaks"));
        }
        (StatusCode::CREATED, [("etag", "\"1\"")])
    };
    (account(Router::new().fallback(answer)).await, count)
}

#[tokio::test]
async fn a_call_whose_connection_broke_is_made_once_more() {
    let version = ETag("\"0\"".to_owned());
    let write = async |blobs: &Blobs, way: usize| match way {
        0 => blobs.put(CONTAINER, NAME, "1".into()).await,
        1 => blobs.replace(CONTAINER, NAME, "1".into(), &version).await,
        _ => match blobs.create(CONTAINER, NAME, "1".into()).await? {
            Creation::Created(version) => Ok(version),
            Creation::Exists => panic!("it is new"),
        },
    };
    for way in 0..3 {
        let (blobs, count) = breaking(1).await;
        assert_eq!(write(&blobs, way).await.expect("written").0, "\"1\"");
        assert_eq!(count.load(Ordering::SeqCst), 2);
        let (blobs, count) = breaking(9).await;
        let error = write(&blobs, way).await.expect_err("broken");
        assert!(error.is_broken_connection(), "{error:?}");
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
    let (blobs, count) = breaking(9).await;
    let error = blobs.get(CONTAINER, NAME).await.expect_err("broken");
    assert!(error.is_broken_connection(), "{error:?}");
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_endless_error_body_is_cut() {
    let blobs = account(Router::new().fallback(endless)).await;
    let error = blobs.get(CONTAINER, NAME).await.expect_err("an error");
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(error.status, Some(500));
}

#[tokio::test]
async fn an_untrusted_server_gets_nothing() {
    let world = World::start().await;
    let blobs = Blobs::new(client(), &world.blob_endpoint(), identity()).expect("a client");
    let error = blobs.get(CONTAINER, NAME).await.expect_err("no trust");
    assert_eq!((error.kind, error.sent), (ErrorKind::Connection, Sent::No));
    assert!(world.seen(Service::Blob).is_empty());
}

#[tokio::test]
async fn a_link_reads_one_blob_for_a_while() {
    let (world, blobs) = blobs().await;
    let day = Duration::from_secs(24 * 3600);
    let link = async |life| blobs.read_link("attachments", "ab/cd", life).await;
    let field = |link: &Url, name: &str| {
        let found = link.query_pairs().find(|(field, _)| field == name);
        found.map(|(_, value)| value.into_owned())
    };
    let life = |link: &Url| {
        let time = |name| OffsetDateTime::parse(&field(link, name).expect("a field"), &Rfc3339);
        time("se").expect("a time") - time("st").expect("a time")
    };
    let short = link(day).await.expect("a link");
    assert!(short.path().ends_with("/account/attachments/ab/cd"));
    let allows = ["sp", "sr", "spr"].map(|name| field(&short, name).expect("a field"));
    assert_eq!(allows, ["r", "b", "https"]);
    assert_eq!(life(&short).whole_minutes(), 24 * 60 + 5);
    let long = life(&link(30 * day).await.expect("a link"));
    assert_eq!(long.whole_days(), 6, "not beyond its key: {long}");
    assert_eq!(world.seen(Service::Blob).len(), 1, "one key for both");
}

#[test]
fn the_endpoint_is_https_and_names_the_account() {
    let new = |endpoint: &str| Blobs::new(client(), endpoint, identity());
    assert!(new("https://contoso.blob.core.windows.net/").is_ok());
    for bad in ["http://127.0.0.1:10000/devstoreaccount1", "contoso", ""] {
        let error = new(bad).expect_err("no endpoint");
        assert_eq!(error.kind, ErrorKind::Configuration, "{bad}");
    }
}
