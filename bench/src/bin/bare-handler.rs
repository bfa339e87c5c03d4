//! The reference: the least program on the same crates that answers `GET /` and turns a notification into one POST.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use reqwest::{Certificate, Client};

#[derive(Clone)]
struct Queue {
    client: Client,
    url: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| name.to_owned());
    let roots = std::fs::read(variable("SSL_CERT_FILE")?)?;
    let queue = Queue {
        client: Client::builder()
            .tls_certs_only(Certificate::from_pem_bundle(&roots)?)
            .no_proxy()
            .build()?,
        url: variable("QUEUE_URL")?,
    };
    let router = Router::new()
        .route("/", get(async || StatusCode::OK))
        .route("/api/graph/notifications", post(enqueue))
        .with_state(queue);
    let port: u16 = variable("FUNCTIONS_CUSTOMHANDLER_PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn enqueue(State(queue): State<Queue>, body: Bytes) -> StatusCode {
    let sent = queue
        .client
        .post(queue.url)
        .header("authorization", "Bearer bench")
        .header("content-type", "application/json")
        .header(
            "brokerproperties",
            r#"{"SessionId":"bench","MessageId":"bench"}"#,
        )
        .body(body)
        .send()
        .await;
    match sent {
        Ok(answer) if answer.status() == StatusCode::CREATED => StatusCode::ACCEPTED,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
