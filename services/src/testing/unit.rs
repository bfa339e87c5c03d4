//! What only the tests of this crate need.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Double, Reply, identity};
use crate::http::with_roots;
use crate::key_vault::KeyVault;
use crate::secrets::Secrets;

/// Takes every request, answers `prefix` and closes the connection; returns its base URL and a count of requests.
pub(crate) async fn serve_broken(prefix: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 16 * 1024];
            let _ = connection.read(&mut request).await;
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = connection.write_all(prefix.as_bytes()).await;
        }
    });
    (base, count)
}

/// A port on which nobody listens.
pub(crate) async fn dead_base() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

pub(crate) fn client() -> reqwest::Client {
    with_roots(Vec::new()).expect("a client")
}

/// A vault with the secrets of the script, and the memory above it.
pub(crate) async fn vault(replies: impl IntoIterator<Item = Reply>) -> (Double, Arc<Secrets>) {
    let double = Double::start(replies).await;
    let vault = KeyVault::new(client(), &double.base, identity());
    (double, Arc::new(Secrets::new(Arc::new(vault))))
}

/// What the vault answers for a secret.
pub(crate) fn secret(value: &str) -> Reply {
    Reply::json(
        200,
        &json!({"value": value, "id": "https://vault/secrets/name/version"}),
    )
}

/// What the vault answers when there is no such secret.
pub(crate) fn no_secret() -> Reply {
    Reply::json(
        404,
        &json!({"error": {"code": "SecretNotFound", "message": "not found"}}),
    )
}

/// A redirect to this address.
pub(crate) fn redirect(to: &str) -> Response {
    Response::builder()
        .status(StatusCode::FOUND)
        .header("location", to)
        .body(Body::empty())
        .expect("a response")
}

/// What a request brought along that must not go everywhere.
pub(crate) async fn brought(request: Request) -> String {
    ["authorization", "prefer", "client-request-id"]
        .map(|name| {
            let value = request.headers().get(name);
            value.map_or("none", |value| value.to_str().expect("text"))
        })
        .join(" ")
}
