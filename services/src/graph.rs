//! Microsoft Graph v1.0: chats, their members and messages, as a Support User (delegated permissions).

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::address;
use crate::entra::DelegatedTokens;
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::http::CALL_TIMEOUT;

mod pages;
mod records;
mod user;

pub use records::{Chat, MemberRecord};
pub use user::UserGraph;

/// Largest answer to a read: 50 messages of about 28 KB each fit many times over.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

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

fn parse(address: &str) -> Result<Url, ServiceError> {
    Url::parse(address).map_err(|error| {
        ServiceError::new(Service::Graph, ErrorKind::Rejected, Sent::No).because(error)
    })
}

/// Client of Microsoft Graph.
#[derive(Debug)]
pub struct Graph {
    client: reqwest::Client,
    base: String,
    tokens: DelegatedTokens,
    own_hosts: OnceLock<Vec<String>>,
}

impl Graph {
    /// Graph at this endpoint, for example `https://graph.microsoft.com`; nothing is called yet.
    #[must_use]
    pub fn new(client: reqwest::Client, endpoint: &str, tokens: DelegatedTokens) -> Self {
        Self {
            client,
            base: format!("{}/v1.0", address::base(endpoint)),
            tokens,
            own_hosts: OnceLock::new(),
        }
    }

    /// Graph as a Support User sees it, by the account's configured name.
    #[must_use]
    pub fn as_user<'a>(&'a self, account: &'a str) -> UserGraph<'a> {
        UserGraph::new(self, account)
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
        parse(&format!(
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
        parse(&format!("{}/shares/u!{share}/driveItem/content", self.base))
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
