//! HTTP functions are reached as through the Functions host, and connections break as ordered.

use crate::support::{Setup, Stand};
use axum::Router;
use axum::routing::get;
use http::StatusCode;
use local::front::with_faults;
use local::host;
use local::hub::{FaultService, Rules};
use local::shared::serve;
use local::world::World;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn address(stand: &Stand) -> String {
    let listener = serve::bind(0).expect("a port");
    let port = serve::port(&listener).expect("a port");
    serve::serve_plain(listener, host::router(stand.host.clone())).expect("served");
    format!("http://127.0.0.1:{port}")
}

fn client() -> reqwest::Client {
    serve::loopback_client().build().expect("a client")
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_pass_through_byte_for_byte() {
    let stand = Stand::start(Setup::default()).await;
    let address = address(&stand).await;
    let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> =
        body.chunks(7_000).map(|chunk| Ok(chunk.to_vec())).collect();
    let answer = client()
        .post(format!("{address}/api/echo?x=1&x=a%2Fb"))
        .header("x-azure-functions-invocationid", "forged")
        .header("x-other", "kept")
        .body(reqwest::Body::wrap_stream(futures::stream::iter(chunks)))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
    let seen = answer.headers()["x-seen"].as_bytes();
    let seen: Value = serde_json::from_slice(seen).expect("JSON");
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["path"], "/api/echo?x=1&x=a%2Fb");
    assert_eq!(seen["other"], "kept");
    let invocation = seen["invocation"].as_str().expect("an id");
    assert_eq!(invocation.len(), 36, "the client's value is overwritten");
    let version = seen["version"].as_str().expect("a version");
    assert!(version.starts_with("4."), "{version}");
    assert_eq!(answer.bytes().await.expect("a body"), body);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_routes_and_methods_are_not_found() {
    let stand = Stand::start(Setup::default()).await;
    let address = address(&stand).await;
    for (method, path) in [
        ("GET", "/api/nothing"),
        ("GET", "/work"),
        ("GET", "/"),
        ("DELETE", "/api/echo"),
    ] {
        let method = method.parse().expect("a method");
        let request = client().request(method, format!("{address}{path}"));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_host_s_limit_is_refused_before_it_comes() {
    let stand = Stand::start(Setup::default()).await;
    let address = address(&stand).await;
    let authority = address.strip_prefix("http://").expect("plain HTTP");
    let mut connection = TcpStream::connect(authority).await.expect("a connection");
    let head = "POST /api/echo HTTP/1.1\r\nhost: local\r\ncontent-length: 104857601\r\n\r\n";
    let written = connection.write_all(head.as_bytes()).await;
    written.expect("written");
    let mut status = [0; "HTTP/1.1 413".len()];
    connection.read_exact(&mut status).await.expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_share_the_requests() {
    let stand = Stand::start(Setup {
        instances: 2,
        ..Setup::default()
    })
    .await;
    let address = address(&stand).await;
    let client = client();
    for _ in 0..4 {
        let request = client.get(format!("{address}/api/echo"));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
    }
    stand.host.kill(Some(0), false).await;
    let answer = client.get(format!("{address}/api/echo")).send().await;
    assert_eq!(
        answer.expect("held or passed on").status(),
        StatusCode::IM_A_TEAPOT
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_drop_closes_the_connection_without_a_word() {
    let world = World::for_tests();
    let router = Router::new().route("/", get(|| async { "done" }));
    let router = with_faults(router, &world, FaultService::Graph);
    let listener = serve::bind(0).expect("a port");
    let port = serve::port(&listener).expect("a port");
    let address = format!("https://127.0.0.1:{port}/");
    let tls = world.authority.issue().expect("a certificate");
    serve::serve_tls(listener, router, tls.server_config().expect("usable")).expect("served");
    let client = world.authority.client().expect("a client");
    let call = || client.get(&address).send();
    assert_eq!(call().await.expect("an answer").status(), StatusCode::OK);
    let order = |rules: Value| {
        let rules: Rules = serde_json::from_value(json!({ "rules": rules })).expect("rules");
        world.hub.faults.replace(rules).expect("rules");
    };
    for drop in ["before", "after"] {
        let drops = json!({ "service": "graph", "drop": drop, "times": 1 });
        let refuses =
            json!({ "service": "graph", "match": "GET /", "status": 429, "retry_after": 7 });
        // The status wins while both strike; the drop is spent with it.
        order(json!([drops, refuses]));
        let refused = call().await.expect("an answer");
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.headers()["retry-after"], "7");
        order(json!([drops]));
        assert!(call().await.is_err(), "{drop}");
        assert_eq!(call().await.expect("an answer").status(), StatusCode::OK);
    }
}
