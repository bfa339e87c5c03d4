//! The door of a bot: its connector, through the gate.

use std::time::Duration;

use bridge::bot::activity::Activity;
use bridge::bot::reference::ConversationReference;
use bridge::ids::{ChatId, Digest, TeamsMessageId};
use bridge::patience::Fault;
use bridge::state::customer::Member;
use bridge::teams::chat_kind::ChatKind;
use serde_json::Value;
use services::bot::Conversation;
use services::error::ServiceError;
use services::files::{Download, FetchError};
use url::Url;

use crate::app::App;
use crate::failure::{Failure, fault_of};
use crate::outside::{Call, Caller, Turn};

/// A conversation of the bot's, as it is reached for one message.
#[derive(Clone, Copy)]
pub struct Bot<'a> {
    /// Clients and gate.
    pub app: &'a App,
    /// The bot's client.
    pub client: &'a services::bot::Bot,
    /// The conversation's address.
    pub reference: &'a ConversationReference,
    /// The activity that is worked on, where it is about one.
    pub activity: Option<&'a Activity>,
    /// Where.
    pub chat: &'a ChatId,
    /// For which message.
    pub caller: &'a Caller,
}

impl<'a> Bot<'a> {
    /// The kind of the chat, as its activity tells it.
    pub fn kind(self) -> ChatKind {
        let told = self.activity.map(|activity| activity.kind);
        told.unwrap_or_else(|| ChatKind::guess(self.chat))
    }

    /// The sender of the activity as the connector knows it; nobody where it does not. All others are not asked for: a list has a
    /// limit of its own, and nobody else's address is needed.
    ///
    /// # Errors
    /// Those of the gate and of the connector.
    pub async fn members(self) -> Result<Vec<Member>, Failure> {
        let Some(activity) = self.activity else {
            return Ok(Vec::new());
        };
        let turn = self.turn_to_read().await?;
        let member = self
            .client
            .member(self.conversation(), &self.reference.user);
        match turn.make(member).await {
            Ok(record) => {
                let sender = activity.sender.clone();
                let known = record.aad_object_id.and_then(|user| user.parse().ok());
                let tenant = record.tenant_id.and_then(|tenant| tenant.parse().ok());
                // The tenant that hosts a group is not that of each member.
                let is_direct = activity.kind == ChatKind::OneOnOne;
                let hosts = || activity.tenant().cloned().filter(|_| is_direct);
                Ok(vec![Member {
                    user: sender.or(known),
                    tenant: tenant.or_else(hosts),
                    email: record.user_principal_name.or(record.email),
                    name: record.name,
                }])
            }
            Err(error) if fault_of(&error) == Fault::Refusal => {
                tracing::info!(event = "members_not_shown", status = error.status);
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sees that the connector answers for this conversation, by a question that changes nothing; a refusal is an answer.
    ///
    /// # Errors
    /// Those of the gate and of the connector.
    pub async fn is_reached(self) -> Result<(), Failure> {
        let turn = self.turn_to_read().await?;
        let asked = self
            .client
            .member(self.conversation(), &self.reference.user);
        match turn.make(asked).await {
            Err(error) if fault_of(&error) != Fault::Refusal => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Waits for the turn of a post.
    ///
    /// # Errors
    /// The turn would come too late.
    pub async fn turn_to_post(self) -> Result<Turn<'a>, Failure> {
        let (gate, caller) = (&self.app.gate, self.caller);
        drop(gate.turn(Call::BotTenant(&self.tenant()), caller).await?);
        drop(gate.turn(Call::BotHour(&caller.subject), caller).await?);
        gate.turn(Call::BotPost(&caller.subject), caller).await
    }

    /// Posts an activity. One that gets no id cannot be named later; it has an id of our own then.
    ///
    /// # Errors
    /// Those of the connector; `sent` tells whether the post may be there all the same.
    pub async fn post(
        self,
        turn: Turn<'_>,
        activity: &Value,
    ) -> Result<TeamsMessageId, ServiceError> {
        let limit = self.app.settings.graph_post_timeout;
        let posting = self.client.post(self.conversation(), activity, limit);
        let posted = turn.make(posting).await?;
        let unnamed = || TeamsMessageId::standing_for(&Digest::of("post", &activity.to_string()));
        Ok(match posted {
            Some(id) => id.parse().unwrap_or_else(|_| unnamed()),
            None => unnamed(),
        })
    }

    /// Puts another activity in the place of one that was posted.
    ///
    /// # Errors
    /// Those of the gate and of the connector.
    pub async fn update(self, message: &TeamsMessageId, activity: &Value) -> Result<(), Failure> {
        let turn = self.turn_to_post().await?;
        let update = self
            .client
            .update(self.conversation(), message.as_str(), activity);
        Ok(turn.make(update).await?)
    }

    /// Waits for the turn of a look-up.
    ///
    /// # Errors
    /// The turn would come too late.
    pub async fn turn_to_read(self) -> Result<Turn<'a>, Failure> {
        let (gate, caller) = (&self.app.gate, self.caller);
        drop(gate.turn(Call::BotTenant(&self.tenant()), caller).await?);
        gate.turn(Call::BotRead(&caller.subject), caller).await
    }

    /// Opens a file: a picture at the connector, or somebody's file at an address that is signed.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn file(
        self,
        turn: Turn<'_>,
        url: &Url,
        host_limit: Duration,
    ) -> Result<Download, FetchError> {
        let opening = self.client.download(&self.app.files, url, host_limit);
        turn.open(opening).await
    }

    /// What the connector is told of it.
    pub fn conversation(self) -> Conversation<'a> {
        Conversation {
            service_url: &self.reference.service_url,
            id: self.chat.as_str(),
            correlation: self.caller.correlation.as_str(),
        }
    }

    /// Whose limit it counts in.
    fn tenant(self) -> Digest {
        let tenant = self.reference.tenant.as_ref();
        tenant.map_or_else(|| self.chat.digest(), |tenant| tenant.digest())
    }
}
