//! The reference for streaming: Microsoft's storage crate alone uploads a file from memory, in the environment that the handler
//! has (`BLOB_ENDPOINT`, managed identity, `SSL_CERT_FILE`). Prints how many seconds it took.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use azure_storage_blob::models::BlockBlobClientUploadOptions;
use azure_storage_blob::{BlobServiceClient, BlobServiceClientOptions};
use bytes::Bytes;

/// Size of the parts, as ours.
const PART: u64 = 4 * 1024 * 1024;

/// Parts on their way at the same time, as ours.
const PARALLEL: usize = 2;

#[tokio::main]
async fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("the file's address")?;
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
        transport: Some(Transport::new(Arc::new(client))),
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
    let blob = service
        .blob_client("attachments", "reference")
        .block_blob_client();
    let options = BlockBlobClientUploadOptions {
        parallel: NonZero::new(PARALLEL),
        partition_size: NonZero::new(PART),
        ..BlockBlobClientUploadOptions::default()
    };
    let started = Instant::now();
    blob.upload(bytes.into(), Some(options)).await?;
    println!("{}", started.elapsed().as_secs_f64());
    Ok(())
}
