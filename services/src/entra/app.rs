//! An app registration, Graph's or the bot's, as a client of the token endpoint: how it proves itself, and what a refusal means.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::cloud;
use super::refusal::{Reason, Told};
use crate::address;
use crate::error::{Result, Service, ServiceError};
use crate::exchange;
use crate::http::CALL_TIMEOUT;
use crate::key_vault::{KeyVault, Keyed};
use crate::managed_identity::ManagedIdentity;
use crate::secrets::Secrets;

/// Form of a client assertion (RFC 7523, 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Largest answer of the token endpoint.
const ANSWER_LIMIT: usize = 256 * 1024;

/// How an app registration proves itself to Entra ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// A token of the managed identity as client assertion (federated credential): nothing to rotate.
    Federated,
    /// Its client secret in Key Vault.
    Secret,
}

/// What tells one app registration from another.
#[derive(Debug, Clone, Copy)]
pub struct Registration<'a> {
    /// Its tenant.
    pub tenant: &'a str,
    /// Its application id.
    pub client_id: &'a str,
    /// How it proves itself.
    pub authentication: ClientAuthentication,
    /// Name of its client secret.
    pub secret: &'static str,
}

/// An app registration of ours.
#[derive(Debug)]
pub struct OwnRegistration {
    client: reqwest::Client,
    /// `{endpoint}/{tenant}/oauth2/v2.0`.
    base: String,
    pub(super) exchange_scope: &'static str,
    client_id: String,
    authentication: ClientAuthentication,
    /// Name of its client secret.
    secret: &'static str,
    identity: Arc<ManagedIdentity>,
    secrets: Arc<Secrets>,
    pub(super) told: Told,
}

/// What the token endpoint gives.
#[derive(Deserialize)]
pub(super) struct Grant {
    pub(super) access_token: SecretString,
    pub(super) expires_in: u64,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) id_token: Option<SecretString>,
}

/// The proof that such a token is.
pub(super) fn assertion(token: &SecretString) -> [(&str, &str); 2] {
    [
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", token.expose_secret()),
    ]
}

impl OwnRegistration {
    /// This app; nothing is called yet.
    pub fn new(
        client: reqwest::Client,
        entra_endpoint: &str,
        registration: Registration<'_>,
        identity: Arc<ManagedIdentity>,
        secrets: Arc<Secrets>,
    ) -> Self {
        let endpoint = address::base(entra_endpoint);
        let Registration {
            tenant,
            client_id,
            authentication,
            secret,
        } = registration;
        Self {
            client,
            base: format!("{endpoint}/{tenant}/oauth2/v2.0"),
            exchange_scope: cloud::of(&endpoint).exchange_scope,
            client_id: client_id.to_owned(),
            authentication,
            secret,
            identity,
            secrets,
            told: Told::default(),
        }
    }

    /// Where a person signs in.
    pub(super) fn authorize_url(&self) -> String {
        format!("{}/authorize", self.base)
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(super) fn vault(&self) -> &KeyVault {
        self.secrets.vault()
    }

    /// Asks the token endpoint with these parameters, and a proof of who asks.
    pub(super) async fn grant(&self, form: &[(&str, &str)]) -> Result<Grant> {
        match self.authentication {
            ClientAuthentication::Federated => {
                let own = self.own_assertion().await?;
                self.send(form, &assertion(&own)).await
            }
            ClientAuthentication::Secret => {
                let grant = |secret: Keyed| async move {
                    let proof = [("client_secret", secret.value.expose_secret())];
                    self.send(form, &proof).await
                };
                let (secrets, name) = (&self.secrets, self.secret);
                secrets.prove(Service::Entra, name, grant).await
            }
        }
    }

    /// The managed identity's token with which it vouches for an application that trusts it (federated credential).
    pub(super) async fn own_assertion(&self) -> Result<SecretString> {
        self.identity.token(self.exchange_scope).await
    }

    /// As [`Self::grant`], with this proof.
    pub(super) async fn send(
        &self,
        form: &[(&str, &str)],
        proof: &[(&str, &str)],
    ) -> Result<Grant> {
        self.send_as(&self.client_id, form, proof).await
    }

    /// As [`Self::send`], for another application of the tenant.
    pub(super) async fn send_as(
        &self,
        client_id: &str,
        form: &[(&str, &str)],
        proof: &[(&str, &str)],
    ) -> Result<Grant> {
        let client = [("client_id", client_id)];
        let form = [&client, form, proof].concat();
        let request = self
            .client
            .post(format!("{}/token", self.base))
            .form(&form)
            .timeout(CALL_TIMEOUT);
        let granted = exchange::send_for_json(Service::Entra, request, ANSWER_LIMIT).await;
        granted.map_err(|error| ServiceError {
            kind: Reason::of(&error).map_or(error.kind, Reason::kind),
            ..error
        })
    }
}
