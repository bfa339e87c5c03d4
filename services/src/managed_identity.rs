//! Tokens of the Function App's own identity, through `azure_identity`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use secrecy::SecretString;
use time::OffsetDateTime;

use crate::azure;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::http::CALL_TIMEOUT;
use crate::renewal::{Lease, Renewal};

/// The user-assigned managed identity. Its token endpoint and the header that the endpoint demands come from the
/// environment (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`), where App Service and Functions put them. The Azure crates take their
/// tokens from here too, so that all services share one cache.
#[derive(Debug)]
pub struct ManagedIdentity {
    credential: Arc<dyn TokenCredential>,
    tokens: Mutex<HashMap<String, Renewal<AccessToken>>>,
}

impl ManagedIdentity {
    /// The identity with this client id; nothing is called yet.
    ///
    /// # Errors
    /// `Configuration` when the environment names a token endpoint that is no URL, or a kind of identity that
    /// `azure_identity` does not support.
    pub fn new(client: reqwest::Client, client_id: &str) -> Result<Self> {
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: Some(UserAssignedId::ClientId(client_id.to_owned())),
            client_options: azure::options(client),
        };
        let credential = ManagedIdentityCredential::new(Some(options)).map_err(|error| {
            ServiceError::new(Service::ManagedIdentity, ErrorKind::Configuration, Sent::No)
                .because(error)
        })?;
        Ok(Self::from_credential(credential))
    }

    /// Whoever is logged in to the Azure CLI (`az login`), for commands that operators run.
    ///
    /// # Errors
    /// Never, as things stand; a missing CLI shows when a token is asked for.
    pub fn of_the_azure_cli() -> Result<Self> {
        Self::of_the_azure_cli_in(None)
    }

    /// The same, with tokens of this tenant: whoever is logged in to several would else get those of the current subscription's.
    ///
    /// # Errors
    /// `Configuration` when the tenant's id cannot be one.
    pub fn of_the_azure_cli_in(tenant: Option<&str>) -> Result<Self> {
        let options = AzureCliCredentialOptions {
            tenant_id: tenant.map(str::to_owned),
            ..AzureCliCredentialOptions::default()
        };
        let credential = AzureCliCredential::new(Some(options)).map_err(|error| {
            ServiceError::new(Service::ManagedIdentity, ErrorKind::Configuration, Sent::No)
                .because(error)
        })?;
        Ok(Self::from_credential(credential))
    }

    /// An identity whose tokens come from elsewhere, for tests and for tools that run as a developer.
    pub fn from_credential(credential: Arc<dyn TokenCredential>) -> Self {
        Self {
            credential,
            tokens: Mutex::default(),
        }
    }

    /// A token for the scope (`{resource}/.default`), from memory where possible. Renewed in the background before it
    /// ends; when many ask at once, one call serves them all.
    ///
    /// # Errors
    /// The token endpoint refused or could not be reached.
    pub async fn token(&self, scope: &str) -> Result<SecretString> {
        let held = self.held(scope).await?;
        Ok(SecretString::from(held.token.secret()))
    }

    async fn held(&self, scope: &str) -> Result<AccessToken> {
        let renewal = {
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            match tokens.get(scope) {
                Some(renewal) => renewal.clone(),
                None => {
                    let (credential, own) = (Arc::clone(&self.credential), scope.to_owned());
                    let fetch = move || fetch(Arc::clone(&credential), own.clone());
                    let renewal = Renewal::new(Service::ManagedIdentity, fetch);
                    tokens.insert(scope.to_owned(), renewal.clone());
                    renewal
                }
            }
        };
        renewal.get().await
    }
}

async fn fetch(credential: Arc<dyn TokenCredential>, scope: String) -> Result<Lease<AccessToken>> {
    let scopes = [scope.as_str()];
    let call = credential.get_token(&scopes, None);
    // Whatever became of this request, the one that needs the token has not been sent.
    let token = tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .map_err(|_| ServiceError::new(Service::ManagedIdentity, ErrorKind::TimedOut, Sent::No))?
        .map_err(|error| azure::failure(Service::ManagedIdentity, error).before_sending())?;
    let left = Duration::try_from(token.expires_on - OffsetDateTime::now_utc());
    Ok(Lease::of_token(token, left.unwrap_or_default()))
}

#[async_trait]
impl TokenCredential for ManagedIdentity {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let scope = scopes.first().copied().unwrap_or_default();
        let held = self.held(scope).await;
        held.map_err(|error| {
            azure_core::Error::new(azure_core::error::ErrorKind::Credential, error)
        })
    }
}

#[cfg(test)]
mod tests;
