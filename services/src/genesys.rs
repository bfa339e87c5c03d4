//! Genesys Cloud: Open Messaging inbound messages and receipts (Genesys Cloud Developer Center, "Open Messaging API").

pub mod admin;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::address;
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::exchange::{self, Answer};
use crate::http::CALL_TIMEOUT;
use crate::renewal::{Lease, Renewal};
use crate::secrets::Secrets;

/// Key Vault secret with the OAuth client's secret.
const CLIENT_SECRET: &str = "genesys-client-secret";

/// Largest answer: a message with its attributes comes back, and requests are limited to 512,000 bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// A token younger than this is kept when a call with it, or with an older one, was refused.
const LEAST_TOKEN_AGE: Duration = Duration::from_secs(2);

/// What Genesys answers to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedMessage {
    /// Genesys' id of the message; empty when Genesys accepted the message without naming one.
    pub id: String,
}

/// Client of one Open Messaging integration.
#[derive(Debug)]
pub struct Genesys {
    client: reqwest::Client,
    login: Login,
    inbound: String,
    probe: String,
    token: Renewal<SecretString>,
}

#[derive(Debug, Clone)]
struct Login {
    client: reqwest::Client,
    url: String,
    client_id: String,
    secrets: Arc<Secrets>,
}

impl Genesys {
    /// Nothing is called yet. `api` and `login` are endpoints, for example `https://api.mypurecloud.de` and
    /// `https://login.mypurecloud.de`; the client's secret is `genesys-client-secret`.
    #[must_use]
    pub fn new(
        client: reqwest::Client,
        api: &str,
        login: &str,
        integration: &str,
        client_id: &str,
        secrets: Arc<Secrets>,
    ) -> Self {
        let api = address::base(api);
        let messages = format!("{api}/api/v2/conversations/messages");
        Self {
            login: Login {
                client: client.clone(),
                url: format!("{}/oauth/token", address::base(login)),
                client_id: client_id.to_owned(),
                secrets,
            },
            client,
            inbound: format!("{messages}/{}/inbound/open", integration.trim()),
            probe: format!("{api}/api/v2/tokens/me"),
            token: Renewal::new(Service::Genesys),
        }
    }

    /// Posts a customer's message (`OpenInboundNormalizedMessage`).
    ///
    /// # Errors
    /// `Configuration` when Genesys does not know the OAuth client or its secret; otherwise Genesys or Key Vault refused or
    /// could not be reached.
    pub async fn post_message(
        &self,
        json: impl Into<Bytes>,
        correlation: &str,
    ) -> Result<PostedMessage, ServiceError> {
        self.post_content("message", json.into(), correlation).await
    }

    /// Posts a customer's choice of what a structured message offered (`OpenInboundStructuredResponseMessage`).
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn post_structured_response(
        &self,
        json: impl Into<Bytes>,
        correlation: &str,
    ) -> Result<PostedMessage, ServiceError> {
        self.post_content("structured/response", json.into(), correlation)
            .await
    }

    /// Lets the next call fetch a new token, because the API refused this one.
    pub fn drop_token(&self) {
        self.token.forget(LEAST_TOKEN_AGE);
    }

    /// The token for files that the API itself hosts.
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn token(&self) -> Result<SecretString, ServiceError> {
        self.held_token().await
    }

    async fn post_content(
        &self,
        kind: &str,
        json: Bytes,
        correlation: &str,
    ) -> Result<PostedMessage, ServiceError> {
        #[derive(Deserialize)]
        struct Accepted {
            id: String,
        }
        let answer = self.post(kind, json, correlation).await?;
        // The message is in, whatever the answer looks like: an error here would bring it to the agent twice.
        let accepted = answer
            .body
            .ok()
            .and_then(|body| serde_json::from_slice::<Accepted>(&body).ok());
        Ok(PostedMessage {
            id: accepted.map(|accepted| accepted.id).unwrap_or_default(),
        })
    }

    /// Posts a receipt for an agent's message (`OpenInboundNormalizedReceipt`).
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn post_receipt(
        &self,
        json: impl Into<Bytes>,
        correlation: &str,
    ) -> Result<(), ServiceError> {
        self.post("receipt", json.into(), correlation)
            .await
            .map(drop)
    }

    /// Whether Genesys answers and accepts our token: reads what the token is. It needs no permission.
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn probe(&self) -> Result<(), ServiceError> {
        self.with_token(|token| {
            let request = self
                .client
                .get(&self.probe)
                .bearer_auth(token.expose_secret());
            exchange::send(
                Service::Genesys,
                request.timeout(CALL_TIMEOUT),
                ANSWER_LIMIT,
            )
        })
        .await
        .map(drop)
    }

    async fn post(
        &self,
        kind: &str,
        json: Bytes,
        correlation: &str,
    ) -> Result<Answer, ServiceError> {
        let url = format!("{}/{kind}", self.inbound);
        self.with_token(|token| {
            let request = self
                .client
                .post(&url)
                .bearer_auth(token.expose_secret())
                .header(CONTENT_TYPE, "application/json")
                .header("x-correlation-id", correlation)
                .body(json.clone())
                .timeout(CALL_TIMEOUT);
            exchange::send(Service::Genesys, request, ANSWER_LIMIT)
        })
        .await
    }

    async fn held_token(&self) -> Result<SecretString, ServiceError> {
        let token = self.token.get(|| self.login.clone().fetch()).await;
        token.map_err(ServiceError::before_sending)
    }

    /// Calls with the token; when it is refused, once more with a new one, for which the secret is read again.
    async fn with_token<F>(
        &self,
        mut call: impl FnMut(SecretString) -> F,
    ) -> Result<Answer, ServiceError>
    where
        F: Future<Output = Result<Answer, ServiceError>>,
    {
        let token = self.held_token().await?;
        match call(token).await {
            Err(error) if error.kind == ErrorKind::Unauthorized => {
                self.token.forget(LEAST_TOKEN_AGE);
                // The secret may have been replaced; should the vault be away, the known one has to do.
                let _ = self.login.secrets.reload_single(CLIENT_SECRET).await;
                let token = self.held_token().await?;
                call(token).await
            }
            result => result,
        }
    }
}

impl Login {
    async fn fetch(self) -> Result<Lease<SecretString>, ServiceError> {
        let secret = self.secrets.get(CLIENT_SECRET).await?;
        match self.grant(secret).await {
            Err(error) if error.kind == ErrorKind::Configuration => {
                let secret = self.secrets.reload_single(CLIENT_SECRET).await?;
                self.grant(secret).await
            }
            result => result,
        }
    }

    /// Client credentials grant (Genesys Cloud Developer Center, "Client Credentials").
    async fn grant(
        &self,
        secret: Option<SecretString>,
    ) -> Result<Lease<SecretString>, ServiceError> {
        #[derive(Deserialize)]
        struct Grant {
            access_token: String,
            expires_in: u64,
        }
        let Some(secret) = secret else {
            let mut error = ServiceError::new(Service::Genesys, ErrorKind::Configuration, Sent::No);
            error.code = Some("no_client_secret".to_owned());
            return Err(error);
        };
        let request = self
            .client
            .post(&self.url)
            .basic_auth(&self.client_id, Some(secret.expose_secret()))
            .form(&[("grant_type", "client_credentials")])
            .timeout(CALL_TIMEOUT);
        let grant = exchange::send_for_json::<Grant>(Service::Genesys, request, ANSWER_LIMIT)
            .await
            .map_err(|mut error| {
                // A refused client is no refused token.
                if matches!(error.kind, ErrorKind::Rejected | ErrorKind::Unauthorized) {
                    error.kind = ErrorKind::Configuration;
                }
                error
            })?;
        let life = Duration::from_secs(grant.expires_in);
        Ok(Lease {
            value: SecretString::from(grant.access_token),
            renew_after: life.saturating_sub((life / 5).min(Duration::from_secs(300))),
            expires_after: life.saturating_sub((life / 10).min(Duration::from_secs(30))),
        })
    }
}

#[cfg(test)]
mod tests;
