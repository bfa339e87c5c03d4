//! Microsoft Graph as a Support User, through the gate.

use std::sync::Arc;
use std::time::Duration;

use bridge::ids::{Digest, TeamsMessageId};
use bridge::patience::Fault;
use bridge::state::customer::Member;
use bridge::teams::chat_kind::ChatKind;
use serde_json::Value;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::files::{Download, FetchError, Files};
use services::graph::HostedImage;
use time::OffsetDateTime;
use url::Url;

use super::Place;
use crate::failure::{Failure, fault_of};
use crate::outside::{Call, Caller, Gate, Turn};
use crate::store::bounded::Bounded;

/// Chats whose owner was told in the log lately.
const TOLD: usize = 1_000;
const TOLD_FOR: Duration = Duration::from_secs(3600);

/// The door.
#[derive(Debug)]
pub struct Graph {
    client: Arc<services::graph::Graph>,
    gate: Arc<Gate>,
    files: Arc<Files>,
    owners_told: Bounded<Digest, ()>,
}

impl Graph {
    /// Nothing is called yet.
    pub fn new(client: Arc<services::graph::Graph>, gate: Arc<Gate>, files: Arc<Files>) -> Self {
        Self {
            client,
            gate,
            files,
            owners_told: Bounded::new(TOLD, TOLD_FOR),
        }
    }

    /// Reads a message: JSON of a `chatMessage`.
    ///
    /// # Errors
    /// Those of the gate and of Graph.
    pub async fn read(
        &self,
        place: Place<'_>,
        caller: &Caller,
        message: &TeamsMessageId,
    ) -> Result<Vec<u8>, Failure> {
        let user = self.client.as_user(place.account.as_str());
        let (correlation, chat) = (caller.correlation.as_str(), place.chat.as_str());
        let request = user.message(correlation, chat, message.as_str());
        self.reading(place, caller, request).await
    }

    /// The kind of the chat.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn kind(&self, place: Place<'_>, caller: &Caller) -> Result<ChatKind, Failure> {
        let user = self.client.as_user(place.account.as_str());
        let request = user.chat(caller.correlation.as_str(), place.chat.as_str());
        let chat = self.reading(place, caller, request).await?;
        Ok(ChatKind::parse(&chat.chat_type))
    }

    /// Members of the chat; none where Graph does not show them (a group that another tenant hosts, Microsoft Learn, "List
    /// members of a chat").
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn members(&self, place: Place<'_>, caller: &Caller) -> Result<Vec<Member>, Failure> {
        let user = self.client.as_user(place.account.as_str());
        let request = user.members(caller.correlation.as_str(), place.chat.as_str());
        match self.reading(place, caller, request).await {
            Ok(records) => Ok(records
                .into_iter()
                .map(|record| Member {
                    user: record.user_id.and_then(|user| user.parse().ok()),
                    tenant: record.tenant_id.and_then(|tenant| tenant.parse().ok()),
                    email: record.email,
                    name: record.display_name,
                })
                .collect()),
            Err(Failure::Service(error))
                if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::NotFound) =>
            {
                tracing::info!(event = "members_not_shown", status = error.status);
                Ok(Vec::new())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Waits for the turn of a post, after which the caller saves that it is about to post.
    ///
    /// # Errors
    /// The turn would come too late.
    pub async fn turn_to_post<'a>(
        &'a self,
        place: Place<'a>,
        caller: &'a Caller,
    ) -> Result<Turn<'a>, Failure> {
        self.gate.turn(Call::GraphPost(place.account), caller).await
    }

    /// Posts HTML with the pictures that it shows.
    ///
    /// # Errors
    /// Those of Graph; `sent` tells whether the post may be in the chat all the same.
    pub async fn post(
        &self,
        turn: Turn<'_>,
        place: Place<'_>,
        caller: &Caller,
        (html, images): (&str, &[HostedImage]),
        limit: Duration,
    ) -> Result<TeamsMessageId, ServiceError> {
        let user = self.client.as_user(place.account.as_str());
        let (correlation, chat) = (caller.correlation.as_str(), place.chat.as_str());
        let posted = turn
            .make(user.post(correlation, chat, html, images, limit))
            .await;
        if let Err(error) = &posted {
            self.tell_owner(place, caller, error).await;
        }
        // Posted under an id that is none: it is in the chat, but only its listing can tell its id.
        posted?
            .parse()
            .map_err(|_| ServiceError::new(Service::Graph, ErrorKind::Malformed, Sent::Yes))
    }

    /// Messages that were written or changed since then, among which a post of ours may be.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn find_post(
        &self,
        place: Place<'_>,
        caller: &Caller,
        since: OffsetDateTime,
    ) -> Result<Vec<Value>, Failure> {
        let user = self.client.as_user(place.account.as_str());
        let (correlation, chat) = (caller.correlation.as_str(), place.chat.as_str());
        let request = user.messages_since(correlation, chat, since);
        self.reading(place, caller, request).await
    }

    /// Waits for the turn of opening a file: what Graph asked to wait for is not the file's fault. Hosted contents are
    /// throttled by chat as well.
    ///
    /// # Errors
    /// The turn would come too late.
    pub async fn turn_for_file<'a>(
        &'a self,
        place: Place<'a>,
        caller: &'a Caller,
        is_hosted: bool,
    ) -> Result<Turn<'a>, Failure> {
        if is_hosted {
            let chat = place.chat.digest();
            drop(
                self.gate
                    .turn(Call::GraphHostedContent(&chat), caller)
                    .await?,
            );
        }
        self.gate.turn(Call::GraphRead(place.account), caller).await
    }

    /// Opens a file at one of Graph's addresses, which for shared files redirects to the file's own host.
    ///
    /// # Errors
    /// See [`FetchError`]. A transient or `Unauthorized` error of Graph is about Graph or the account; any other, and all that
    /// comes after a redirect, is about this file.
    pub async fn file(
        &self,
        turn: Turn<'_>,
        place: Place<'_>,
        caller: &Caller,
        url: &Url,
        host_limit: Duration,
    ) -> Result<Download, FetchError> {
        let user = self.client.as_user(place.account.as_str());
        let opening = user.download(&self.files, caller.correlation.as_str(), url, host_limit);
        // What is about the file says nothing of Graph.
        let opened = turn.make(async {
            match opening.await {
                Err(FetchError::Service(error))
                    if error.service == Service::Graph && fault_of(&error) != Fault::Refusal =>
                {
                    Err(error)
                }
                opened => Ok(opened),
            }
        });
        opened.await?
    }

    async fn reading<T>(
        &self,
        place: Place<'_>,
        caller: &Caller,
        request: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, Failure> {
        let read = self
            .gate
            .call(Call::GraphRead(place.account), caller, request)
            .await;
        if let Err(Failure::Service(error)) = &read {
            self.tell_owner(place, caller, error).await;
        }
        read
    }

    /// Whose tenant a chat belongs to explains many a 403 ("chat resource type", `tenantId`: the tenant in which it was created).
    async fn tell_owner(&self, place: Place<'_>, caller: &Caller, error: &ServiceError) {
        let chat = place.chat.digest();
        if error.kind != ErrorKind::Forbidden || self.owners_told.contains(&chat) {
            return;
        }
        self.owners_told.insert(chat.clone(), ());
        let user = self.client.as_user(place.account.as_str());
        let request = user.chat(caller.correlation.as_str(), place.chat.as_str());
        let read = Call::GraphRead(place.account);
        let found = self.gate.call(read, caller, request);
        let tenant = found.await.ok().and_then(|chat| chat.tenant_id);
        let tenant = tenant.map(|tenant| Digest::of("tenant", &tenant).to_string());
        tracing::warn!(
            event = "chat_forbidden",
            chat = chat.as_str(),
            tenant,
            "Graph refuses the Support User this chat; the tenant is the one that created it"
        );
    }
}
