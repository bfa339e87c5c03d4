//! Who takes part in a conversation, and how one of them leaves it (Platform API, `GET /api/v2/conversations/messages/{conversationId}`
//! and `PATCH …/participants/{participantId}`, models `MessageConversation`, `MessageMediaParticipant` and `MediaParticipantRequest`).
//! What nobody has tried is stricter here: only `disconnected` is taken, and only for who is still there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::access::Caller;
use super::answers::Refusal;
use super::state::Genesys;

const CUSTOMER: &str = "customer";
const AGENT: &str = "agent";

/// Somebody who takes or took part.
#[derive(Serialize)]
struct Participant {
    id: String,
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    state: &'static str,
}

/// All who take or took part in a conversation, by the time at which they came.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub struct Participants(Vec<Participant>);

/// What became of somebody who was to leave.
pub enum Left {
    /// The conversation goes on without.
    Somebody,
    /// With its customer the conversation ends for all.
    Customer,
    /// Has left before.
    Before,
}

impl Participants {
    /// The customer is there: from before, or again, as somebody new.
    pub fn customer(&mut self) {
        let is_there = |it: &Participant| it.purpose == CUSTOMER && it.is_connected();
        if !self.0.iter().any(is_there) {
            self.join(CUSTOMER, None);
        }
    }

    /// An agent of this name writes, who is there already or takes the conversation over.
    pub fn agent(&mut self, name: &str) {
        let mut is_there = false;
        let agents = self.0.iter_mut().filter(|it| it.purpose == AGENT);
        for agent in agents.filter(|it| it.is_connected()) {
            match agent.name.as_deref() == Some(name) {
                true => is_there = true,
                false => agent.leave(),
            }
        }
        if !is_there {
            self.join(AGENT, Some(name.to_owned()));
        }
    }

    fn join(&mut self, purpose: &'static str, name: Option<String>) {
        let id = Uuid::new_v4().to_string();
        self.0.push(Participant {
            id,
            purpose,
            name,
            state: "connected",
        });
    }

    /// Whether the conversation is over: its customer has left.
    pub fn is_over(&self) -> bool {
        let mut customers = self.0.iter().filter(|it| it.purpose == CUSTOMER);
        customers.next_back().is_some_and(|it| !it.is_connected())
    }

    /// Takes somebody out; nothing where there is no such participant.
    pub fn disconnect(&mut self, id: &str) -> Option<Left> {
        let one = self.0.iter_mut().find(|it| it.id == id)?;
        if !one.is_connected() {
            return Some(Left::Before);
        }
        if one.purpose != CUSTOMER {
            one.leave();
            return Some(Left::Somebody);
        }
        self.0.iter_mut().for_each(Participant::leave);
        Some(Left::Customer)
    }
}

impl Participant {
    fn is_connected(&self) -> bool {
        self.state == "connected"
    }

    const fn leave(&mut self) {
        self.state = "disconnected";
    }
}

/// `GET /api/v2/conversations/messages/{conversation}`
pub async fn show(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path(conversation): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.needs(&genesys, "conversation:message:view")?;
    let conversations = genesys.conversations.lock();
    let participants = conversations.participants(&conversation);
    let participants = participants.ok_or_else(no_conversation)?;
    let answer = json!({ "id": conversation, "participants": participants,
        "selfUri": format!("/api/v2/conversations/messages/{conversation}") });
    Ok(Json(answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    state: String,
}

/// `PATCH /api/v2/conversations/messages/{conversation}/participants/{participant}`
pub async fn update(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path((conversation, participant)): Path<(String, String)>,
    body: Option<Json<Wanted>>,
) -> Result<StatusCode, Refusal> {
    caller.needs(&genesys, "conversation:communication:disconnect")?;
    if body.is_none_or(|Json(wanted)| wanted.state != "disconnected") {
        return Err(Refusal::bad_request("state can only become disconnected"));
    }
    let now = OffsetDateTime::now_utc();
    let done = {
        let mut conversations = genesys.conversations.lock();
        conversations.disconnect(&conversation, &participant, now)
    };
    let (thread, left) = done.ok_or_else(no_conversation)?;
    match left {
        None => Err(Refusal::not_found("There is no such participant.")),
        Some(Left::Before) => Err(Refusal::bad_request("The participant is not connected.")),
        Some(Left::Somebody | Left::Customer) => {
            genesys.tell(&conversation, &thread);
            Ok(StatusCode::NO_CONTENT)
        }
    }
}

fn no_conversation() -> Refusal {
    Refusal::not_found("There is no such conversation.")
}
