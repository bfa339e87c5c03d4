//! Microsoft Entra ID: verdicts on validation tokens, and delegated tokens of the Support Users.

use std::sync::Arc;

use secrecy::SecretString;

use crate::error::ServiceError;
use crate::identity::ManagedIdentity;
use crate::secrets::Secrets;

/// What a batch of validation tokens is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every token is genuine.
    Valid,
    /// One token is not, for this reason.
    Invalid(&'static str),
    /// The signing keys are not at hand.
    CannotTell,
}

/// Checks the validation tokens of rich change notifications.
#[derive(Debug)]
pub struct TokenValidator {}

impl TokenValidator {
    /// A validator for tokens of this tenant to this audience; nothing is called yet.
    #[must_use]
    pub fn new(
        client: reqwest::Client,
        entra_endpoint: &str,
        tenant: &str,
        audience: &str,
    ) -> Self {
        let _ = (client, entra_endpoint, tenant, audience);
        unimplemented!()
    }

    /// Loads the signing keys if they are not there.
    ///
    /// # Errors
    /// Entra ID refused or could not be reached.
    pub async fn warm_up(&self) -> Result<(), ServiceError> {
        unimplemented!()
    }

    /// The verdict on all tokens of a batch.
    pub async fn verdict(&self, tokens: &[String]) -> Verdict {
        let _ = tokens;
        unimplemented!()
    }
}

/// How the Graph app proves itself to Entra ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// A token of the managed identity as client assertion.
    Federated,
    /// The client secret in Key Vault.
    Secret,
}

/// Delegated tokens of the Support Users, from their refresh tokens in Key Vault.
#[derive(Debug)]
pub struct DelegatedTokens {}

impl DelegatedTokens {
    /// Nothing is called yet.
    #[must_use]
    pub fn new(
        client: reqwest::Client,
        entra_endpoint: &str,
        tenant: &str,
        client_id: &str,
        authentication: ClientAuthentication,
        identity: Arc<ManagedIdentity>,
        secrets: Arc<Secrets>,
    ) -> Self {
        let _ = (
            client,
            entra_endpoint,
            tenant,
            client_id,
            authentication,
            identity,
            secrets,
        );
        unimplemented!()
    }

    /// A delegated Graph token of the account.
    ///
    /// # Errors
    /// `SignInNeeded` when a person must sign in, `Configuration` when the app's registration is wrong, otherwise those of
    /// Entra ID, the managed identity and Key Vault.
    pub async fn token(&self, account: &str) -> Result<SecretString, ServiceError> {
        let _ = account;
        unimplemented!()
    }

    /// Forgets the account's token because Graph refused it.
    pub fn drop_token(&self, account: &str) {
        let _ = account;
        unimplemented!()
    }
}
