//! Typing, both ways (Genesys Cloud Resource Center, "Platform configuration profiles overview"; Platform API, models
//! `OpenInboundNormalizedEvent` and `ConversationEventTyping`). What nobody has tried is stricter here: a field that no model names,
//! and typing that is switched off, are refused, and an event without a conversation opens one.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::agent::new_id;
use super::answers::Refusal;
use super::checks::{self, Checked, Sender};
use super::control::Created;
use super::conversations::{Outgoing, Placed};
use super::state::Genesys;
use super::webhook;
use crate::shared::refused::Refused;

/// Milliseconds for which the agent's typing is shown, as Genesys sends them.
const DURATION: u32 = 5_000;

/// The messaging setting of the integration, as far as it is about typing.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typing {
    /// From the customer to the agent.
    inbound: bool,
    /// From the agent to the customer.
    outbound: bool,
}

/// The setting that `infra/genesys` deploys. Genesys' own lets no typing pass.
impl Default for Typing {
    fn default() -> Self {
        Self {
            inbound: true,
            outbound: true,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InboundEvent {
    channel: Channel,
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Channel {
    from: Sender,
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Event {
    event_type: String,
}

/// Who types, and since when.
fn read(body: &Value) -> Checked<(String, OffsetDateTime)> {
    let InboundEvent { channel, events } = checks::read(body)?;
    if events.is_empty() {
        return Err(Refusal::bad_request("events is empty"));
    }
    for event in &events {
        checks::one_of(&event.event_type, "Typing")?;
    }
    Ok((channel.from.id.0, channel.time))
}

impl Genesys {
    /// A customer types.
    pub(super) fn customer_types(
        &self,
        body: &Value,
    ) -> Result<(StatusCode, Json<Value>), Refusal> {
        let (thread, time) = read(body)?;
        if !self.typing.lock().inbound {
            let why = "typing events are switched off in the messaging setting";
            return Err(Refusal::bad_request(why));
        }
        let now = OffsetDateTime::now_utc();
        let conversation = self.conversations.lock().typed(&thread, time, now);
        self.tell(&conversation, &thread);
        let mut answer = self.answer_about(body);
        answer["type"] = json!("Event");
        answer["events"] = body["events"].clone();
        answer["conversationId"] = json!(conversation);
        Ok((StatusCode::ACCEPTED, Json(answer)))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentTypes {
    duration: Option<u32>,
}

/// `POST /local/genesys/threads/{thread}/typing`: the agent types in the thread's conversation.
pub async fn agent_types(
    State(genesys): State<Arc<Genesys>>,
    Path(thread): Path<String>,
    Json(AgentTypes { duration }): Json<AgentTypes>,
) -> Created {
    if !genesys.typing.lock().outbound {
        let why = "typing is switched off in the messaging setting".to_owned();
        return Err(Refused(StatusCode::CONFLICT, why));
    }
    let now = OffsetDateTime::now_utc();
    let conversation = genesys.conversations.lock().open(&thread, now);
    let conversation = conversation.ok_or_else(|| Refused::not_found("open conversation"))?;
    let placed = Placed {
        message: new_id(),
        conversation,
        first_inbound: false,
    };
    let event = Outgoing {
        kind: Some("Event".to_owned()),
        ..Outgoing::default()
    };
    let integration = &genesys.world.config.genesys_integration_id;
    let mut body = webhook::body(integration, &thread, &placed, &event, now, "Human");
    let typing = json!({ "type": "On", "duration": duration.unwrap_or(DURATION) });
    body["events"] = json!([{ "eventType": "Typing", "typing": typing }]);
    genesys.webhooks.send(&thread, None, &body);
    Ok((StatusCode::CREATED, Json(json!({ "id": placed.message }))))
}

/// `PUT /local/genesys/typing`: what an administrator does with the messaging setting.
pub async fn set(State(genesys): State<Arc<Genesys>>, Json(typing): Json<Typing>) -> StatusCode {
    *genesys.typing.lock() = typing;
    StatusCode::NO_CONTENT
}
