//! Delegated Graph tokens of the Support Users, from their refresh tokens in Key Vault ("Microsoft identity platform and
//! OAuth 2.0 authorization code flow", refreshing the access token).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::cloud;
use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::managed_identity::ManagedIdentity;
use crate::renewal::{Lease, Renewal};
use crate::secrets::{Secrets, names};

/// Form of a client assertion (RFC 7523, 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Largest answer of the token endpoint.
const ANSWER_LIMIT: usize = 256 * 1024;

/// How the Graph app proves itself to Entra ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// A token of the managed identity as client assertion (federated credential): nothing to rotate.
    Federated,
    /// The client secret in Key Vault (`graph-client-secret`).
    Secret,
}

/// Delegated tokens of the Support Users. The refresh token of account `name` is the secret `graph-refresh-token-{name}`.
#[derive(Debug)]
pub struct DelegatedTokens {
    app: Arc<App>,
    tokens: Mutex<HashMap<String, Renewal<SecretString>>>,
}

#[derive(Debug)]
struct App {
    client: reqwest::Client,
    token_url: String,
    exchange_scope: &'static str,
    client_id: String,
    authentication: ClientAuthentication,
    identity: Arc<ManagedIdentity>,
    secrets: Arc<Secrets>,
}

#[derive(Deserialize)]
struct Grant {
    access_token: SecretString,
    expires_in: u64,
    refresh_token: Option<String>,
}

impl DelegatedTokens {
    /// Nothing is called yet.
    pub fn new(
        client: reqwest::Client,
        entra_endpoint: &str,
        tenant: &str,
        client_id: &str,
        authentication: ClientAuthentication,
        identity: Arc<ManagedIdentity>,
        secrets: Arc<Secrets>,
    ) -> Self {
        let endpoint = address::base(entra_endpoint);
        Self {
            app: Arc::new(App {
                client,
                token_url: format!("{endpoint}/{tenant}/oauth2/v2.0/token"),
                exchange_scope: cloud::of(&endpoint).exchange_scope,
                client_id: client_id.to_owned(),
                authentication,
                identity,
                secrets,
            }),
            tokens: Mutex::default(),
        }
    }

    /// The delegated Graph token of the account: renewed in the background 5 minutes before it ends; when many ask at once, one
    /// renewal serves them all.
    ///
    /// Its errors are `SignInNeeded` when a person must sign in as the Support User and `Configuration` when the app's
    /// registration or credential is wrong; otherwise Entra ID, the managed identity or Key Vault refused or could not be reached.
    /// An error that only a person mends is given to everybody for 5 s before Entra ID is asked again.
    pub(crate) fn of(&self, account: &str) -> Renewal<SecretString> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            let (app, account) = (Arc::clone(&self.app), account.to_owned());
            let fetch = move || Arc::clone(&app).fetch(account.clone());
            Renewal::new(Service::Entra, fetch)
        };
        tokens.entry(account.to_owned()).or_insert_with(new).clone()
    }
}

impl App {
    async fn fetch(self: Arc<Self>, account: String) -> Result<Lease<SecretString>> {
        self.renew(&account).await.map_err(|error| {
            if error.kind == ErrorKind::SignInNeeded {
                let code = error.code.as_deref();
                let text = "the Support User must sign in again";
                tracing::error!(event = "sign_in_needed", account, code, "{text}");
            }
            error.before_sending()
        })
    }

    async fn renew(&self, account: &str) -> Result<Lease<SecretString>> {
        // Always from the vault: another instance, or a new sign-in, may have stored a newer one.
        let name = names::refresh_token(account);
        let vault = self.secrets.vault();
        let Some(refresh_token) = vault.get(&name).await? else {
            let error = ServiceError::new(Service::Entra, ErrorKind::SignInNeeded, Sent::No);
            return Err(error.with_code("no_refresh_token"));
        };
        let grant = self.redeem(&refresh_token).await?;
        let is_newer = |token: &String| token != refresh_token.expose_secret();
        if let Some(newer) = grant.refresh_token.filter(is_newer) {
            // The old one is not revoked at once, so a lost write costs nothing now.
            if let Err(error) = vault.set(&name, &newer.into()).await {
                tracing::warn!(event = "refresh_token_not_stored", account, %error, "the older one is still in use");
            }
        }
        let life = Duration::from_secs(grant.expires_in);
        Ok(Lease::of_token(grant.access_token, life))
    }

    async fn redeem(&self, refresh_token: &SecretString) -> Result<Grant> {
        match self.authentication {
            ClientAuthentication::Federated => {
                let assertion = self.identity.token(self.exchange_scope).await?;
                let proof = [
                    ("client_assertion_type", ASSERTION_TYPE),
                    ("client_assertion", assertion.expose_secret()),
                ];
                self.grant(refresh_token, &proof).await
            }
            ClientAuthentication::Secret => {
                let grant = |secret: SecretString| async move {
                    let proof = [("client_secret", secret.expose_secret())];
                    self.grant(refresh_token, &proof).await
                };
                let (secrets, name) = (&self.secrets, names::GRAPH_CLIENT);
                secrets.prove(Service::Entra, name, grant).await
            }
        }
    }

    /// Without `scope` the new token has the scopes that the sign-in was granted.
    async fn grant(&self, refresh_token: &SecretString, proof: &[(&str, &str)]) -> Result<Grant> {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("client_id", self.client_id.as_str()),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        form.extend_from_slice(proof);
        let request = self
            .client
            .post(&self.token_url)
            .form(&form)
            .timeout(CALL_TIMEOUT);
        let granted = exchange::send_for_json(Service::Entra, request, ANSWER_LIMIT).await;
        granted.map_err(|error| ServiceError {
            kind: refusal(&error),
            ..error
        })
    }
}

/// What the token endpoint's refusal means ("Microsoft Entra authentication and authorization error codes"). The numbers are
/// documented as unstable, so the OAuth error decides where it can.
fn refusal(error: &ServiceError) -> ErrorKind {
    if !matches!(
        error.kind,
        ErrorKind::Rejected | ErrorKind::Unauthorized | ErrorKind::Forbidden
    ) {
        return error.kind;
    }
    let code = error.code.as_deref().unwrap_or_default();
    let (oauth, number) = code.split_once(':').unwrap_or((code, ""));
    match (oauth, number) {
        // Too many token requests in a loop; transient conditions of the service.
        (_, "50196") => ErrorKind::Throttled,
        ("temporarily_unavailable" | "server_error", _) | (_, "90024" | "90033") => {
            ErrorKind::Unavailable
        }
        // Consent of an administrator is missing; the app is unknown or disabled; its secret is wrong, expired or missing.
        (_, "65001" | "700016" | "7000112" | "7000215" | "7000218" | "7000222") => {
            ErrorKind::Configuration
        }
        ("invalid_grant" | "interaction_required" | "login_required" | "consent_required", _) => {
            ErrorKind::SignInNeeded
        }
        _ => ErrorKind::Configuration,
    }
}
