//! Microsoft Graph v1.0: chats, their members and messages, as a Support User (delegated permissions).

use std::time::Duration;

use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::address;
use crate::answer;
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::http::CALL_TIMEOUT;

mod pages;
mod records;

pub use records::{Chat, MemberRecord};

/// Largest answer to a read: 50 messages of about 28 KB each fit many times over.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// Messages of one page, the most that Graph gives ("List messages in a chat").
const PAGE: usize = 50;

/// Pages after which a list ends: 1,000 messages.
const MESSAGE_PAGES: usize = 20;

/// Pages after which the members end; a chat has at most 1,000 members.
const MEMBER_PAGES: usize = 10;

/// Client of Microsoft Graph. Every call takes the Support User's delegated token and the correlation id, which goes out as
/// `client-request-id`.
#[derive(Debug)]
pub struct Graph {
    client: reqwest::Client,
    base: String,
}

impl Graph {
    /// Graph at this endpoint, for example `https://graph.microsoft.com`; nothing is called yet.
    #[must_use]
    pub fn new(client: reqwest::Client, endpoint: &str) -> Self {
        Self {
            client,
            base: format!("{}/v1.0", address::base(endpoint)),
        }
    }

    /// The chat's id and type ("Get chat").
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn get_chat(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
    ) -> Result<Chat, ServiceError> {
        let url = self.chat_url(chat)?;
        let request = self.get(url, token, correlation);
        answer::send_for_json(Service::Graph, request, ANSWER_LIMIT).await
    }

    /// A message as Graph sends it: JSON of a `chatMessage` ("Get chatMessage in a channel or chat").
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn get_message(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
        message: &str,
    ) -> Result<Vec<u8>, ServiceError> {
        let message = address::segment(Service::Graph, message)?;
        let url = format!("{}/messages/{message}", self.chat_url(chat)?);
        let request = self.get(url, token, correlation);
        let answer = answer::send(Service::Graph, request, ANSWER_LIMIT).await?;
        answer.body.map(Into::into)
    }

    /// Messages created or changed after `since`, newest change first, at most 1,000 ("List messages in a chat": the
    /// filter counts only together with the order by the same property).
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn list_messages(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
        since: OffsetDateTime,
    ) -> Result<Vec<Value>, ServiceError> {
        let since = since
            .to_offset(time::UtcOffset::UTC)
            .format(&Rfc3339)
            .map_err(|_| ServiceError::new(Service::Graph, ErrorKind::Rejected, Sent::No))?;
        let top = PAGE.to_string();
        let filter = format!("lastModifiedDateTime gt {since}");
        let request = self
            .get(
                format!("{}/messages", self.chat_url(chat)?),
                token,
                correlation,
            )
            .query(&[
                ("$top", top.as_str()),
                ("$orderby", "lastModifiedDateTime desc"),
                ("$filter", filter.as_str()),
            ]);
        self.pages(request, token, correlation, MESSAGE_PAGES).await
    }

    /// The chat's members ("List members of a chat"), including the Support User.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn members(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
    ) -> Result<Vec<MemberRecord>, ServiceError> {
        let url = format!("{}/members", self.chat_url(chat)?);
        let request = self.get(url, token, correlation);
        self.pages(request, token, correlation, MEMBER_PAGES).await
    }

    /// Posts HTML and returns the id of the new message ("Send chatMessage in a channel or a chat"). Graph knows no key
    /// against doing it twice, so nothing is ever repeated here.
    ///
    /// # Errors
    /// Graph refused or could not be reached. `sent` says whether the post may be in the chat all the same: look before
    /// posting again unless it is [`Sent::No`].
    pub async fn post_message(
        &self,
        token: &SecretString,
        correlation: &str,
        chat: &str,
        html: &str,
        timeout: Duration,
    ) -> Result<String, ServiceError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            content_type: &'static str,
            content: &'a str,
        }
        #[derive(Serialize)]
        struct NewMessage<'a> {
            body: Body<'a>,
        }
        #[derive(Deserialize)]
        struct Posted {
            id: String,
        }
        let url = format!("{}/messages", self.chat_url(chat)?);
        let message = NewMessage {
            body: Body {
                content_type: "html",
                content: html,
            },
        };
        let request = self
            .request(Method::POST, url, token, correlation)
            .json(&message)
            .timeout(timeout);
        let posted: Posted = answer::send_for_json(Service::Graph, request, ANSWER_LIMIT).await?;
        Ok(posted.id)
    }

    /// Whether Graph answers the Support User a plain read: one chat of the list ("List chats").
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn probe(&self, token: &SecretString) -> Result<(), ServiceError> {
        let correlation = uuid::Uuid::new_v4().to_string();
        let request = self
            .get(format!("{}/me/chats", self.base), token, &correlation)
            .query(&[("$top", "1")]);
        answer::send(Service::Graph, request, ANSWER_LIMIT)
            .await
            .map(drop)
    }

    fn chat_url(&self, chat: &str) -> Result<String, ServiceError> {
        let chat = address::segment(Service::Graph, chat)?;
        Ok(format!("{}/chats/{chat}", self.base))
    }

    fn get(&self, url: String, token: &SecretString, correlation: &str) -> RequestBuilder {
        self.request(Method::GET, url, token, correlation)
    }

    fn request(
        &self,
        method: Method,
        url: String,
        token: &SecretString,
        correlation: &str,
    ) -> RequestBuilder {
        self.client
            .request(method, url)
            .bearer_auth(token.expose_secret())
            .header("client-request-id", correlation)
            .header(ACCEPT, "application/json")
            .timeout(CALL_TIMEOUT)
    }
}

#[cfg(test)]
mod tests;
