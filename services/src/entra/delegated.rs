//! Delegated Graph tokens of the support accounts: of those that sign in from their refresh tokens in Key Vault ("Microsoft
//! identity platform and OAuth 2.0 authorization code flow", refreshing the access token), of agent users by three calls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::agent_user::AgentUsers;
use super::app::{Grant, OwnRegistration};
use super::application::ApplicationToken;
use super::client_secret::ClientSecretProbe;
use super::refusal::{NO_REFRESH_TOKEN, Reason};
use super::sign_in::SignIn;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::renewal::{Lease, Renewal};
use crate::secrets::names;

/// Delegated tokens of the support accounts. The refresh token of account `name`, where it is no agent user, is the secret
/// `graph-refresh-token-{name}`.
#[derive(Debug)]
pub struct DelegatedTokens {
    app: Arc<OwnRegistration>,
    agents: Arc<AgentUsers>,
    tokens: Mutex<HashMap<String, Renewal<SecretString>>>,
}

impl DelegatedTokens {
    /// Those of this app, and of these agent users; nothing is called yet.
    pub fn new(app: OwnRegistration, agents: AgentUsers) -> Self {
        Self {
            app: Arc::new(app),
            agents: Arc::new(agents),
            tokens: Mutex::default(),
        }
    }

    /// How a Support User signs in to the same app.
    pub fn sign_in(&self) -> SignIn {
        SignIn::new(Arc::clone(&self.app))
    }

    /// Tries client secrets of the same app, for tokens of this Graph.
    pub fn client_secret_probe(&self, graph_endpoint: &str) -> ClientSecretProbe {
        ClientSecretProbe::new(Arc::clone(&self.app), graph_endpoint)
    }

    /// The token of the same app itself, for this Graph.
    pub fn application(&self, graph_endpoint: &str) -> ApplicationToken {
        ApplicationToken::new(Arc::clone(&self.app), graph_endpoint)
    }

    /// The delegated Graph token of the account: renewed in the background 5 minutes before it ends; when many ask at once, one
    /// renewal serves them all.
    ///
    /// Its errors are `SignInNeeded` when a person must sign in as the Support User and `Configuration` when the app's
    /// registration or credential is wrong, or whatever an agent user's token is refused for; otherwise Entra ID, the managed
    /// identity or Key Vault refused or could not be reached.
    /// An error that only a person mends is given to everybody for 5 s before Entra ID is asked again.
    pub(crate) fn of(&self, account: &str) -> Renewal<SecretString> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = tokens.get(account) {
            return token.clone();
        }
        let (app, agents) = (Arc::clone(&self.app), Arc::clone(&self.agents));
        let name = account.to_owned();
        let fetch = move || fetch(Arc::clone(&app), Arc::clone(&agents), name.clone());
        let token = Renewal::new(Service::Entra, fetch);
        tokens.insert(account.to_owned(), token.clone());
        token
    }

    /// The account's delegated Graph token, as each call of [`crate::graph::Graph`] gets it.
    ///
    /// # Errors
    /// `SignInNeeded` when a person must sign in as the Support User, `Configuration` when a registration or credential is wrong;
    /// otherwise Entra ID, the managed identity or Key Vault refused or could not be reached.
    pub async fn token(&self, account: &str) -> Result<SecretString> {
        self.of(account).get().await
    }

    /// Redeems the account's refresh token for a newer one and stores that one. A refresh token ends 90 days after it was issued,
    /// and the new one begins to count anew ("Refresh tokens in the Microsoft identity platform", token lifetime); the old one
    /// still works, so whoever holds it may use it meanwhile.
    ///
    /// Only one caller at a time in the whole installation is to do this. Its errors are those of [`Self::of`].
    pub(crate) async fn renew_refresh_token(&self, account: &str) -> Result<()> {
        let renewed = self.app.renew_refresh_token(account).await;
        renewed.map_err(|error| self.app.tell(account, Reason::of(&error), error))
    }
}

async fn fetch(
    app: Arc<OwnRegistration>,
    agents: Arc<AgentUsers>,
    account: String,
) -> Result<Lease<SecretString>> {
    let granted = match agents.of(&account) {
        Some(agent) => agents.grant(&app, agent).await,
        None => {
            let granted = app.granted(&account).await;
            granted.map_err(|error| (Reason::of(&error), error))
        }
    };
    let grant = granted.map_err(|(reason, error)| app.tell(&account, reason, error))?;
    let life = Duration::from_secs(grant.expires_in);
    Ok(Lease::of_token(grant.access_token, life))
}

impl OwnRegistration {
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
        // Somebody may have signed in or out meanwhile, perhaps because the older session had to end: what that stored stays.
        if is_other(&self.refresh_token(account).await?) {
            return Ok(());
        }
        self.vault()
            .set(&names::refresh_token(account), &newer)
            .await
    }

    /// Always from the vault: there may be a newer one, by the daily renewal or a new sign-in.
    async fn refresh_token(&self, account: &str) -> Result<SecretString> {
        let held = self.vault().get(&names::refresh_token(account)).await?;
        held.ok_or_else(|| {
            let error = ServiceError::new(Service::Entra, ErrorKind::SignInNeeded, Sent::No);
            error.with_code(NO_REFRESH_TOKEN)
        })
    }

    /// Without `scope` the new token has the scopes that the sign-in was granted.
    async fn redeem(&self, refresh_token: &SecretString) -> Result<Grant> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.expose_secret()),
        ];
        self.grant(&form).await
    }

    /// Tells of an error that a person has to mend; the request that needs the token has not been sent.
    fn tell(&self, account: &str, reason: Option<Reason>, error: ServiceError) -> ServiceError {
        let Some(reason) = reason else {
            return error.before_sending();
        };
        let remedy = self.told.tell(account, reason, &error);
        error.because(remedy).before_sending()
    }
}
