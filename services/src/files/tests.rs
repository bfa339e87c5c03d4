use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use tokio::sync::Notify;

use super::*;
use crate::testing::{brought, client_of, redirect, serve_tls};

async fn files(router: Router, hosts: &[&str]) -> (Files, Url) {
    let (base, authority) = serve_tls(router).await;
    let rules = Rules {
        origins: vec![base.parse().expect("an origin")],
        hosts: hosts
            .iter()
            .map(|host| host.parse().expect("a pattern"))
            .collect(),
    };
    let files = Files::new(client_of(&authority), rules);
    (files, Url::parse(&base).expect("a URL"))
}

fn wanted(base: &Url, path: &str) -> Wanted {
    Wanted {
        url: base.join(path).expect("a URL"),
        service: Service::Graph,
        token: None,
        headers: Vec::new(),
        host_limit: Duration::from_secs(10),
    }
}

async fn bytes(download: Download) -> Result<Vec<u8>, ServiceError> {
    let pieces: Vec<Bytes> = download.body().try_collect().await?;
    Ok(pieces.concat())
}

#[tokio::test]
async fn a_file_comes_with_its_type_and_size() {
    let router = Router::new().route(
        "/a",
        get(async || ([("content-type", "image/png; x=y")], "bytes")),
    );
    let (files, base) = files(router, &[]).await;
    let download = files.open(wanted(&base, "/a")).await.expect("a file");
    assert_eq!(download.content_type.as_deref(), Some("image/png; x=y"));
    assert_eq!(download.length, Some(5));
    let mut body = Box::pin(download.body());
    let piece = body.try_next().await.expect("a piece");
    assert_eq!(piece.as_deref(), Some(&b"bytes"[..]));
    for _ in 0..2 {
        assert_eq!(body.try_next().await.expect("the end"), None);
    }
}

#[tokio::test]
async fn tokens_and_headers_go_to_the_first_address_only() {
    let (second, _) = serve_tls(Router::new().route("/told", get(brought))).await;
    let second_url = Url::parse(&second).expect("a URL");
    let target = second_url.join("/told").expect("a URL").to_string();
    let router = Router::new()
        .route("/told", get(brought))
        .route("/away", get(async move || redirect(&target)))
        .route("/here", get(async || redirect("/told")));
    let (base, authority) = serve_tls(router).await;
    let base = Url::parse(&base).expect("a URL");
    let origins = vec![
        Origin::of(&base).expect("an origin"),
        Origin::of(&second_url).expect("an origin"),
    ];
    let rules = Rules {
        origins,
        hosts: Vec::new(),
    };
    let files = Files::new(client_of(&authority), rules);
    let ask = async |path: &str| {
        let mut wanted = wanted(&base, path);
        wanted.token = Some("secret".into());
        wanted.headers = vec![(
            HeaderName::from_static("prefer"),
            HeaderValue::from_static("redeem"),
        )];
        let body = bytes(files.open(wanted).await.expect("a file")).await;
        String::from_utf8(body.expect("whole")).expect("text")
    };
    assert_eq!(ask("/told").await, "Bearer secret redeem none");
    assert_eq!(ask("/here").await, "none none none");
    assert_eq!(ask("/away").await, "none none none");
}

#[tokio::test]
async fn redirects_are_checked_and_end() {
    let addresses = [
        "https://169.254.169.254/metadata/identity/oauth2/token",
        "https://127.0.0.1:1/",
        "https://[::1]/",
        "http://contoso.sharepoint.com/",
        "https://contoso.sharepoint.com:8443/",
        "https://evil.example/",
        "file:///etc/passwd",
        // The name is allowed, but leads to this machine.
        "https://localhost/",
        "https://user:password@localhost/",
    ];
    let mut router = Router::new()
        .route("/round", get(async || redirect("/round")))
        .route("/nowhere", get(async || StatusCode::FOUND));
    for (index, address) in addresses.into_iter().enumerate() {
        router = router.route(&format!("/{index}"), get(async move || redirect(address)));
    }
    let (files, base) = files(router, &["localhost", "*.sharepoint.com"]).await;
    for (index, address) in addresses.iter().enumerate() {
        let error = files
            .open(wanted(&base, &format!("/{index}")))
            .await
            .expect_err("refused");
        assert!(
            matches!(error, FetchError::NotAllowed { .. }),
            "{address}: {error}"
        );
    }
    for path in ["/round", "/nowhere"] {
        let error = files.open(wanted(&base, path)).await.expect_err("no file");
        assert!(matches!(error, FetchError::Redirects), "{path}: {error}");
    }
}

#[tokio::test]
async fn refusals_name_the_service_that_refused() {
    let router = Router::new()
        .route("/direct", get(async || StatusCode::NOT_FOUND))
        .route("/hop", get(async || redirect("/direct")));
    let (files, base) = files(router, &[]).await;
    for (path, service) in [("/direct", Service::Graph), ("/hop", Service::Files)] {
        let error = files.open(wanted(&base, path)).await.expect_err("no file");
        let FetchError::Service(error) = error else {
            panic!("{path}: {error}");
        };
        assert_eq!((error.service, error.kind), (service, ErrorKind::NotFound));
    }
}

#[tokio::test]
async fn a_host_that_stops_half_way_is_noticed() {
    let opened = Arc::new(Notify::new());
    let told = Arc::clone(&opened);
    let router = Router::new().route(
        "/half",
        get(async move || {
            let rest = futures::stream::once(async move {
                told.notified().await;
                Err(std::io::Error::other("gone"))
            });
            let first = futures::stream::iter([Ok(Bytes::from_static(b"first half"))]);
            Response::builder()
                .header("content-length", "20")
                .body(Body::from_stream(first.chain(rest)))
                .expect("a response")
        }),
    );
    let (files, base) = files(router, &[]).await;
    let download = files.open(wanted(&base, "/half")).await.expect("headers");
    assert_eq!(download.length, Some(20));
    opened.notify_one();
    let error = bytes(download).await.expect_err("half a file");
    assert_eq!(error.kind, ErrorKind::Connection);
}

#[tokio::test]
async fn only_the_file_s_own_host_is_hurried() {
    let router = Router::new()
        .route("/hop", get(async || redirect("/silent")))
        .route(
            "/silent",
            get(async || std::future::pending::<&'static str>().await),
        );
    let (files, base) = files(router, &[]).await;
    let mut wanted = wanted(&base, "/hop");
    wanted.host_limit = Duration::from_millis(50);
    let error = files.open(wanted).await.expect_err("too late");
    let FetchError::Service(error) = error else {
        panic!("{error}");
    };
    assert_eq!(
        (error.service, error.kind),
        (Service::Files, ErrorKind::TimedOut)
    );
}
