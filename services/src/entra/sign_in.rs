//! The sign-in of a Support User in the browser ("Microsoft identity platform and OAuth 2.0 authorization code flow").

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::app::OwnRegistration;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::secrets::names;

/// What the delegated tokens are for: chats, customers' files, and who the customers are.
const PERMISSIONS: [&str; 5] = [
    "Chat.ReadWrite",
    "ChatMessage.Send",
    "Files.Read.All",
    "CrossTenantInformation.ReadBasic.All",
    "User.ReadBasic.All",
];

/// The sign-in of Support Users to the Graph app.
#[derive(Debug)]
pub struct SignIn {
    app: Arc<OwnRegistration>,
}

/// What a redeemed code gives.
#[derive(Debug)]
pub struct SignedIn {
    /// Says who signed in.
    pub id_token: SecretString,
    /// From now on the right to act for them.
    pub refresh_token: SecretString,
}

impl SignIn {
    pub(super) const fn new(app: Arc<OwnRegistration>) -> Self {
        Self { app }
    }

    /// Where a person signs in, whatever session their browser has; the answer goes to `redirect`.
    ///
    /// # Errors
    /// `Configuration` when Entra ID's endpoint is no URL.
    pub fn address(
        &self,
        graph_endpoint: &str,
        redirect: &Url,
        state: &SecretString,
        challenge: &str,
    ) -> Result<Url> {
        let graph = crate::address::base(graph_endpoint);
        let permissions = PERMISSIONS.map(|permission| format!("{graph}/{permission}"));
        let scope = format!("openid profile offline_access {}", permissions.join(" "));
        let parameters = [
            ("client_id", self.app.client_id()),
            ("response_type", "code"),
            ("redirect_uri", redirect.as_str()),
            ("response_mode", "query"),
            ("scope", &scope),
            ("state", state.expose_secret()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
            ("prompt", "login"),
        ];
        Url::parse_with_params(&self.app.authorize_url(), parameters).map_err(|error| {
            ServiceError::new(Service::Entra, ErrorKind::Configuration, Sent::No).because(error)
        })
    }

    /// Redeems a code, once: the same `redirect` and the verifier of the challenge as in [`Self::address`].
    ///
    /// # Errors
    /// `SignInNeeded` when the code does not count, `Configuration` when the app's registration or credential is wrong,
    /// `Malformed` when a token is missing; otherwise Entra ID, the managed identity or Key Vault refused or could not be reached.
    pub async fn redeem(
        &self,
        code: &SecretString,
        verifier: &SecretString,
        redirect: &Url,
    ) -> Result<SignedIn> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", verifier.expose_secret()),
        ];
        let grant = self.app.grant(&form).await?;
        match (grant.id_token, grant.refresh_token) {
            (Some(id_token), Some(refresh_token)) => Ok(SignedIn {
                id_token,
                refresh_token,
            }),
            _ => Err(ServiceError::new(
                Service::Entra,
                ErrorKind::Malformed,
                Sent::Yes,
            )),
        }
    }

    /// Stores the account's refresh token; every instance uses it from its next renewal on.
    ///
    /// # Errors
    /// Those of [`crate::key_vault::KeyVault::set`].
    pub async fn store(&self, account: &str, refresh_token: &SecretString) -> Result<()> {
        let name = names::refresh_token(account);
        self.app.vault().set(&name, refresh_token).await
    }
}
