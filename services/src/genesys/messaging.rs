//! Open Messaging: customers' messages and receipts in, agents' files out (Genesys Cloud Developer Center, "Open Messaging
//! API").

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::ANSWER_LIMIT;
use super::admin::{AdminCredentials, GenesysAdmin};
use super::login;
use crate::address;
use crate::error::{ErrorKind, Result, Service, ServiceError};
use crate::exchange::{self, Answer};
use crate::files::{Download, FetchError, Files, Wanted, unless_unauthorized};
use crate::http::CALL_TIMEOUT;
use crate::key_vault::Keyed;
use crate::renewal::{Lease, Renewal};
use crate::secrets::{Secrets, names};

/// Where agents' files are ("Get download", `/api/v2/downloads/{downloadId}`), on the API's host and on that for downloads.
const DOWNLOADS: &str = "/api/v2/downloads/";

/// What Genesys answers to a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PostedMessage {
    /// Genesys' id of the message; empty when Genesys accepted the message without naming one.
    pub id: String,
}

/// Client of one Open Messaging integration.
#[derive(Debug)]
pub struct Genesys {
    client: reqwest::Client,
    api: String,
    integration: String,
    credentials: Credentials,
    token: Renewal<SecretString>,
}

#[derive(Debug, Clone)]
struct Credentials {
    client: reqwest::Client,
    login: String,
    client_id: String,
    /// Its secret's name in the vault.
    secret: String,
    secrets: Arc<Secrets>,
}

impl Genesys {
    /// Nothing is called yet. `api` and `login` are endpoints, for example `https://api.mypurecloud.de` and
    /// `https://login.mypurecloud.de`; the client's secret is [`names::GENESYS_CLIENT`], whose key tells which client's it is, else it is
    /// this one's.
    pub fn new(
        client: reqwest::Client,
        api: &str,
        login: &str,
        integration: &str,
        client_id: &str,
        secrets: Arc<Secrets>,
    ) -> Self {
        let credentials = Credentials {
            client,
            login: login.to_owned(),
            client_id: client_id.to_owned(),
            secret: names::GENESYS_CLIENT.to_owned(),
            secrets,
        };
        Self::with(credentials, address::base(api), integration.trim())
    }

    /// The same integration by a further OAuth client, whose secret is [`names::further_genesys_client`]: it has a token and a limit
    /// of its own.
    #[must_use]
    pub fn by_client(&self, id: &str) -> Self {
        let credentials = Credentials {
            client_id: id.to_owned(),
            secret: names::further_genesys_client(id),
            ..self.credentials.clone()
        };
        Self::with(credentials, self.api.clone(), &self.integration)
    }

    fn with(credentials: Credentials, api: String, integration: &str) -> Self {
        let own = credentials.clone();
        Self {
            client: credentials.client.clone(),
            api,
            integration: integration.to_owned(),
            token: Renewal::new(Service::Genesys, move || own.clone().fetch()),
            credentials,
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
    ) -> Result<PostedMessage> {
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
    ) -> Result<PostedMessage> {
        self.post_content("structured/response", json.into(), correlation)
            .await
    }

    async fn post_content(
        &self,
        kind: &str,
        json: Bytes,
        correlation: &str,
    ) -> Result<PostedMessage> {
        let answer = self.post(kind, json, correlation).await?;
        // The message is in, whatever the answer looks like: an error here would bring it to the agent twice.
        let body = answer.body.unwrap_or_default();
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Posts a receipt for an agent's message (`OpenInboundNormalizedReceipt`).
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn post_receipt(&self, json: impl Into<Bytes>, correlation: &str) -> Result<()> {
        self.post("receipt", json.into(), correlation)
            .await
            .map(drop)
    }

    /// Whether Genesys answers and accepts our token: reads what the token is. It needs no permission.
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn probe(&self) -> Result<()> {
        self.read("tokens/me").await
    }

    /// Whether the integration that we post to exists ("Get Open messaging integration").
    ///
    /// # Errors
    /// `NotFound` when Genesys knows no integration of this id, `Forbidden` when it does not tell us: our client needs
    /// [`super::admin::permissions::VIEW_INTEGRATION`] for it. Otherwise as [`Self::post_message`].
    pub async fn integration(&self) -> Result<()> {
        let id = address::segment(Service::Genesys, &self.integration)?;
        let path = format!("conversations/messaging/integrations/open/{id}");
        self.read(&path).await
    }

    /// What our own client may change at Genesys.
    ///
    /// # Errors
    /// As [`Self::post_message`].
    pub async fn administrator(&self) -> Result<GenesysAdmin> {
        // So that the token is none that was withdrawn.
        self.probe().await?;
        let token = self.token.get().await?;
        Ok(GenesysAdmin::with_token(
            self.client.clone(),
            &self.api,
            token,
        ))
    }

    /// The same for whoever has these credentials.
    ///
    /// # Errors
    /// As [`GenesysAdmin::sign_in`].
    pub async fn sign_in_as(&self, credentials: &AdminCredentials) -> Result<GenesysAdmin> {
        GenesysAdmin::sign_in(
            self.client.clone(),
            &self.api,
            &self.credentials.login,
            credentials,
        )
        .await
    }

    /// Whether the API itself serves the file, to those with a token only.
    pub fn needs_token(&self, url: &Url) -> bool {
        let served = self.at_the_api(url);
        served.is_some_and(|served| served.origin() == url.origin())
    }

    /// Opens an agent's file. An address for downloads that refuses us is asked for at the API with our token, whose answer
    /// leads to a signed address; no other host ever sees the token.
    ///
    /// # Errors
    /// See [`FetchError`]; an error of another service than [`Service::Files`] is about our token.
    pub async fn download(
        &self,
        files: &Files,
        url: &Url,
        host_limit: Duration,
    ) -> Result<Download, FetchError> {
        let wanted = |url: &Url, token: Option<SecretString>| Wanted {
            url: url.clone(),
            // Tells a refused token from a refusal further on.
            service: match token {
                Some(_) => Service::Genesys,
                None => Service::Files,
            },
            token,
            headers: Vec::new(),
            host_limit,
        };
        let at_the_api = self.at_the_api(url);
        let url = if self.needs_token(url) {
            url
        } else {
            let opened = files.open(wanted(url, None)).await;
            let is_refused = matches!(&opened, Err(FetchError::Service(error))
                if matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::Forbidden));
            match &at_the_api {
                Some(at_the_api) if is_refused => at_the_api,
                _ => return opened,
            }
        };
        let opened = self
            .token
            .call(Service::Genesys, |token| async {
                unless_unauthorized(files.open(wanted(url, Some(token))).await)
            })
            .await?;
        opened.map_err(|error| match error {
            FetchError::Service(error) => FetchError::Service(ServiceError {
                service: Service::Files,
                ..error
            }),
            other => other,
        })
    }

    /// The API's own address of a download, whichever host is named.
    fn at_the_api(&self, url: &Url) -> Option<Url> {
        let id = url.path().strip_prefix(DOWNLOADS)?;
        if id.is_empty() || id.contains('/') {
            return None;
        }
        Url::parse(&format!("{}{DOWNLOADS}{id}", self.api)).ok()
    }

    async fn read(&self, path: &str) -> Result<()> {
        let url = format!("{}/api/v2/{path}", self.api);
        self.send(|| self.client.get(&url)).await.map(drop)
    }

    /// Any other call of the API.
    pub(super) async fn request(
        &self,
        method: Method,
        path: &str,
        json: Option<Bytes>,
    ) -> Result<Answer> {
        let url = format!("{}/api/v2/{path}", self.api);
        self.send(|| {
            let request = self.client.request(method.clone(), &url);
            match &json {
                Some(json) => request
                    .header(CONTENT_TYPE, "application/json")
                    .body(json.clone()),
                None => request,
            }
        })
        .await
    }

    pub(super) async fn post(&self, kind: &str, json: Bytes, correlation: &str) -> Result<Answer> {
        let Self {
            api, integration, ..
        } = self;
        let url = format!("{api}/api/v2/conversations/messages/{integration}/inbound/open/{kind}");
        self.send(|| {
            self.client
                .post(&url)
                .header(CONTENT_TYPE, "application/json")
                .header("x-correlation-id", correlation)
                .body(json.clone())
        })
        .await
    }

    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Answer> {
        self.token
            .call(Service::Genesys, |token| {
                let request = request().bearer_auth(token.expose_secret());
                let request = request.timeout(CALL_TIMEOUT);
                exchange::send(Service::Genesys, request, ANSWER_LIMIT)
            })
            .await
    }
}

impl Credentials {
    async fn fetch(self) -> Result<Lease<SecretString>> {
        let Self {
            client,
            login,
            client_id,
            secret,
            secrets,
        } = &self;
        // Each secret tells whose it is: the two change together.
        let grant = |held: Keyed| async move {
            let client_id = held.key.as_ref().unwrap_or(client_id);
            login::grant(client, login, client_id, &held.value).await
        };
        let granted = secrets.prove(Service::Genesys, secret, grant).await;
        granted.map_err(ServiceError::before_sending)
    }
}

#[cfg(test)]
mod tests;
