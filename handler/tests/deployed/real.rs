//! The handler itself, as a process, with doubles for the vault and the identity, and TLS in front as Azure puts it there.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::tls::Authority;

/// A handler that serves; killed when dropped.
pub struct Real {
    /// Its address over TLS.
    pub base: String,
    _process: Child,
}

impl Real {
    /// Starts a handler whose vault holds these secrets.
    pub async fn start(authority: &Authority, secrets: &[(&'static str, &'static str)]) -> Self {
        let vault = authority.serve(vault(secrets)).await;
        let identity = serve_plain(Router::new().route("/token", get(token))).await;
        let port = free_port().await;
        let mut process = Command::new(env!("CARGO_BIN_EXE_handler"))
            .env_clear()
            .envs(local_settings())
            .env("KEY_VAULT_URL", vault)
            .env("IDENTITY_ENDPOINT", format!("{identity}/token"))
            .env("IDENTITY_HEADER", "header")
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("SSL_CERT_FILE", authority.file())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the handler can be started");
        let output = process.stdout.take().expect("its output");
        let mut lines = BufReader::new(output).lines();
        let started = async {
            while let Some(line) = lines.next_line().await.expect("a line") {
                if line.contains("\"event\":\"started\"") {
                    return;
                }
            }
            panic!("the handler ended");
        };
        tokio::time::timeout(Duration::from_secs(60), started)
            .await
            .expect("the handler listens");
        // Its further lines must go somewhere, or it would block on them.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let front = Router::new()
            .fallback(forward)
            .with_state(Arc::new(format!("http://127.0.0.1:{port}")));
        Self {
            base: authority.serve(front).await,
            _process: process,
        }
    }
}

/// Every setting of `local.settings.json`.
fn local_settings() -> HashMap<String, String> {
    let file: Value =
        serde_json::from_str(include_str!("../../../local.settings.json")).expect("valid JSON");
    serde_json::from_value(file["Values"].clone()).expect("texts")
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").port()
}

async fn serve_plain(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn vault(secrets: &[(&'static str, &'static str)]) -> Router {
    let secrets: HashMap<&str, &str> = secrets.iter().copied().collect();
    let read = move |Path(name): Path<String>| async move {
        match secrets.get(name.as_str()) {
            Some(value) => (StatusCode::OK, axum::Json(json!({ "value": value }))),
            None => (
                StatusCode::NOT_FOUND,
                axum::Json(json!({"error": {"code": "SecretNotFound", "message": "not found"}})),
            ),
        }
    };
    Router::new().route("/secrets/{name}", get(read))
}

/// Source: "How to use managed identities for App Service and Azure Functions", REST endpoint reference.
async fn token() -> axum::Json<Value> {
    axum::Json(json!({
        "access_token": "token",
        "expires_on": "32503680000",
        "resource": "https://vault.azure.net",
        "token_type": "Bearer",
    }))
}

async fn forward(State(handler): State<Arc<String>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    let client = services::http::client().expect("a client");
    let answer = client
        .request(head.method, format!("{handler}{}", head.uri))
        .headers(head.headers)
        .body(body)
        .send()
        .await
        .expect("an answer");
    let mut response = Response::builder().status(answer.status());
    *response.headers_mut().expect("headers") = answer.headers().clone();
    let body = answer.bytes().await.expect("a body");
    response.body(Body::from(body)).expect("a response")
}
