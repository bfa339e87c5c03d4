//! The door of a Support User: Microsoft Graph, through the gate.

use std::time::Duration;

use bridge::catch_up::parts::Part;
use bridge::ids::{ChatId, Digest, SupportAccountName, TeamsMessageId};
use bridge::state::customer::Member;
use bridge::teams::chat_kind::ChatKind;
use serde_json::Value;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::files::{Download, FetchError};
use services::graph::{HostedImage, MessageRecord, UserGraph};
use time::OffsetDateTime;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::app::App;
use crate::failure::Failure;
use crate::outside::{Call, Caller, Turn};

/// Bytes of listed messages that are kept until they are worked through; what is beyond is read message by message.
const MOST_KEPT: usize = 256 * 1024;

/// How long the marking of a chat as read may take.
const MARKING: Duration = Duration::from_secs(2);

/// Changes in a chat, the newest first.
pub struct Changes {
    /// Those that were listed.
    pub listed: Vec<MessageRecord>,
    /// There are older ones.
    pub is_cut: bool,
}

/// A chat, as the Support User who is a member of it reaches it for one message.
#[derive(Clone, Copy)]
pub struct Graph<'a> {
    /// Clients and gate.
    pub app: &'a App,
    /// Who acts.
    pub account: &'a SupportAccountName,
    /// Where.
    pub chat: &'a ChatId,
    /// For which message.
    pub caller: &'a Caller,
}

impl<'a> Graph<'a> {
    /// Reads a message: JSON of a `chatMessage`.
    ///
    /// # Errors
    /// Those of the gate and of Graph.
    pub async fn read(self, message: &TeamsMessageId) -> Result<Vec<u8>, Failure> {
        let (correlation, chat) = self.names();
        let user = self.user();
        let request = user.message(correlation, chat, message.as_str());
        self.reading(Call::GraphRead(self.account), request).await
    }

    /// The kind of the chat.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn kind(self) -> Result<ChatKind, Failure> {
        let (correlation, chat) = self.names();
        let (user, call) = (self.user(), Call::GraphFrequentRead(self.account));
        let chat = self.reading(call, user.chat(correlation, chat)).await?;
        Ok(ChatKind::parse(&chat.chat_type))
    }

    /// Members of the chat; none where Graph does not show them (a group that another tenant hosts, Microsoft Learn, "List
    /// members of a chat").
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn members(self) -> Result<Vec<Member>, Failure> {
        let (correlation, chat) = self.names();
        let (user, call) = (self.user(), Call::GraphRead(self.account));
        match self.reading(call, user.members(correlation, chat)).await {
            Ok(records) => Ok(records
                .into_iter()
                .map(|record| Member {
                    user: record.user().and_then(|user| user.parse().ok()),
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
    pub async fn turn_to_post(self) -> Result<Turn<'a>, Failure> {
        let call = Call::GraphPost(self.account);
        self.app.gate.turn(call, self.caller).await
    }

    /// Posts HTML with the pictures that it shows.
    ///
    /// # Errors
    /// Those of Graph; `sent` tells whether the post may be in the chat all the same.
    pub async fn post(
        self,
        turn: Turn<'_>,
        html: &str,
        images: &[HostedImage],
    ) -> Result<TeamsMessageId, ServiceError> {
        let (correlation, chat) = self.names();
        let (user, limit) = (self.user(), self.app.settings.graph_post_timeout);
        let posted = turn
            .make(user.post(correlation, chat, html, images, limit))
            .await;
        if let Err(error) = &posted {
            self.tell_owner(error).await;
        }
        // Posted under an id that is none: it is in the chat, but only its listing can tell its id.
        posted?
            .parse()
            .map_err(|_| ServiceError::new(Service::Graph, ErrorKind::Malformed, Sent::Yes))
    }

    /// Marks the chat as read for the Support User, whose app otherwise counts what agents have answered long ago. It is worth one try.
    pub async fn mark_read(self) {
        let (app, account) = (self.app, self.account);
        let Some(user) = app.settings.support_account(account) else {
            return;
        };
        let (correlation, chat) = self.names();
        let (user, tenant) = (user.user.as_str(), app.settings.tenant.as_str());
        let graph = self.user();
        let request = graph.mark_read(correlation, chat, user, tenant);
        let mut caller = self.caller.clone();
        caller.deadline = caller.deadline.min(Instant::now() + MARKING);
        let call = Call::GraphFrequentRead(account);
        let marking = timeout(MARKING, app.gate.call(call, &caller, request));
        if let Err(failure) = marking.await.unwrap_or(Err(Failure::OutOfTime)) {
            let reason = failure.label();
            tracing::info!(event = "chat_not_marked_read", reason);
        }
    }

    /// Messages that were written or changed since then, among which a post of ours may be.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn find_post(self, since: OffsetDateTime) -> Result<Vec<Value>, Failure> {
        let (correlation, chat) = self.names();
        let user = self.user();
        let digest = self.chat.digest();
        let request = user.messages_since(correlation, chat, since);
        self.reading(Call::GraphMessages(&digest), request).await
    }

    /// The messages that were written or changed in a part of the time: `most` of them, and what comes with the last. What they say is
    /// there as far as it may be kept.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn changes(self, part: &Part, most: usize) -> Result<Changes, Failure> {
        let (correlation, chat) = self.names();
        let digest = self.chat.digest();
        let (mut listed, mut kept) = (Vec::new(), 0);
        let mut next = None;
        loop {
            let user = self.user();
            let request = user.changes(correlation, chat, part.after, part.until(), next);
            let page = self.reading(Call::GraphMessages(&digest), request).await?;
            for mut message in page.entries {
                kept += message.whole.as_ref().map_or(0, Vec::len);
                message.whole.take_if(|_| kept > MOST_KEPT);
                listed.push(message);
            }
            next = page.next;
            if next.is_none() || listed.len() >= most {
                let is_cut = next.is_some();
                return Ok(Changes { listed, is_cut });
            }
        }
    }

    /// Waits for the turn of opening a file: what Graph asked to wait for is not the file's fault. Hosted contents are
    /// throttled by chat as well.
    ///
    /// # Errors
    /// The turn would come too late.
    pub async fn turn_for_file(self, is_hosted: bool) -> Result<Turn<'a>, Failure> {
        let gate = &self.app.gate;
        if is_hosted {
            let chat = self.chat.digest();
            let call = Call::GraphHostedContent(&chat);
            drop(gate.turn(call, self.caller).await?);
        }
        let call = Call::GraphFrequentRead(self.account);
        gate.turn(call, self.caller).await
    }

    /// Opens a file at one of Graph's addresses, which for shared files redirects to the file's own host.
    ///
    /// # Errors
    /// See [`FetchError`]. A transient or `Unauthorized` error of Graph is about Graph or the account; any other, and all that
    /// comes after a redirect, is about this file.
    pub async fn file(
        self,
        turn: Turn<'_>,
        url: &Url,
        host_limit: Duration,
    ) -> Result<Download, FetchError> {
        let (correlation, _) = self.names();
        let user = self.user();
        let opening = user.download(&self.app.files, correlation, url, host_limit);
        turn.open(opening).await
    }

    fn user(self) -> UserGraph<'a> {
        self.app.graph.as_user(self.account.as_str())
    }

    /// What a call names: the message's journey and the chat.
    fn names(self) -> (&'a str, &'a str) {
        (self.caller.correlation.as_str(), self.chat.as_str())
    }

    async fn reading<T>(
        self,
        call: Call<'_>,
        request: impl Future<Output = Result<T, ServiceError>>,
    ) -> Result<T, Failure> {
        let read = self.app.gate.call(call, self.caller, request).await;
        if let Err(Failure::Service(error)) = &read {
            self.tell_owner(error).await;
        }
        read
    }

    /// Whose tenant a chat belongs to explains many a 403 ("chat resource type", `tenantId`: the tenant in which it was created).
    async fn tell_owner(self, error: &ServiceError) {
        let (app, digest) = (self.app, self.chat.digest());
        if error.kind != ErrorKind::Forbidden || app.owners_told.contains(&digest) {
            return;
        }
        app.owners_told.insert(digest.clone(), ());
        let (correlation, chat) = self.names();
        let (user, call) = (self.user(), Call::GraphFrequentRead(self.account));
        let found = app
            .gate
            .call(call, self.caller, user.chat(correlation, chat));
        let tenant = found.await.ok().and_then(|chat| chat.tenant_id);
        let tenant = tenant.map(|tenant| Digest::of("tenant", &tenant).to_string());
        tracing::warn!(
            event = "chat_forbidden",
            chat = digest.as_str(),
            tenant,
            "Graph refuses the Support User this chat; the tenant is the one that created it"
        );
    }
}
