//! Microsoft Graph v1.0: chats, their members and messages, as a Support User (delegated permissions).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use url::Url;

use crate::address;
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::exchange;
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

/// An image that a post shows: `<img src="../hostedContents/{n}/$value">` stands for the n-th of them, counted from 1. `Debug`
/// shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct HostedImage {
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub content_type: String,
    /// At most 4 MB ("Send message with inline images": the limit of hosted content).
    pub bytes: Bytes,
}

impl std::fmt::Debug for HostedImage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HostedImage")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

fn parsed(address: &str) -> Result<Url, ServiceError> {
    Url::parse(address).map_err(|error| {
        ServiceError::new(Service::Graph, ErrorKind::Rejected, Sent::No).because(error)
    })
}

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
        exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT).await
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
        let answer = exchange::send(Service::Graph, request, ANSWER_LIMIT).await?;
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

    /// Where the bytes of an inline image or a code snippet are ("Get chatMessageHostedContent").
    ///
    /// # Errors
    /// `Rejected` for ids that fit no address.
    pub fn hosted_content_url(
        &self,
        chat: &str,
        message: &str,
        content: &str,
    ) -> Result<Url, ServiceError> {
        let message = address::segment(Service::Graph, message)?;
        let content = address::segment(Service::Graph, content)?;
        let chat = self.chat_url(chat)?;
        parsed(&format!(
            "{chat}/messages/{message}/hostedContents/{content}/$value"
        ))
    }

    /// Where the bytes of a file are that somebody shared by its browser address ("Access shared items": `u!` and the address
    /// in base64url without padding). The answer redirects to the file's own host.
    ///
    /// # Errors
    /// Never for an address of a sensible length.
    pub fn shared_file_url(&self, address: &str) -> Result<Url, ServiceError> {
        let share = URL_SAFE_NO_PAD.encode(address);
        parsed(&format!("{}/shares/u!{share}/driveItem/content", self.base))
    }

    /// Posts HTML, with the images that it shows, and returns the id of the new message ("Send chatMessage in a channel or a chat"). Graph knows no key
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
        images: &[HostedImage],
        timeout: Duration,
    ) -> Result<String, ServiceError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            content_type: &'static str,
            content: &'a str,
        }
        #[derive(Serialize)]
        struct NewContent<'a> {
            #[serde(rename = "@microsoft.graph.temporaryId")]
            temporary_id: String,
            #[serde(rename = "contentBytes")]
            bytes: String,
            #[serde(rename = "contentType")]
            content_type: &'a str,
        }
        #[derive(Serialize)]
        struct NewMessage<'a> {
            body: Body<'a>,
            #[serde(rename = "hostedContents", skip_serializing_if = "Vec::is_empty")]
            hosted_contents: Vec<NewContent<'a>>,
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
            hosted_contents: images
                .iter()
                .enumerate()
                .map(|(index, image)| NewContent {
                    temporary_id: (index + 1).to_string(),
                    bytes: STANDARD.encode(&image.bytes),
                    content_type: &image.content_type,
                })
                .collect(),
        };
        let request = self
            .request(Method::POST, url, token, correlation)
            .json(&message)
            .timeout(timeout);
        let posted: Posted = exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT).await?;
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
        exchange::send(Service::Graph, request, ANSWER_LIMIT)
            .await
            .map(drop)
    }

    /// The origin that the tokens are for.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
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
