//! Delegated Graph tokens of the Support Users, from their refresh tokens in Key Vault ("Microsoft identity platform and
//! OAuth 2.0 authorization code flow", refreshing the access token).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::app::GraphApp;
use super::sign_in::SignIn;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::renewal::{Lease, Renewal};
use crate::secrets::names;

/// Delegated tokens of the Support Users. The refresh token of account `name` is the secret `graph-refresh-token-{name}`.
#[derive(Debug)]
pub struct DelegatedTokens {
    app: Arc<GraphApp>,
    tokens: Mutex<HashMap<String, Renewal<SecretString>>>,
}

impl DelegatedTokens {
    /// Those of this app; nothing is called yet.
    pub fn new(app: GraphApp) -> Self {
        Self {
            app: Arc::new(app),
            tokens: Mutex::default(),
        }
    }

    /// How a Support User signs in to the same app.
    pub fn sign_in(&self) -> SignIn {
        SignIn::new(Arc::clone(&self.app))
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

impl GraphApp {
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
        let vault = self.vault();
        let held = vault.get(&name).await?;
        let Some(refresh_token) = held.filter(|it| it.expose_secret() != names::NOT_SIGNED_IN)
        else {
            let error = ServiceError::new(Service::Entra, ErrorKind::SignInNeeded, Sent::No);
            return Err(error.with_code("no_refresh_token"));
        };
        // Without `scope` the new token has the scopes that the sign-in was granted.
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        let grant = self.grant(&form).await?;
        let is_newer =
            |token: &SecretString| token.expose_secret() != refresh_token.expose_secret();
        if let Some(newer) = grant.refresh_token.filter(is_newer) {
            // The old one is not revoked at once, so a lost write costs nothing now.
            if let Err(error) = vault.set(&name, &newer).await {
                tracing::warn!(event = "refresh_token_not_stored", account, %error, "the older one is still in use");
            }
        }
        let life = Duration::from_secs(grant.expires_in);
        Ok(Lease::of_token(grant.access_token, life))
    }
}
