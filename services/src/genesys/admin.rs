//! Genesys Cloud as an administrator sees it: what the operator's commands read and change once (Genesys Cloud Platform API,
//! "Conversations" and "Routing").

mod secrets;

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::ANSWER_LIMIT;
use super::login;
use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;
use crate::http::CALL_TIMEOUT;

/// The messenger type of open messaging.
const OPEN: &str = "open";

/// Code of an error: Genesys could not make the integration.
pub const CREATE_FAILED: &str = "create_failed";

/// Code of an error: Genesys is still making the integration.
pub const STILL_CREATING: &str = "still_creating";

/// What the administrator's OAuth client must be allowed to do (command line of the Platform API, by call).
pub mod permissions {
    /// For [`super::GenesysAdmin::completed_integration`].
    pub const VIEW_INTEGRATION: &str = "messaging:integration:view";
    /// For [`super::GenesysAdmin::recipient`] and [`super::GenesysAdmin::bind_flow`].
    pub const MANAGE_MESSAGE_ROUTING: &str = "routing:message:manage";
    /// For [`super::GenesysAdmin::threading_timeline`].
    pub const VIEW_THREADING_TIMELINE: &str = "conversation:threadingTimeline:view";
    /// For [`super::GenesysAdmin::set_threading_timeline`].
    pub const EDIT_THREADING_TIMELINE: &str = "conversation:threadingTimeline:edit";
    /// For [`super::GenesysAdmin::members`].
    pub const VIEW_QUEUE: &str = "routing:queue:view";
    /// For [`super::GenesysAdmin::renew_client_secret`].
    pub const EDIT_CLIENT: &str = "oauth:client:edit";
    /// For [`super::GenesysAdmin::set_webhook_secret`].
    pub const EDIT_INTEGRATION: &str = "messaging:integration:edit";
}

/// Id and secret of an administrator's OAuth client. `Debug` shows neither.
#[derive(Debug, Clone)]
pub struct AdminCredentials {
    client_id: SecretString,
    client_secret: SecretString,
}

impl AdminCredentials {
    /// The credentials of a client-credentials client.
    pub fn new(client_id: String, client_secret: String) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
        }
    }
}

/// An open messaging integration (`OpenIntegration`), which Genesys makes in its own time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OpenIntegration {
    /// How far its making is; absent where Genesys does not tell.
    create_status: Option<String>,
    /// What its messages are routed by; absent while it is being made.
    recipient: Option<Reference>,
}

/// Something at Genesys by its id (`DomainEntityRef`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Reference {
    /// The id.
    pub id: String,
}

/// What an integration's messages are routed by (`Recipient`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Recipient {
    /// The inbound message flow that gets them; without one nothing is routed.
    pub flow: Option<Reference>,
}

/// A member of a queue (`QueueMember`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// Whether it takes conversations of this queue; a member can leave one for a while.
    #[serde(default)]
    pub joined: bool,
}

/// A page of them (`QueueMemberEntityListing`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    #[serde(default)]
    entities: Vec<Member>,
    page_count: Option<usize>,
}

/// Members of a page, the most that Genesys gives at a time.
const PAGE: usize = 100;

/// Pages that are read of a queue: enough to tell whether anybody takes its conversations.
const PAGES: usize = 50;

/// How long after its end a conversation goes on with the customer's next message, by channel, for the whole organisation
/// (`ConversationThreadingWindow`). What it holds besides is kept as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThreadingTimeline {
    #[serde(default)]
    settings: Vec<ChannelTimeline>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChannelTimeline {
    messenger_type: String,
    timeout_in_minutes: Option<u32>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl ThreadingTimeline {
    /// Minutes of open messaging, where they are set.
    pub fn open_minutes(&self) -> Option<u32> {
        let open = self.settings.iter().find(|setting| setting.is_open())?;
        open.timeout_in_minutes
    }

    /// The same timeline with this many minutes for open messaging; every other channel keeps its own.
    #[must_use]
    pub fn with_open_minutes(mut self, minutes: u32) -> Self {
        match self.settings.iter_mut().find(|setting| setting.is_open()) {
            Some(setting) => setting.timeout_in_minutes = Some(minutes),
            None => self.settings.push(ChannelTimeline {
                messenger_type: OPEN.to_owned(),
                timeout_in_minutes: Some(minutes),
                others: Map::new(),
            }),
        }
        self
    }
}

impl ChannelTimeline {
    fn is_open(&self) -> bool {
        self.messenger_type.eq_ignore_ascii_case(OPEN)
    }
}

/// A signed-in administrator. It lives for one command, so its token is never renewed.
#[derive(Debug, Clone)]
pub struct GenesysAdmin {
    client: reqwest::Client,
    api: String,
    token: SecretString,
}

impl GenesysAdmin {
    /// Signs in by the client credentials grant. `api` and `login` are endpoints, for example `https://api.mypurecloud.de` and
    /// `https://login.mypurecloud.de`.
    ///
    /// # Errors
    /// `Configuration` when Genesys does not know the client or its secret; otherwise it refused or could not be reached.
    pub async fn sign_in(
        client: reqwest::Client,
        api: &str,
        login: &str,
        credentials: &AdminCredentials,
    ) -> Result<Self> {
        let AdminCredentials {
            client_id,
            client_secret,
        } = credentials;
        let client_id = client_id.expose_secret();
        let granted = login::grant(&client, login, client_id, client_secret).await?;
        Ok(Self::with_token(client, api, granted.value))
    }

    /// Whoever this token was given to: a client, or a person who has signed in elsewhere.
    #[must_use]
    pub fn with_token(client: reqwest::Client, api: &str, token: SecretString) -> Self {
        Self {
            client,
            api: format!("{}/api/v2", address::base(api)),
            token,
        }
    }

    /// What an open messaging integration's messages are routed by, once its making is completed: looked at each `interval`, for
    /// as long as `patience`. Where Genesys tells no status, a recipient means that it is.
    ///
    /// # Errors
    /// `NotFound` when there is none of this id, `Forbidden` without [`permissions::VIEW_INTEGRATION`], `Conflict` with code
    /// [`CREATE_FAILED`] when the making failed, `TimedOut` with code [`STILL_CREATING`] when it took longer;
    /// otherwise Genesys refused or could not be reached.
    pub async fn completed_integration(
        &self,
        id: &str,
        interval: Duration,
        patience: Duration,
    ) -> Result<Option<Reference>> {
        let id = address::segment(Service::Genesys, id)?;
        let path = format!("conversations/messaging/integrations/open/{id}");
        let give_up = Instant::now() + patience;
        loop {
            let OpenIntegration {
                create_status,
                recipient,
            } = self.read(&path).await?;
            match create_status.as_deref() {
                Some("Completed") => return Ok(recipient),
                None if recipient.is_some() => return Ok(recipient),
                Some("Error") => return Err(local(ErrorKind::Conflict, CREATE_FAILED)),
                _ => {}
            }
            if Instant::now() + interval > give_up {
                return Err(local(ErrorKind::TimedOut, STILL_CREATING));
            }
            tokio::time::sleep(interval).await;
        }
    }

    /// What an integration's messages are routed by.
    ///
    /// # Errors
    /// `NotFound` when there is none of this id, `Forbidden` without [`permissions::MANAGE_MESSAGE_ROUTING`]; otherwise Genesys
    /// refused or could not be reached.
    pub async fn recipient(&self, id: &str) -> Result<Recipient> {
        let id = address::segment(Service::Genesys, id)?;
        self.read(&format!("routing/message/recipients/{id}")).await
    }

    /// Makes a flow the one that gets a recipient's messages, in the place of any other.
    ///
    /// # Errors
    /// `Rejected` or `NotFound` when there is no such flow or it takes no messages; otherwise as [`Self::recipient`].
    pub async fn bind_flow(&self, recipient: &str, flow: &str) -> Result<()> {
        let id = address::segment(Service::Genesys, recipient)?;
        let path = format!("routing/message/recipients/{id}");
        self.write(&path, &json!({ "flow": { "id": flow } })).await
    }

    /// The members of a queue, five thousand at the most.
    ///
    /// # Errors
    /// `NotFound` when there is none of this id, `Forbidden` without [`permissions::VIEW_QUEUE`]; otherwise Genesys refused or could
    /// not be reached.
    pub async fn members(&self, queue: &str) -> Result<Vec<Member>> {
        let id = address::segment(Service::Genesys, queue)?;
        let mut members = Vec::new();
        for number in 1..=PAGES {
            let path = format!("routing/queues/{id}/members?pageSize={PAGE}&pageNumber={number}");
            let page: Members = self.read(&path).await?;
            let is_full = page.entities.len() >= PAGE;
            members.extend(page.entities);
            if !page.page_count.map_or(is_full, |count| number < count) {
                break;
            }
        }
        Ok(members)
    }

    /// The organisation's threading timeline.
    ///
    /// # Errors
    /// `Forbidden` without [`permissions::VIEW_THREADING_TIMELINE`]; otherwise Genesys refused or could not be reached.
    pub async fn threading_timeline(&self) -> Result<ThreadingTimeline> {
        self.read(TIMELINE).await
    }

    /// Replaces the organisation's threading timeline.
    ///
    /// # Errors
    /// `Forbidden` without [`permissions::EDIT_THREADING_TIMELINE`]; otherwise Genesys refused or could not be reached.
    pub async fn set_threading_timeline(&self, timeline: &ThreadingTimeline) -> Result<()> {
        self.write(TIMELINE, &json!(timeline)).await
    }

    async fn read<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T> {
        let request = self.client.get(format!("{}/{path}", self.api));
        exchange::send_for_json(Service::Genesys, self.sign(request), ANSWER_LIMIT).await
    }

    async fn write(&self, path: &str, body: &Value) -> Result<()> {
        self.change(Method::PUT, path, body).await
    }

    async fn change(&self, method: Method, path: &str, body: &Value) -> Result<()> {
        let request = self
            .client
            .request(method, format!("{}/{path}", self.api))
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        // It is done when Genesys says yes, whatever else the answer holds.
        let answer = exchange::send(Service::Genesys, self.sign(request), ANSWER_LIMIT).await;
        answer.map(drop)
    }

    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .bearer_auth(self.token.expose_secret())
            .timeout(CALL_TIMEOUT)
    }
}

const TIMELINE: &str = "conversations/messaging/threadingtimeline";

/// Something that Genesys did not refuse, but that is not as it has to be.
fn local(kind: ErrorKind, code: &str) -> ServiceError {
    ServiceError::new(Service::Genesys, kind, Sent::No).with_code(code)
}

#[cfg(test)]
mod tests;
