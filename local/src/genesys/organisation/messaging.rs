//! Open messaging: integrations, which are made in their own time, what routes their messages, and the threading timeline.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::resources::named;
use super::store::Kind;
use super::{Api, listing};
use crate::genesys::access::Caller;
use crate::genesys::administration;
use crate::genesys::answers::Refusal;
use crate::genesys::control::SHORT_SECRET;
use crate::genesys::state::Genesys;

type Shared = State<Arc<Genesys>>;
type Answer = Result<Json<Value>, Refusal>;

/// How long an integration is being made.
const MAKING: Duration = Duration::from_secs(1);

const SECRET: &str = "outboundNotificationWebhookSignatureSecretToken";

pub fn router() -> Api {
    Router::new()
        .route(
            "/conversations/messaging/integrations/open",
            post(add).get(list),
        )
        .route(
            "/conversations/messaging/integrations/open/{id}",
            get(show).patch(change).delete(remove),
        )
        .route("/routing/message/recipients/{id}", get(recipient).put(bind))
        .route(
            "/conversations/messaging/threadingtimeline",
            get(timeline).put(set_timeline),
        )
}

/// What is shown of an integration: never its secret, and no recipient before it is made.
fn view(genesys: &Genesys, mut integration: Value) -> Value {
    let id = integration["id"].as_str().unwrap_or_default().to_owned();
    let is_made = genesys.things.is_older(Kind::OpenIntegration, &id, MAKING);
    let Some(all) = integration.as_object_mut() else {
        return integration;
    };
    all.remove(SECRET);
    all.insert("status".to_owned(), json!("Active"));
    let status = if is_made { "Completed" } else { "Initiated" };
    all.insert("createStatus".to_owned(), json!(status));
    if is_made {
        all.insert("recipient".to_owned(), json!({ "id": id }));
    }
    integration
}

fn checked(genesys: &Genesys, body: &Value, is_new: bool) -> Result<(), Refusal> {
    named(body)?;
    for (name, kind) in [
        ("supportedContent", Kind::SupportedContent),
        ("messagingSetting", Kind::Setting),
    ] {
        if let Some(id) = body[name]["id"].as_str() {
            genesys.things.get(kind, id)?;
        }
    }
    let url = body["outboundNotificationWebhookUrl"].as_str();
    let url = url.and_then(|it| url::Url::parse(it).ok());
    if !url.is_some_and(|it| it.scheme() == "https" && it.port().is_none()) {
        return Err(Refusal::bad_request(
            "The webhook is called by https on port 443.",
        ));
    }
    match body[SECRET].as_str() {
        None if !is_new => Ok(()),
        Some(secret) if secret.chars().count() > SHORT_SECRET => Ok(()),
        _ => Err(Refusal::bad_request("The secret is too short.")),
    }
}

async fn add(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "messaging:integration:add")?;
    checked(&genesys, &body, true)?;
    let added = genesys.things.add(Kind::OpenIntegration, None, &body)?;
    let id = added["id"].as_str().map(str::to_owned);
    genesys
        .things
        .add(Kind::Recipient, id, &json!({ "messengerType": "open" }))?;
    Ok(Json(view(&genesys, added)))
}

async fn list(State(genesys): Shared, Extension(caller): Extension<Caller>) -> Answer {
    caller.needs(&genesys, "messaging:integration:view")?;
    let all = genesys.things.all(Kind::OpenIntegration).into_iter();
    Ok(Json(listing(all.map(|it| view(&genesys, it)).collect())))
}

async fn show(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    if id == genesys.world.config.genesys_integration_id {
        return administration::show_integration(&genesys, &caller);
    }
    caller.needs(&genesys, "messaging:integration:view")?;
    let found = genesys.things.get(Kind::OpenIntegration, &id)?;
    Ok(Json(view(&genesys, found)))
}

/// What is left out is unset, but for the secret.
async fn change(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(mut body): Json<Value>,
) -> Answer {
    if id == genesys.world.config.genesys_integration_id {
        return administration::update_integration(&genesys, &caller, &body);
    }
    caller.needs(&genesys, "messaging:integration:edit")?;
    let before = genesys.things.get(Kind::OpenIntegration, &id)?;
    checked(&genesys, &body, false)?;
    if body[SECRET].is_null() {
        body[SECRET] = before[SECRET].clone();
    }
    let changed = genesys.things.replace(Kind::OpenIntegration, &id, &body)?;
    Ok(Json(view(&genesys, changed)))
}

async fn remove(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    caller.needs(&genesys, "messaging:integration:delete")?;
    genesys.things.remove(Kind::OpenIntegration, &id)?;
    genesys.things.remove(Kind::Recipient, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What routes the messages of an integration that is made.
async fn recipient(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "routing:message:manage")?;
    genesys.things.get(Kind::Recipient, &id).map(Json)
}

async fn bind(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "routing:message:manage")?;
    let mut recipient = genesys.things.get(Kind::Recipient, &id)?;
    let flow = body["flow"]["id"].as_str().unwrap_or_default();
    let flow = genesys.things.get(Kind::Flow, flow)?;
    if flow["type"] != "INBOUNDSHORTMESSAGE" {
        return Err(Refusal::bad_request("The flow takes no messages."));
    }
    recipient["flow"] = json!({ "id": flow["id"], "name": flow["name"] });
    let bound = genesys.things.replace(Kind::Recipient, &id, &recipient)?;
    Ok(Json(bound))
}

async fn timeline(State(genesys): Shared, Extension(caller): Extension<Caller>) -> Answer {
    caller.needs(&genesys, "conversation:threadingTimeline:view")?;
    let timeline = genesys.things.timeline.lock().clone();
    Ok(Json(match timeline.is_null() {
        true => json!({ "settings": [] }),
        false => timeline,
    }))
}

/// At most 72 hours for each channel; a channel that is left out has the default again.
async fn set_timeline(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "conversation:threadingTimeline:edit")?;
    let settings = body["settings"].as_array();
    let settings = settings.ok_or_else(|| Refusal::bad_request("The settings are missing."))?;
    let is_right = |setting: &Value| {
        setting["messengerType"].is_string()
            && setting["timeoutInMinutes"]
                .as_u64()
                .is_some_and(|it| it <= 72 * 60)
    };
    if !settings.iter().all(is_right) {
        return Err(Refusal::bad_request("A timeline is 72 hours at most."));
    }
    genesys.things.timeline.lock().clone_from(&body);
    Ok(Json(body))
}
