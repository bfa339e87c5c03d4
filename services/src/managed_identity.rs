//! Tokens of the Function App's own identity, through `azure_identity`.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::{ClientOptions, RetryOptions};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use crate::azure;
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::http::CALL_TIMEOUT;
use crate::renewal::{Lease, Renewal};

/// A token is renewed in the background when this much of its life is left. `azure_identity` keeps a token until 5 minutes
/// before its end, so an earlier renewal would only be given the old one.
const RENEWED_BEFORE_END: Duration = Duration::from_secs(299);

/// A token is not given out when less than this much of its life is left.
const UNUSED_BEFORE_END: Duration = Duration::from_secs(30);

/// The user-assigned managed identity. Its token endpoint and the header that the endpoint demands come from the
/// environment (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`), where App Service and Functions put them.
#[derive(Debug)]
pub struct ManagedIdentity {
    credential: Arc<dyn TokenCredential>,
    tokens: Mutex<HashMap<String, Renewal<Token>>>,
}

#[derive(Debug, Clone)]
struct Token {
    secret: SecretString,
    ends: OffsetDateTime,
}

impl ManagedIdentity {
    /// The identity with this client id; nothing is called yet.
    ///
    /// # Errors
    /// `Configuration` when the environment names a token endpoint that is no URL, or a kind of identity that
    /// `azure_identity` does not support.
    pub fn new(client: reqwest::Client, client_id: &str) -> Result<Self, ServiceError> {
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: Some(UserAssignedId::ClientId(client_id.to_owned())),
            client_options: ClientOptions {
                transport: Some(azure::transport(client)),
                retry: RetryOptions::none(),
                ..ClientOptions::default()
            },
        };
        let credential = ManagedIdentityCredential::new(Some(options)).map_err(|error| {
            ServiceError::new(Service::ManagedIdentity, ErrorKind::Configuration, Sent::No)
                .because(error)
        })?;
        Ok(Self::from_credential(credential))
    }

    /// An identity whose tokens come from elsewhere, for tests and for tools that run as a developer.
    #[must_use]
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
    pub async fn token(&self, scope: &str) -> Result<SecretString, ServiceError> {
        Ok(self.held(scope).await?.secret)
    }

    async fn held(&self, scope: &str) -> Result<Token, ServiceError> {
        let renewal = {
            let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            match tokens.get(scope) {
                Some(renewal) => renewal.clone(),
                None => {
                    let renewal = Renewal::new(Service::ManagedIdentity);
                    tokens.insert(scope.to_owned(), renewal.clone());
                    renewal
                }
            }
        };
        renewal
            .get(|| fetch(Arc::clone(&self.credential), scope.to_owned()))
            .await
    }
}

async fn fetch(
    credential: Arc<dyn TokenCredential>,
    scope: String,
) -> Result<Lease<Token>, ServiceError> {
    let scopes = [scope.as_str()];
    let call = credential.get_token(&scopes, None);
    // Whatever became of this request, the one that needs the token has not been sent.
    let token = tokio::time::timeout(CALL_TIMEOUT, call)
        .await
        .map_err(|_| ServiceError::new(Service::ManagedIdentity, ErrorKind::TimedOut, Sent::No))?
        .map_err(|error| azure::failure(Service::ManagedIdentity, error).before_sending())?;
    let left = Duration::try_from(token.expires_on - OffsetDateTime::now_utc()).unwrap_or_default();
    Ok(Lease {
        value: Token {
            secret: SecretString::from(token.token.secret()),
            ends: token.expires_on,
        },
        renew_after: left.saturating_sub(RENEWED_BEFORE_END).max(left / 2),
        expires_after: left.saturating_sub(UNUSED_BEFORE_END),
    })
}

/// Lets the Azure crates take their tokens from here, so that all services share one cache.
#[derive(Debug)]
pub(crate) struct SharedCredential(pub(crate) Arc<ManagedIdentity>);

impl TokenCredential for SharedCredential {
    // The trait is declared with `async_trait`; this is the signature that it expands to.
    fn get_token<'this, 'scopes, 'scope, 'options, 'call>(
        &'this self,
        scopes: &'scopes [&'scope str],
        _options: Option<TokenRequestOptions<'options>>,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AccessToken>> + Send + 'call>>
    where
        'this: 'call,
        'scopes: 'call,
        'scope: 'call,
        'options: 'call,
        Self: 'call,
    {
        Box::pin(async move {
            let scope = scopes.first().copied().unwrap_or_default();
            let token = self.0.held(scope).await.map_err(|error| {
                azure_core::Error::new(azure_core::error::ErrorKind::Credential, error)
            })?;
            Ok(AccessToken::new(
                token.secret.expose_secret().to_owned(),
                token.ends,
            ))
        })
    }
}

#[cfg(test)]
mod tests;
