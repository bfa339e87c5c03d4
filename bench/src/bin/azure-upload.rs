//! The reference for streaming: Microsoft's storage crate alone uploads a file from memory, in the environment that the handler
//! has (`BLOB_ENDPOINT`, managed identity, `SSL_CERT_FILE`). Prints how many seconds each upload took, one a line.

use std::num::NonZero;
use std::time::Instant;

use anyhow::{Context, Result};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use azure_storage_blob::BlobServiceClient;
use azure_storage_blob::models::BlockBlobClientUploadOptions;
use bytes::Bytes;

/// Size of the parts, as ours.
const PART: u64 = 4 * 1024 * 1024;

/// Parts on their way at the same time, as ours.
const PARALLEL: usize = 2;

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
    let identity = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
        user_assigned_id: Some(UserAssignedId::ClientId(variable("AZURE_CLIENT_ID")?)),
        ..ManagedIdentityCredentialOptions::default()
    }))?;
    let service =
        BlobServiceClient::new(variable("BLOB_ENDPOINT")?.parse()?, Some(identity), None)?;
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
