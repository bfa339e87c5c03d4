//! What this function remembers of a chat, and what it finds out once: kind of chat, customer, thread.

use bridge::ids::{ChatId, SupportAccountName, TeamsMessageId, ThreadId};
use bridge::queue::envelope::NotificationEnvelope;
use bridge::state::blobs;
use bridge::state::customer::{self, Customer, Member};
use bridge::state::inbound::InboundState;
use bridge::state::outbound::OutboundState;
use bridge::teams::chat_kind::ChatType;
use bridge::teams::message::{ChatMessage, Sender};
use bytes::Bytes;
use services::blob::ETag;
use services::error::ErrorKind;
use time::OffsetDateTime;

use crate::app::App;
use crate::enqueue::STATE;
use crate::failure::{Failure, unreadable_state};
use crate::graph_calls::read_as_support_user;
use crate::invocation::Delivery;

/// A chat's state: ours to write, and the other side's to read.
pub struct ChatMemory {
    /// Written by this function only.
    pub inbound: InboundState,
    /// Written by deliver-to-teams only.
    pub outbound: Option<OutboundState>,
    version: Option<ETag>,
}

impl ChatMemory {
    /// Reads both blobs.
    ///
    /// # Errors
    /// Blob could not be read, or a state is not readable.
    pub async fn load(app: &App, notification: &NotificationEnvelope) -> Result<Self, Failure> {
        let chat = &notification.chat;
        let (inbound_blob, outbound_blob) =
            (blobs::inbound_state(chat), blobs::outbound_state(chat));
        let (inbound, outbound) = futures::try_join!(
            app.blobs.get(STATE, &inbound_blob),
            app.blobs.get(STATE, &outbound_blob),
        )?;
        let outbound = outbound
            .map(|(body, _)| serde_json::from_slice(&body))
            .transpose()
            .map_err(|error| unreadable_state("outbound", &error))?;
        let (inbound, version) = match inbound {
            Some((body, version)) => {
                let state = serde_json::from_slice(&body)
                    .map_err(|error| unreadable_state("inbound", &error))?;
                (state, Some(version))
            }
            None => (
                InboundState::new(chat.clone(), notification.account.clone()),
                None,
            ),
        };
        Ok(Self {
            inbound,
            outbound,
            version,
        })
    }

    /// Whether a message is one of our posts.
    pub fn is_ours(&self, message: &TeamsMessageId) -> bool {
        self.outbound
            .as_ref()
            .is_some_and(|outbound| outbound.is_ours(message))
    }

    /// Writes our side; fails when another instance wrote in between.
    ///
    /// # Errors
    /// Blob refused, could not be reached, or holds a newer state.
    pub async fn save(&mut self, app: &App) -> Result<(), Failure> {
        self.inbound.forget_before(OffsetDateTime::now_utc());
        let blob = blobs::inbound_state(&self.inbound.chat);
        let body = Bytes::from(serde_json::to_vec(&self.inbound).unwrap_or_default());
        let version = crate::state_blobs::write(app, &blob, body, self.version.as_ref()).await?;
        self.version = Some(version);
        Ok(())
    }
}

/// Kind of the chat, asked from Graph the first time.
pub async fn chat_type(
    app: &App,
    delivery: &Delivery,
    account: &SupportAccountName,
    state: &mut InboundState,
) -> Result<ChatType, Failure> {
    if let Some(known) = state.chat_type {
        return Ok(known);
    }
    let chat = &state.chat;
    let found = read_as_support_user(app, delivery, account, |token| {
        Box::pin(async move {
            app.graph
                .get_chat(&token, delivery.correlation.as_str(), chat.as_str())
                .await
        })
    })
    .await??;
    let kind = ChatType::parse(&found.chat_type);
    state.chat_type = Some(kind);
    Ok(kind)
}

/// The customer whom the conversation's attributes describe: resolved once per window, from the message and, where Graph
/// shows them, the chat's members. In a group it stays the first person from outside who wrote.
pub async fn customer(
    app: &App,
    delivery: &Delivery,
    account: &SupportAccountName,
    kind: ChatType,
    sender: &Sender,
    message: &ChatMessage,
    state: &mut InboundState,
) -> Result<Option<Customer>, Failure> {
    let same_person = |customer: &Customer| sender.user.as_ref() == Some(&customer.user);
    let fresh = state
        .customer_resolved_at
        .is_some_and(|at| message.created - at < app.settings.thread_window);
    if let Some(known) = &state.customer {
        let keep = match kind {
            ChatType::OneOnOne => fresh && same_person(known),
            _ => fresh || !same_person(known),
        };
        if keep {
            return Ok(state.customer.clone());
        }
    }
    let members = members(app, delivery, account, &state.chat).await?;
    let Some(customer) = customer::resolve(sender, &members, &app.settings.tenant) else {
        return Ok(None);
    };
    let from_outside = customer
        .tenant
        .as_ref()
        .is_none_or(|tenant| *tenant != app.settings.tenant);
    if kind == ChatType::OneOnOne || from_outside {
        state.customer = Some(customer.clone());
        state.customer_resolved_at = Some(message.created);
    }
    Ok(Some(customer))
}

/// Members of the chat; none where Graph does not show them (a group that another tenant hosts, Microsoft Learn, "List
/// members of a chat").
async fn members(
    app: &App,
    delivery: &Delivery,
    account: &SupportAccountName,
    chat: &ChatId,
) -> Result<Vec<Member>, Failure> {
    let listed = read_as_support_user(app, delivery, account, |token| {
        Box::pin(async move {
            app.graph
                .members(&token, delivery.correlation.as_str(), chat.as_str())
                .await
        })
    })
    .await?;
    match listed {
        Ok(records) => Ok(records
            .into_iter()
            .map(|record| Member {
                user: record.user_id.and_then(|user| user.parse().ok()),
                tenant: record.tenant_id.and_then(|tenant| tenant.parse().ok()),
                email: record.email,
                name: record.display_name,
            })
            .collect()),
        Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::NotFound) => {
            tracing::info!(event = "members_not_shown", status = error.status);
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

/// Id of the thread as Genesys sees it.
pub fn thread_id(
    kind: ChatType,
    account: &SupportAccountName,
    chat: &ChatId,
    customer: &Customer,
    counter: u32,
) -> ThreadId {
    match kind {
        ChatType::OneOnOne => ThreadId::Direct {
            account: account.clone(),
            user: customer.user.clone(),
            counter,
        },
        _ => ThreadId::Group {
            account: account.clone(),
            chat: chat.digest(),
            counter,
        },
    }
}
