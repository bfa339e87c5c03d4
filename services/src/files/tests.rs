use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::Notify;

use super::*;
use crate::testing::{brought, files_at, redirect, serve_tls, text_of};

/// What fetches files from a host that is this router, and the host's address.
async fn files(router: Router, hosts: &[&str]) -> (Files, Url) {
    let (base, authority) = serve_tls(router).await;
    let mut files = files_at(&[&base], &authority);
    let hosts = hosts.iter().map(|host| host.parse().expect("a pattern"));
    files.rules.hosts.extend(hosts);
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

/// The error of a service.
async fn error_of(files: &Files, wanted: Wanted) -> ServiceError {
    match files.open(wanted).await {
        Err(FetchError::Service(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_comes_with_its_type_and_size() {
    let file = async || ([("content-type", "image/png; x=y")], "bytes");
    let (files, base) = files(Router::new().route("/a", get(file)), &[]).await;
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
    let target = format!("{second}/told");
    let router = Router::new()
        .route("/told", get(brought))
        .route("/away", get(async move || redirect(&target)))
        .route("/here", get(async || redirect("/told")));
    let (mut files, base) = files(router, &[]).await;
    let second = second.parse().expect("an origin");
    files.rules.origins.push(second);
    for (path, expected) in [
        ("/told", "Bearer secret redeem none"),
        ("/here", "none none none"),
        ("/away", "none none none"),
    ] {
        let prefer = HeaderName::from_static("prefer");
        let wanted = Wanted {
            token: Some("secret".into()),
            headers: vec![(prefer, HeaderValue::from_static("redeem"))],
            ..wanted(&base, path)
        };
        let file = files.open(wanted).await.expect("a file");
        assert_eq!(text_of(file).await, expected, "{path}");
    }
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
        let opened = files.open(wanted(&base, &format!("/{index}"))).await;
        let is_refused = matches!(opened, Err(FetchError::NotAllowed { .. }));
        assert!(is_refused, "{address}: {opened:?}");
    }
    let mut named = wanted(&base, "/round");
    named.url.set_username("user").expect("a name");
    let opened = files.open(named).await;
    assert!(matches!(opened, Err(FetchError::NotAllowed { .. })));
    for path in ["/round", "/nowhere"] {
        let opened = files.open(wanted(&base, path)).await;
        let is_refused = matches!(opened, Err(FetchError::Redirects));
        assert!(is_refused, "{path}: {opened:?}");
    }
}

#[tokio::test]
async fn refusals_name_the_service_that_refused() {
    let router = Router::new()
        .route("/direct", get(async || StatusCode::NOT_FOUND))
        .route("/hop", get(async || redirect("/direct")));
    let (files, base) = files(router, &[]).await;
    for (path, service) in [("/direct", Service::Graph), ("/hop", Service::Files)] {
        let error = error_of(&files, wanted(&base, path)).await;
        assert_eq!((error.service, error.kind), (service, ErrorKind::NotFound));
    }
}

#[tokio::test]
async fn a_host_that_stops_half_way_is_noticed() {
    let opened = Arc::new(Notify::new());
    let told = Arc::clone(&opened);
    let half = async move || {
        let rest = futures::stream::once(async move {
            told.notified().await;
            Err(std::io::Error::other("gone"))
        });
        let first = futures::stream::iter([Ok(Bytes::from_static(b"first half"))]);
        let body = Body::from_stream(first.chain(rest));
        ([("content-length", "20")], body)
    };
    let (files, base) = files(Router::new().route("/half", get(half)), &[]).await;
    let download = files.open(wanted(&base, "/half")).await.expect("headers");
    assert_eq!(download.length, Some(20));
    opened.notify_one();
    let body: Result<Vec<Bytes>, _> = download.body().try_collect().await;
    assert_eq!(body.expect_err("half").kind, ErrorKind::Connection);
}

#[tokio::test]
async fn only_the_file_s_own_host_is_hurried() {
    let silence = async || std::future::pending::<&'static str>().await;
    let router = Router::new()
        .route("/hop", get(async || redirect("/silent")))
        .route("/silent", get(silence));
    let (files, base) = files(router, &[]).await;
    let wanted = Wanted {
        host_limit: Duration::from_millis(50),
        ..wanted(&base, "/hop")
    };
    let error = error_of(&files, wanted).await;
    assert_eq!(error.service, Service::Files);
    assert_eq!(error.kind, ErrorKind::TimedOut);
}
