//! Who runs an operator's command, and against what: the environment, and the login of whoever is at the keyboard.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use services::error::{ErrorKind, ServiceError};
use services::http;
use services::managed_identity::ManagedIdentity;

use crate::installation::FILE;
use crate::installation::file::InstallationFile;
use crate::trusted;

const IDENTITY: &str = "AZURE_CLIENT_ID";

/// A setting's name and what should be there.
pub type Setting = (&'static str, &'static str);

/// Where files, state and failed messages lie.
pub const BLOBS: Setting = (
    "BLOB_ENDPOINT",
    "the https URL of the data storage account's Blob service",
);

/// Where secrets lie.
pub const VAULT: Setting = ("KEY_VAULT_URL", "the https URL of the Key Vault");

/// Who runs the command: the managed identity where there is one, else whoever is logged in by `az login`.
///
/// # Errors
/// The identity's own endpoint is not usable.
pub fn identity(
    client: &http::Client,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Arc<ManagedIdentity>> {
    let is_managed = given(lookup, "IDENTITY_ENDPOINT").is_some();
    let identity = match given(lookup, IDENTITY).filter(|_| is_managed) {
        Some(client_id) => ManagedIdentity::new(client.clone(), &client_id),
        None => ManagedIdentity::of_the_azure_cli_in(given(lookup, "TENANT_ID").as_deref()),
    };
    Ok(Arc::new(identity?))
}

/// Where an operator's command finds a setting: the environment, then the installation's file in the working directory.
///
/// # Errors
/// There is such a file, and it cannot be read; or an address is none that a token may go to.
pub fn lookup() -> anyhow::Result<impl Fn(&str) -> Option<String>> {
    let path = Path::new(FILE);
    let file = match path.exists() {
        true => Some(InstallationFile::read(path)?),
        false => None,
    };
    trusted::check(&|name: &str| std::env::var(name).ok(), file.as_ref())?;
    Ok(move |name: &str| {
        let own = std::env::var(name).ok();
        own.or_else(|| file.as_ref()?.setting(name))
    })
}

/// A setting that may be absent.
pub fn given(lookup: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    let value = lookup(name)?.trim().to_owned();
    (!value.is_empty()).then_some(value)
}

/// A setting that must be there.
///
/// # Errors
/// It is absent; the error says what to put there.
pub fn required(
    lookup: &impl Fn(&str) -> Option<String>,
    (name, expects): Setting,
) -> anyhow::Result<String> {
    given(lookup, name).with_context(|| format!("{name} is missing: put {expects} there"))
}

/// What an operator can do about an error.
pub fn explained(error: &ServiceError) -> anyhow::Error {
    let advice = match error.kind {
        ErrorKind::Forbidden => {
            "you lack the role for this (DEPLOY.md, \"What is needed, by whom\"), or got it a moment ago"
        }
        ErrorKind::Unauthorized => "you are not logged in: az login",
        ErrorKind::NotFound => "nothing of that name is there: check the setting that names it",
        ErrorKind::Precondition => "somebody else did the same at this moment: repeat it",
        ErrorKind::TimedOut | ErrorKind::Connection => "check the endpoint and the network",
        _ => "try again later",
    };
    anyhow!("{advice} ({error})")
}
