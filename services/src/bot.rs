//! The Bot Framework's connector for Teams: posting as the bot, and what it knows of a conversation's members ("Bot Connector REST
//! API reference"; "Get Teams-specific context for your bot"; "Send proactive messages").
//!
//! Where a conversation is reached its own activities tell, so the address comes from outside: the bot's token goes only to
//! origins that the settings name. One below `trafficmanager.net` proves nothing, since anybody can have such a name.

mod tokens;
mod validator;

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::files::{Download, FetchError, Files, Origin, Wanted, unless_unauthorized};
use crate::http::CALL_TIMEOUT;

pub use tokens::{BotAuthentication, BotTokens};
pub use validator::{ConnectorTokens, ServiceUrl, Verdict};

/// Largest answer of the connector.
const ANSWER_LIMIT: usize = 256 * 1024;

/// Client of the connector.
#[derive(Debug)]
pub struct Bot {
    client: reqwest::Client,
    tokens: BotTokens,
    origins: Vec<Origin>,
}

/// A conversation: the address that its latest activity named, and its id.
#[derive(Clone, Copy)]
pub struct Conversation<'a> {
    /// `serviceUrl`.
    pub service_url: &'a str,
    /// `conversation.id`.
    pub id: &'a str,
    /// The message's journey, for whoever looks for it.
    pub correlation: &'a str,
}

impl std::fmt::Debug for Conversation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation").finish_non_exhaustive()
    }
}

/// A member of a conversation. `Debug` shows nothing personal.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BotMember {
    /// Entra object id; the plain list of members has it under another name.
    #[serde(alias = "objectId")]
    pub aad_object_id: Option<String>,
    /// The member's tenant.
    pub tenant_id: Option<String>,
    /// User principal name.
    pub user_principal_name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Name as Teams shows it.
    pub name: Option<String>,
}

impl std::fmt::Debug for BotMember {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotMember").finish_non_exhaustive()
    }
}

impl Bot {
    /// The bot whose tokens these are, which may be sent to these origins; nothing is called yet.
    pub fn new(client: reqwest::Client, tokens: BotTokens, origins: Vec<Origin>) -> Self {
        Self {
            client,
            tokens,
            origins,
        }
    }

    /// Whether the bot's token may go to an address.
    pub fn may_call(&self, address: &str) -> bool {
        Url::parse(address).is_ok_and(|url| self.is_known(&url))
    }

    /// Gets a token, or sees that one is at hand; nothing is asked of the connector.
    ///
    /// # Errors
    /// Those of getting a token.
    pub async fn token(&self) -> Result<()> {
        self.tokens.get().await.map(drop)
    }

    /// Posts an activity and returns the id of the new message, where it gets one ("Send to conversation"). There is no key
    /// against doing it twice, so only what was refused for its token is repeated here.
    ///
    /// # Errors
    /// The connector refused or could not be reached; `sent` says whether the post may be there all the same. `Configuration`
    /// when the conversation's address is none that the settings allow.
    pub async fn post(
        &self,
        conversation: Conversation<'_>,
        activity: &Value,
        timeout: Duration,
    ) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Posted {
            id: Option<String>,
        }
        let url = self.url(conversation, &["activities"])?;
        let answer = self
            .tokens
            .call(|token| {
                let request = self.request(Method::POST, &url, &token, conversation);
                let request = request.json(activity).timeout(timeout);
                exchange::send(Service::Bot, request, ANSWER_LIMIT)
            })
            .await?;
        // It is posted when the connector says yes, whatever else the answer holds: for some there is no body at all.
        let body = answer.body.unwrap_or_default();
        let posted = serde_json::from_slice::<Posted>(&body).ok();
        Ok(posted
            .and_then(|posted| posted.id)
            .filter(|id| !id.is_empty()))
    }

    /// Puts another activity in the place of one of the bot's own ("Update activity").
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn update(
        &self,
        conversation: Conversation<'_>,
        activity_id: &str,
        activity: &Value,
    ) -> Result<()> {
        let url = self.url(conversation, &["activities", activity_id])?;
        let answer = self.tokens.call(|token| {
            let request = self.request(Method::PUT, &url, &token, conversation);
            let request = request.json(activity);
            exchange::send(Service::Bot, request, ANSWER_LIMIT)
        });
        answer.await.map(drop)
    }

    /// A member of the conversation, by Entra object id or the id that the bot knows ("Get single member details").
    ///
    /// # Errors
    /// As [`Self::post`].
    pub async fn member(&self, conversation: Conversation<'_>, user: &str) -> Result<BotMember> {
        let url = self.url(conversation, &["members", user])?;
        self.tokens
            .call(|token| {
                let request = self.request(Method::GET, &url, &token, conversation);
                exchange::send_for_json(Service::Bot, request, ANSWER_LIMIT)
            })
            .await
    }

    /// Opens a file: one at the connector with the bot's token, any other without.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn download(
        &self,
        files: &Files,
        url: &Url,
        host_limit: Duration,
    ) -> Result<Download, FetchError> {
        let wanted = |token| Wanted {
            url: url.clone(),
            service: match &token {
                Some(_) => Service::Bot,
                None => Service::Files,
            },
            token,
            headers: Vec::new(),
            host_limit,
        };
        // Which address it is the sender's client says: the token opens attachments and nothing else.
        if !self.is_known(url) || !url.path().contains("/v3/attachments/") {
            return files.open(wanted(None)).await;
        }
        let opened = self
            .tokens
            .call(async |token| unless_unauthorized(files.open(wanted(Some(token))).await));
        opened.await?
    }

    fn is_known(&self, url: &Url) -> bool {
        let is_bare = url.username().is_empty() && url.password().is_none();
        is_bare && Origin::of(url).is_some_and(|origin| self.origins.contains(&origin))
    }

    fn url(&self, conversation: Conversation<'_>, rest: &[&str]) -> Result<String> {
        let service_url = conversation.service_url;
        let base = Url::parse(service_url)
            .ok()
            .filter(|url| self.is_known(url));
        let base = base.ok_or_else(|| {
            ServiceError::new(Service::Bot, ErrorKind::Configuration, Sent::No)
                .with_code("host_not_allowed")
        })?;
        let mut url = address::base(base.as_str());
        for part in ["v3", "conversations", conversation.id].iter().chain(rest) {
            url.push('/');
            url.push_str(&address::segment(Service::Bot, part)?);
        }
        Ok(url)
    }

    fn request(
        &self,
        method: Method,
        url: &str,
        token: &SecretString,
        conversation: Conversation<'_>,
    ) -> RequestBuilder {
        self.client
            .request(method, url)
            .bearer_auth(token.expose_secret())
            .header("client-request-id", conversation.correlation)
            .timeout(CALL_TIMEOUT)
    }
}

#[cfg(test)]
mod tests;
