//! Azure Key Vault secrets over REST.
//!
//! `azure_security_keyvault_secrets` holds the resource in the vault's challenge against the vault's own host, a check that
//! another endpoint than the public one could only meet with code of its own here; two calls need no crate.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::managed_identity::ManagedIdentity;

/// Version of the REST interface (Azure Key Vault REST API reference, "Get Secret", "Set Secret").
const API_VERSION: &str = "7.4";

/// Host suffixes of the vaults in the clouds that have their own (Azure Key Vault security overview); elsewhere the public
/// cloud's audience applies.
pub(crate) const SUFFIXES: &[&str] = &[
    "vault.azure.net",
    "vault.azure.cn",
    "vault.usgovcloudapi.net",
];

/// Largest answer: a secret has at most 25 KB.
const ANSWER_LIMIT: usize = 256 * 1024;

/// One vault.
#[derive(Debug)]
pub struct KeyVault {
    client: reqwest::Client,
    base: String,
    scope: String,
    identity: Arc<ManagedIdentity>,
}

/// A version of a secret, with what the vault keeps beside its value.
#[derive(Debug)]
pub struct Version {
    /// The value.
    pub value: SecretString,
    /// The id under which the far side knows it: its tag `key-id`, which [`KeyVault::store`] writes.
    pub key: Option<String>,
    /// When it was stored.
    pub stored: OffsetDateTime,
}

/// What stands in the place of a secret that does not exist yet, or no longer: Azure gives the right to write a secret only once
/// it is there, and the name of a deleted one stays taken.
pub const PLACE: &str = "none";

/// A secret, and the id under which the far side knows it.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// The value.
    pub value: SecretString,
    /// Its tag `key-id`, which [`KeyVault::store`] writes.
    pub key: Option<String>,
}

/// The tag that holds the id under which the far side knows a secret.
const KEY_TAG: &str = "key-id";

/// A secret as the vault shows it. Whatever form the rest has, the value counts: everything depends on it.
#[derive(Deserialize)]
struct SecretBundle {
    value: SecretString,
    /// "SecretAttributes": times in whole seconds since 1970.
    #[serde(default)]
    attributes: Value,
    #[serde(default)]
    tags: Value,
}

impl SecretBundle {
    fn key(&self) -> Option<String> {
        self.tags[KEY_TAG].as_str().map(str::to_owned)
    }
}

impl KeyVault {
    /// The vault at this URL, for example `https://name.vault.azure.net`; nothing is called yet.
    pub fn new(client: reqwest::Client, url: &str, identity: Arc<ManagedIdentity>) -> Self {
        let base = address::base(url);
        let host = base.split_once("://").map_or(&*base, |(_, host)| host);
        let mut suffixes = SUFFIXES.iter();
        let suffix = suffixes.find(|suffix| host.ends_with(**suffix));
        let scope = format!("https://{}/.default", suffix.unwrap_or(&SUFFIXES[0]));
        Self {
            client,
            base,
            scope,
            identity,
        }
    }

    /// The newest version of a secret, `None` when there is no such secret, or only its [`PLACE`].
    ///
    /// # Errors
    /// `Forbidden` also for a disabled or expired secret; otherwise the vault or the managed identity refused or could not
    /// be reached.
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>> {
        Ok(self.bundle(name).await?.map(|bundle| bundle.value))
    }

    /// The same with the id under which the far side knows it, whatever else the vault tells.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn keyed(&self, name: &str) -> Result<Option<Keyed>> {
        Ok(self.bundle(name).await?.map(|bundle| Keyed {
            key: bundle.key(),
            value: bundle.value,
        }))
    }

    /// The newest version of a secret with what is kept beside it, `None` when there is no such secret, or only its [`PLACE`].
    ///
    /// # Errors
    /// As [`Self::get`]; `Malformed` when the vault does not tell when it was stored.
    pub async fn newest(&self, name: &str) -> Result<Option<Version>> {
        let Some(bundle) = self.bundle(name).await? else {
            return Ok(None);
        };
        let created = bundle.attributes["created"].as_i64();
        let created = created.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        let undated = || ServiceError::new(Service::KeyVault, ErrorKind::Malformed, Sent::Yes);
        Ok(Some(Version {
            key: bundle.key(),
            value: bundle.value,
            stored: created.ok_or_else(undated)?,
        }))
    }

    async fn bundle(&self, name: &str) -> Result<Option<SecretBundle>> {
        let request = self.request(Method::GET, name).await?;
        match exchange::send_for_json::<SecretBundle>(Service::KeyVault, request, ANSWER_LIMIT)
            .await
        {
            Ok(bundle) if bundle.value.expose_secret().trim() == PLACE => Ok(None),
            Ok(bundle) => Ok(Some(bundle)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stores a new version of a secret; the older ones stay.
    ///
    /// # Errors
    /// `Conflict` when a deleted secret of that name waits to be purged; otherwise the vault or the managed identity
    /// refused or could not be reached.
    pub async fn set(&self, name: &str, value: &SecretString) -> Result<()> {
        let version = json!({ "value": value.expose_secret() });
        self.put(name, &version).await
    }

    /// Stores a new version of a secret that the far side knows under this id. The vault is given no end for it, because the far
    /// side's counts.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn store(&self, name: &str, value: &SecretString, key: &str) -> Result<()> {
        let version = json!({ "value": value.expose_secret(), "tags": { KEY_TAG: key } });
        self.put(name, &version).await
    }

    /// Leaves only the place of a secret, which then counts as absent; the older versions stay.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub async fn clear(&self, name: &str) -> Result<()> {
        self.put(name, &json!({ "value": PLACE })).await
    }

    async fn put(&self, name: &str, version: &Value) -> Result<()> {
        let request = self.request(Method::PUT, name).await?.json(version);
        let answer = exchange::send(Service::KeyVault, request, ANSWER_LIMIT).await;
        answer.map(drop)
    }

    async fn request(&self, method: Method, name: &str) -> Result<RequestBuilder> {
        let name = address::segment(Service::KeyVault, name)?;
        let url = format!("{}/secrets/{name}?api-version={API_VERSION}", self.base);
        let token = self.identity.token(&self.scope).await?;
        Ok(self
            .client
            .request(method, url)
            .bearer_auth(token.expose_secret())
            .timeout(CALL_TIMEOUT))
    }
}

#[cfg(test)]
mod tests;
