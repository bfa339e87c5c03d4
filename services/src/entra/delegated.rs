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
    refresh_token: Option<SecretString>,
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

    /// Redeems the account's refresh token for a newer one and stores that one. A refresh token ends 90 days after it was issued,
    /// and the new one begins to count anew ("Refresh tokens in the Microsoft identity platform", token lifetime); the old one
    /// still works, so whoever holds it may use it meanwhile.
    ///
    /// Only one caller at a time in the whole installation is to do this. Its errors are those of [`Self::of`].
    pub(crate) async fn renew_refresh_token(&self, account: &str) -> Result<()> {
        let renewed = self.app.renew_refresh_token(account).await;
        renewed.map_err(|error| told(account, error))
    }
}

impl App {
    async fn fetch(self: Arc<Self>, account: String) -> Result<Lease<SecretString>> {
        let granted = self.granted(&account).await;
        let grant = granted.map_err(|error| told(&account, error))?;
        let life = Duration::from_secs(grant.expires_in);
        Ok(Lease::of_token(grant.access_token, life))
    }

    async fn granted(&self, account: &str) -> Result<Grant> {
        let refresh_token = self.refresh_token(account).await?;
        self.redeem(&refresh_token).await
    }

    async fn renew_refresh_token(&self, account: &str) -> Result<()> {
        let old = self.refresh_token(account).await?;
        let grant = self.redeem(&old).await?;
        let is_other = |token: &SecretString| token.expose_secret() != old.expose_secret();
        let Some(newer) = grant.refresh_token.filter(is_other) else {
            return Ok(());
        };
        // Somebody may have signed in meanwhile, perhaps because the older session had to end: what that stored stays.
        if is_other(&self.refresh_token(account).await?) {
            return Ok(());
        }
        let name = names::refresh_token(account);
        self.secrets.vault().set(&name, &newer).await
    }

    /// Always from the vault: there may be a newer one, by the daily renewal or a new sign-in.
    async fn refresh_token(&self, account: &str) -> Result<SecretString> {
        let name = names::refresh_token(account);
        let token = self.secrets.vault().get(&name).await?;
        token.ok_or_else(|| {
            let error = ServiceError::new(Service::Entra, ErrorKind::SignInNeeded, Sent::No);
            error.with_code("no_refresh_token")
        })
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

/// Tells of an error that a person has to mend; the request that needs the token has not been sent.
fn told(account: &str, error: ServiceError) -> ServiceError {
    if error.kind == ErrorKind::SignInNeeded {
        let code = error.code.as_deref();
        let text = "the Support User must sign in again";
        tracing::error!(event = "sign_in_needed", account, code, "{text}");
    }
    error.before_sending()
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
