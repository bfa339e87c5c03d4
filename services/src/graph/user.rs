//! What a Support User may read and write: chats and files (delegated permissions).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;

use super::lists::{PART, changed_after};
use super::{ANSWER_LIMIT, Chat, Graph, HostedImage, MemberRecord, parse};
use crate::address;
use crate::error::{ErrorKind, Result, Service, ServiceError};
use crate::exchange;
use crate::files::{Download, FetchError, Files, Wanted, unless_unauthorized};

/// Pages after which a list ends: 1,000 messages.
const MESSAGE_PAGES: usize = 20;

/// Pages after which the members end; a chat has at most 1,000 members.
pub(super) const MEMBER_PAGES: usize = 10;

/// Graph as one Support User. Every call brings the correlation id along, as `client-request-id`.
///
/// A token that Graph refuses (401) is replaced, and the call made once more; a token counts as refused only when a plain read
/// with it is refused too, since Graph answers 401 for some things of other tenants. Then the error is `Forbidden`.
///
/// All calls also have the errors of getting a token: `SignInNeeded` when a person must sign in as the Support User,
/// `Configuration` when the app's registration or credential is wrong; otherwise Entra ID, the managed identity or Key Vault
/// refused or could not be reached.
#[derive(Debug, Clone, Copy)]
pub struct UserGraph<'a> {
    pub(super) graph: &'a Graph,
    pub(super) account: &'a str,
}

/// One of the parts in which Graph gives a list ("Paging Microsoft Graph data in your app").
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
}

impl<'a> UserGraph<'a> {
    /// Gets a token for this account, or sees that one is at hand; nothing is asked of Graph.
    ///
    /// # Errors
    /// Those of getting a token.
    pub async fn token(self) -> Result<()> {
        self.graph.tokens.token(self.account).await.map(drop)
    }

    /// Renews and stores the refresh token that this account's tokens come from. For one caller at a time.
    ///
    /// # Errors
    /// Those of getting a token, and Key Vault's when the newer one could not be stored.
    pub async fn renew_refresh_token(self) -> Result<()> {
        self.graph.tokens.renew_refresh_token(self.account).await
    }

    /// The chat's id, type and tenant ("Get chat").
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn chat(&self, correlation: &str, chat: &str) -> Result<Chat> {
        let url = self.graph.chat_url(chat)?;
        self.read(correlation, &url, &[]).await
    }

    /// A message as Graph sends it: JSON of a `chatMessage` ("Get chatMessage in a channel or chat").
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn message(&self, correlation: &str, chat: &str, message: &str) -> Result<Vec<u8>> {
        let message = address::segment(Service::Graph, message)?;
        let url = format!("{}/messages/{message}", self.graph.chat_url(chat)?);
        let answer = self
            .call(|token| {
                let request = self.graph.get(&url, &token, correlation);
                exchange::send(Service::Graph, request, ANSWER_LIMIT)
            })
            .await?;
        answer.body.map(Into::into)
    }

    /// Messages created or changed after `since`, newest change first, at most 1,000 ("List messages in a chat": the
    /// filter counts only together with the order by the same property).
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn messages_since(
        &self,
        correlation: &str,
        chat: &str,
        since: OffsetDateTime,
    ) -> Result<Vec<Value>> {
        let url = format!("{}/messages", self.graph.chat_url(chat)?);
        let query = [
            ("$top", PART),
            ("$orderby", "lastModifiedDateTime desc"),
            ("$filter", &changed_after(since)?),
        ];
        self.list(correlation, &url, &query, MESSAGE_PAGES).await
    }

    /// The chat's members ("List members of a chat"), including the Support User.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn members(&self, correlation: &str, chat: &str) -> Result<Vec<MemberRecord>> {
        let url = format!("{}/members", self.graph.chat_url(chat)?);
        self.list(correlation, &url, &[], MEMBER_PAGES).await
    }

    /// Posts HTML, with the images that it shows, and returns the id of the new message ("Send chatMessage in a channel or a
    /// chat"). Graph knows no key against doing it twice, so only what was refused for its token is repeated here.
    ///
    /// # Errors
    /// Graph refused or could not be reached. `sent` says whether the post may be in the chat all the same: look before
    /// posting again unless it is [`Sent::No`].
    pub async fn post(
        &self,
        correlation: &str,
        chat: &str,
        html: &str,
        images: &[HostedImage],
        timeout: Duration,
    ) -> Result<String> {
        #[derive(Deserialize)]
        struct Posted {
            id: String,
        }
        let url = format!("{}/messages", self.graph.chat_url(chat)?);
        let contents = images.iter().zip(1..).map(|(image, number)| {
            json!({
                "@microsoft.graph.temporaryId": number.to_string(),
                "contentBytes": STANDARD.encode(&image.bytes),
                "contentType": image.content_type,
            })
        });
        let mut message = json!({"body": {"contentType": "html", "content": html}});
        if !images.is_empty() {
            message["hostedContents"] = contents.collect();
        }
        let posted: Posted = self
            .call(|token| {
                let request = self
                    .graph
                    .request(Method::POST, &url, &token, correlation)
                    .json(&message)
                    .timeout(timeout);
                exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT)
            })
            .await?;
        Ok(posted.id)
    }

    /// Marks the chat as read for this user ("chat: markChatReadForUser").
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn mark_read(
        &self,
        correlation: &str,
        chat: &str,
        user: &str,
        tenant: &str,
    ) -> Result<()> {
        let url = format!("{}/markChatReadForUser", self.graph.chat_url(chat)?);
        let body = json!({ "user": { "id": user, "tenantId": tenant } });
        let marked = self.call(|token| {
            let request = self.graph.request(Method::POST, &url, &token, correlation);
            exchange::send(Service::Graph, request.json(&body), ANSWER_LIMIT)
        });
        marked.await.map(drop)
    }

    /// Whether Graph answers the Support User a plain read: one chat of the list ("List chats").
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn probe(&self) -> Result<()> {
        let read = async |token| self.read_plainly(&token).await;
        self.call(read).await
    }

    /// Opens a file at one of Graph's addresses, following its redirects: only Graph sees the token.
    ///
    /// # Errors
    /// See [`FetchError`]. An error of [`Service::Graph`] that is transient or `Unauthorized` is about Graph or the account,
    /// one of [`Service::Files`] about the file's own host, and any other of Graph's about this file.
    pub async fn download(
        &self,
        files: &Files,
        correlation: &str,
        url: &Url,
        host_limit: Duration,
    ) -> Result<Download, FetchError> {
        // Gives access for this one request when the address is a sharing link ("Access shared items").
        let redeem = HeaderValue::from_static("redeemSharingLinkIfNecessary");
        let mut headers = vec![(HeaderName::from_static("prefer"), redeem)];
        if let Ok(correlation) = HeaderValue::from_str(correlation) {
            headers.push((HeaderName::from_static("client-request-id"), correlation));
        }
        let opened = self.call(async |token| {
            let wanted = Wanted {
                url: url.clone(),
                service: Service::Graph,
                token: Some(token),
                headers: headers.clone(),
                host_limit,
            };
            unless_unauthorized(files.open(wanted).await)
        });
        opened.await?
    }

    /// The SharePoint hosts of our own tenant: that of the Support User's OneDrive ("Get drive"), `contoso-my.sharepoint.com`,
    /// and that of its sites, `contoso.sharepoint.com`. Kept as long as the process once they are known; `None` when Graph does
    /// not tell.
    pub async fn own_file_hosts(&self, correlation: &str) -> Option<&'a [String]> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Drive {
            web_url: String,
        }
        if let Some(known) = self.graph.own_hosts.get() {
            return Some(known);
        }
        let url = format!("{}/me/drive", self.graph.base);
        let query = [("$select", "webUrl")];
        let drive: Drive = self.read(correlation, &url, &query).await.ok()?;
        let host = parse(&drive.web_url).ok()?.host_str()?.to_owned();
        let sites = host.split_once("-my.");
        let sites = sites.map(|(tenant, domain)| format!("{tenant}.{domain}"));
        let hosts = std::iter::once(host).chain(sites).collect();
        Some(self.graph.own_hosts.get_or_init(|| hosts))
    }

    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        correlation: &str,
        url: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        self.call(|token| {
            let request = self.graph.get(url, &token, correlation).query(query);
            exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT)
        })
        .await
    }

    /// All items of a list, or those of its first `most` pages.
    async fn list<T: DeserializeOwned>(
        &self,
        correlation: &str,
        url: &str,
        query: &[(&str, &str)],
        most: usize,
    ) -> Result<Vec<T>> {
        self.call(async |token| {
            let mut items = Vec::new();
            let mut request = self.graph.get(url, &token, correlation).query(query);
            for _ in 0..most {
                let page: Page<T> =
                    exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT).await?;
                items.extend(page.value);
                let Some(next) = page.next else {
                    return Ok(items);
                };
                request = self.graph.get(&self.ours(next)?, &token, correlation);
            }
            let text = "Graph has more pages than are read";
            tracing::warn!(event = "list_cut", pages = most, "{text}");
            Ok(items)
        })
        .await
    }

    async fn read_plainly(&self, token: &SecretString) -> Result<()> {
        let correlation = uuid::Uuid::new_v4().to_string();
        let url = format!("{}/me/chats", self.graph.base);
        let request = self.graph.get(&url, token, &correlation);
        let request = request.query(&[("$top", "1")]);
        let answer = exchange::send(Service::Graph, request, ANSWER_LIMIT).await;
        answer.map(drop)
    }

    pub(super) async fn call<T, F>(&self, send: impl Fn(SecretString) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let tokens = self.graph.tokens.of(self.account);
        let token = tokens.get().await?;
        let error = match send(token.clone()).await {
            Err(error) if error.is_refused_token(Service::Graph) => error,
            result => return result,
        };
        match self.read_plainly(&token).await {
            Err(plain) if plain.is_refused_token(Service::Graph) => {}
            Err(_) => return Err(error),
            Ok(()) => {
                let kind = ErrorKind::Forbidden;
                return Err(ServiceError { kind, ..error });
            }
        }
        match tokens.replacement(&token).await? {
            Some(newer) => send(newer).await,
            None => Err(error),
        }
    }
}
