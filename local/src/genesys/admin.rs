//! What an administrator does through the API: which flow gets an integration's messages, and the threading timeline
//! (Platform API, models `OpenIntegration`, `Recipient`, `RecipientRequest` and `ConversationThreadingWindow`).
//!
//! The administrator is an OAuth client of its own, with exactly the permissions of these calls. The flows exist by their ids
//! only, and messages reach the agent whichever is bound; nor does the timeline change how long a conversation goes on here.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Extension, Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Genesys;
use super::answers::Refusal;
use super::checks::{object, one_of, required_object, required_text};
use super::login::Caller;

/// Permissions of the calls here (command line of the Platform API, by call).
const VIEW_INTEGRATION: &str = "messaging:integration:view";
const MANAGE_MESSAGE_ROUTING: &str = "routing:message:manage";
const VIEW_TIMELINE: &str = "conversation:threadingTimeline:view";
const EDIT_TIMELINE: &str = "conversation:threadingTimeline:edit";

/// All that the administrator may do.
pub const PERMISSIONS: [&str; 4] = [
    VIEW_INTEGRATION,
    MANAGE_MESSAGE_ROUTING,
    VIEW_TIMELINE,
    EDIT_TIMELINE,
];

/// Channels that have a timeline.
const MESSENGERS: [&str; 6] = [
    "facebook",
    "instagram",
    "open",
    "sms",
    "twitter",
    "whatsapp",
];

/// Longest timeline in minutes: 72 hours, which is also the default (Genesys Cloud Resource Center, "Messaging threading
/// timeline").
const LONGEST_TIMELINE: u64 = 4320;

/// The administrator's client and what it administrates.
pub struct Administration {
    client_id: String,
    client_secret: String,
    recipient: String,
    /// Inbound message flows that exist; the first is bound at the start.
    flows: [String; 2],
    state: Mutex<Changeable>,
}

struct Changeable {
    flow: String,
    timeline: Value,
}

impl Administration {
    /// An organisation as a deployment leaves it but for the timeline, which is Genesys' own.
    pub fn new() -> Self {
        let id = || Uuid::new_v4().to_string();
        let flows = [id(), id()];
        let settings = MESSENGERS
            .map(|kind| json!({ "messengerType": kind, "timeoutInMinutes": LONGEST_TIMELINE }));
        Self {
            client_id: id(),
            client_secret: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
            recipient: id(),
            state: Mutex::new(Changeable {
                flow: flows[0].clone(),
                timeline: json!({
                    "settings": settings,
                    "defaultTimeoutMinutes": LONGEST_TIMELINE,
                }),
            }),
            flows,
        }
    }

    /// Id of the administrator's client.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether this is its secret.
    pub fn is_secret(&self, secret: &str) -> bool {
        secret == self.client_secret
    }

    fn state(&self) -> MutexGuard<'_, Changeable> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The calls, below `/api/v2`.
pub fn router() -> Router<Arc<Genesys>> {
    Router::new()
        .route(
            "/conversations/messaging/integrations/open/{integration}",
            get(integration),
        )
        .route(
            "/routing/message/recipients/{recipient}",
            get(recipient).put(set_recipient),
        )
        .route(
            "/conversations/messaging/threadingtimeline",
            get(timeline).put(set_timeline),
        )
}

/// `GET /local/genesys/admin-client`: what an operator would have from the administration of Genesys.
pub async fn client(State(genesys): State<Arc<Genesys>>) -> Json<Value> {
    let admin = &genesys.admin;
    Json(json!({
        "clientId": admin.client_id,
        "clientSecret": admin.client_secret,
        "permissions": PERMISSIONS,
        "endpoint": genesys.world.endpoints.genesys,
        "integrationId": genesys.world.config.genesys_integration_id,
        "flows": admin.flows,
    }))
}

async fn integration(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.must_have(VIEW_INTEGRATION)?;
    if id != genesys.world.config.genesys_integration_id {
        return Err(Refusal::not_found("There is no such integration."));
    }
    Ok(Json(json!({
        "id": id,
        "name": "Bridge",
        "status": "Active",
        "createStatus": "Completed",
        "recipient": { "id": genesys.admin.recipient },
    })))
}

async fn recipient(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    caller.must_have(MANAGE_MESSAGE_ROUTING)?;
    genesys.admin.check_recipient(&id)?;
    Ok(genesys.admin.shown())
}

async fn set_recipient(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    caller.must_have(MANAGE_MESSAGE_ROUTING)?;
    let admin = &genesys.admin;
    admin.check_recipient(&id)?;
    let body = json_body(&headers, &body)?;
    let flow = required_object(object(&body, "the body")?, "flow", "flow")?;
    let flow = required_text(flow, "id", "flow.id")?;
    if !admin.flows.contains(&flow) {
        return Err(Refusal::bad_request("flow.id is no inbound message flow"));
    }
    admin.state().flow = flow;
    Ok(admin.shown())
}

async fn timeline(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, Refusal> {
    caller.must_have(VIEW_TIMELINE)?;
    Ok(Json(genesys.admin.state().timeline.clone()))
}

async fn set_timeline(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    caller.must_have(EDIT_TIMELINE)?;
    let body = json_body(&headers, &body)?;
    check_timeline(&body)?;
    // A PUT replaces: a channel that it leaves out has no setting of its own any more.
    genesys.admin.state().timeline = body.clone();
    Ok(Json(body))
}

impl Administration {
    fn check_recipient(&self, id: &str) -> Result<(), Refusal> {
        if id == self.recipient {
            Ok(())
        } else {
            Err(Refusal::not_found("There is no such recipient."))
        }
    }

    fn shown(&self) -> Json<Value> {
        Json(json!({
            "id": self.recipient,
            "name": "Bridge",
            "messengerType": "open",
            "flow": { "id": self.state().flow, "name": "Inbound" },
        }))
    }
}

fn check_timeline(body: &Value) -> Result<(), Refusal> {
    let body = object(body, "the body")?;
    minutes(body.get("defaultTimeoutMinutes"), "defaultTimeoutMinutes")?;
    let Some(settings) = body.get("settings").and_then(Value::as_array) else {
        return Err(Refusal::bad_request("settings is required"));
    };
    let mut seen = HashSet::new();
    for setting in settings {
        let setting = object(setting, "settings")?;
        let kind = one_of(setting, "messengerType", "messengerType", &MESSENGERS)?;
        minutes(setting.get("timeoutInMinutes"), "timeoutInMinutes")?;
        if !seen.insert(kind) {
            return Err(Refusal::bad_request("a messengerType is there twice"));
        }
    }
    Ok(())
}

fn minutes(value: Option<&Value>, name: &str) -> Result<(), Refusal> {
    match value.and_then(Value::as_u64) {
        Some(minutes) if minutes <= LONGEST_TIMELINE => Ok(()),
        _ => Err(Refusal::bad_request(format!(
            "{name} must be a number of minutes up to {LONGEST_TIMELINE}"
        ))),
    }
}

fn json_body(headers: &HeaderMap, body: &Bytes) -> Result<Value, Refusal> {
    let json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !json {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported.media.type",
            "The body must be application/json.",
        ));
    }
    serde_json::from_slice(body).map_err(|_| Refusal::bad_request("The body is no JSON."))
}
