//! The reference for streaming: Microsoft's storage crate alone uploads a file from memory, in the environment that the handler
//! has (`BLOB_ENDPOINT`, managed identity, `SSL_CERT_FILE`). Prints how many seconds each upload took, one a line.

use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, Request, Transport};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use azure_storage_blob::models::BlockBlobClientUploadOptions;
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use bytes::Bytes;

/// Size of the parts, as ours.
const PART: u64 = 4 * 1024 * 1024;

/// Parts on their way at the same time, as ours.
const PARALLEL: usize = 2;

/// The HTTP client, as the crate wants it.
#[derive(Debug)]
struct Client(reqwest::Client);

impl HttpClient for Client {
    // The trait is declared with `async_trait`; this is the signature that it expands to.
    fn execute_request<'this, 'request, 'call>(
        &'this self,
        request: &'request Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'call>>
    where
        'this: 'call,
        'request: 'call,
        Self: 'call,
    {
        Box::pin(self.execute(request))
    }
}

impl Client {
    async fn execute(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let other = |error| azure_core::Error::new(azure_core::error::ErrorKind::Io, error);
        let method = reqwest::Method::from_bytes(request.method().as_ref().as_bytes())
            .map_err(|error| azure_core::Error::new(azure_core::error::ErrorKind::Other, error))?;
        let mut outgoing = self.0.request(method, request.url().clone());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        outgoing = match request.body().clone() {
            Body::Bytes(bytes) => outgoing.body(bytes),
            Body::SeekableStream(stream) => outgoing.body(reqwest::Body::wrap_stream(stream)),
        };
        let response = outgoing.send().await.map_err(other)?;
        let status = response.status().as_u16();
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let body = response.bytes().await.map_err(other)?;
        let body = futures::stream::once(std::future::ready(Ok(body)));
        Ok(AsyncRawResponse::new(
            status.into(),
            headers,
            Box::pin(body),
        ))
    }
}

fn main() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().context("the file's address")?;
    let rounds: usize = arguments.next().context("the rounds")?.parse()?;
    let bytes: Bytes = reqwest::Client::builder()
        .tls_certs_only(std::iter::empty())
        .no_proxy()
        .build()?
        .get(file)
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?;
    let variable = |name: &str| std::env::var(name).with_context(|| name.to_owned());
    let roots = std::fs::read(variable("SSL_CERT_FILE")?)?;
    let client = reqwest::Client::builder()
        .tls_certs_only(reqwest::Certificate::from_pem_bundle(&roots)?)
        .http1_only()
        .no_proxy()
        .build()?;
    let options = ClientOptions {
        transport: Some(Transport::new(Arc::new(Client(client)))),
        ..ClientOptions::default()
    };
    let identity = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: Some(UserAssignedId::ClientId(variable("AZURE_CLIENT_ID")?)),
        client_options: options.clone(),
    }))?;
    let options = BlobServiceClientOptions {
        client_options: options,
        ..BlobServiceClientOptions::default()
    };
    let service = BlobServiceClient::new(
        variable("BLOB_ENDPOINT")?.parse()?,
        Some(identity),
        Some(options),
    )?;
    for round in 0..rounds {
        let blob = service
            .blob_client("attachments", &format!("reference-{round}"))
            .block_blob_client();
        let options = BlockBlobClientUploadOptions {
            parallel: NonZero::new(PARALLEL),
            partition_size: NonZero::new(PART),
            ..BlockBlobClientUploadOptions::default()
        };
        let started = Instant::now();
        blob.upload(bytes.clone().into(), Some(options)).await?;
        println!("{}", started.elapsed().as_secs_f64());
    }
    Ok(())
}
