//! Microsoft Graph v1.0: chats, their members and messages, as a Support User (delegated permissions).

use std::fmt;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::address;
use crate::entra::DelegatedTokens;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::http::CALL_TIMEOUT;

mod directory;
mod lists;
pub mod own_app;
pub mod registration;
pub mod subscriptions;
mod user;

pub use directory::{TenantRecord, UserRecord};
pub use lists::{ChatRecord, MessageRecord, Next, Part, Preview};
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

impl fmt::Debug for HostedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostedImage({} bytes)", self.bytes.len())
    }
}

/// A chat. `Debug` shows nothing personal.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// Chat id.
    pub id: String,
    /// `oneOnOne`, `group`, `meeting`, or what Graph adds later.
    pub chat_type: String,
    /// The tenant that the chat was created in, where Graph tells.
    pub tenant_id: Option<String>,
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chat({})", self.chat_type)
    }
}

/// A member of a chat. Of people in other tenants Graph often knows no more than the id; personal accounts have no tenant. `Debug`
/// shows nothing personal.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemberRecord {
    /// Entra object id, or the id of a personal Microsoft account.
    pub user_id: Option<String>,
    /// Id of somebody who joined a meeting without an account.
    pub anonymous_guest_id: Option<String>,
    /// Id of a user of Azure Communication Services.
    pub azure_communication_services_id: Option<String>,
    /// Skype's id.
    pub skype_id: Option<String>,
    /// Tenant of the user.
    pub tenant_id: Option<String>,
    /// Mail address or UPN.
    pub email: Option<String>,
    /// Name as Teams shows it.
    pub display_name: Option<String>,
}

impl MemberRecord {
    /// The member's id, of whichever kind (Microsoft Learn, "conversationMember resource type" and the types derived from it).
    pub fn user(&self) -> Option<&str> {
        let ids = [
            &self.user_id,
            &self.anonymous_guest_id,
            &self.azure_communication_services_id,
            &self.skype_id,
        ];
        ids.into_iter().flatten().next().map(String::as_str)
    }
}

impl fmt::Debug for MemberRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberRecord").finish_non_exhaustive()
    }
}

fn parse(address: &str) -> Result<Url> {
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
    pub fn new(client: reqwest::Client, endpoint: &str, tokens: DelegatedTokens) -> Self {
        Self {
            client,
            base: format!("{}/v1.0", address::base(endpoint)),
            tokens,
            own_hosts: OnceLock::new(),
        }
    }

    /// Graph as a Support User sees it, by the account's configured name.
    pub fn as_user<'a>(&'a self, account: &'a str) -> UserGraph<'a> {
        UserGraph {
            graph: self,
            account,
        }
    }

    /// Where the bytes of an inline image or a code snippet are ("Get chatMessageHostedContent").
    ///
    /// # Errors
    /// `Rejected` for ids that fit no address.
    pub fn hosted_content_url(&self, chat: &str, message: &str, content: &str) -> Result<Url> {
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
    pub fn shared_file_url(&self, address: &str) -> Result<Url> {
        let share = URL_SAFE_NO_PAD.encode(address);
        parse(&format!("{}/shares/u!{share}/driveItem/content", self.base))
    }

    fn chat_url(&self, chat: &str) -> Result<String> {
        let chat = address::segment(Service::Graph, chat)?;
        Ok(format!("{}/chats/{chat}", self.base))
    }

    fn get(&self, url: &str, token: &SecretString, correlation: &str) -> RequestBuilder {
        self.request(Method::GET, url, token, correlation)
    }

    fn request(
        &self,
        method: Method,
        url: &str,
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
