//! Data actions. That with which an integration signs in is made by Genesys itself, as soon as its credential is of the OAuth kind,
//! and goes with the integration.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Api;
use super::resources::named;
use super::store::Kind;
use crate::genesys::access::Caller;
use crate::genesys::answers::Refusal;
use crate::genesys::state::Genesys;

type Shared = State<Arc<Genesys>>;
type Answer = Result<Json<Value>, Refusal>;

/// One of them is enough to see an action.
const VIEW: [&str; 2] = ["integrations:action:view", "bridge:actions:view"];

/// Where each template stands in a configuration; each is read by itself.
const TEMPLATES: [(&str, &str, &str); 2] = [
    ("requesttemplate.vm", "request", "requestTemplate"),
    ("successtemplate.vm", "response", "successTemplate"),
];

pub fn router() -> Api {
    Router::new()
        .route("/integrations/actions", post(add))
        .route(
            "/integrations/actions/{id}",
            get(show).patch(change).delete(remove),
        )
        .route("/integrations/actions/{id}/templates/{file}", get(template))
}

fn sign_in(integration: &str) -> String {
    format!("customAuth_-_{integration}")
}

impl Genesys {
    /// The action with which an integration signs in, unless it is there.
    pub(super) fn add_sign_in_of(&self, integration: &str) -> Result<(), Refusal> {
        let id = sign_in(integration);
        if self.things.get(Kind::Action, &id).is_ok() {
            return Ok(());
        }
        let action = json!({
            // Each integration has one of this name.
            "category": format!("{integration} Custom Auth"),
            "name": "Custom Auth",
            "integrationId": integration,
            "version": 1,
            "config": {
                "request": { "requestType": "POST", "requestUrlTemplate": "", "requestTemplate": "${input.rawRequest}" },
                "response": { "successTemplate": "${rawResult}" },
            },
        });
        self.things.add(Kind::Action, Some(id), &action).map(drop)
    }

    /// What goes with an integration.
    pub(super) fn remove_actions_of(&self, integration: &str) {
        for action in self.things.all(Kind::Action) {
            if action["integrationId"] == integration
                && let Some(id) = action["id"].as_str()
            {
                let _ = self.things.remove(Kind::Action, id);
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    include_config: bool,
    expand: Option<String>,
}

/// The contract and the configuration are shown to whoever asks for them; templates never with it.
fn view(mut action: Value, wanted: &Wanted) -> Value {
    for (_, half, template) in TEMPLATES {
        if let Some(all) = action["config"][half].as_object_mut() {
            all.remove(template);
        }
    }
    if let Some(all) = action.as_object_mut() {
        if !wanted.include_config {
            all.remove("config");
        }
        if wanted.expand.as_deref() != Some("contract") {
            all.remove("contract");
        }
    }
    action
}

const WHOLE: Wanted = Wanted {
    include_config: true,
    expand: None,
};

/// A schema names what it describes.
fn checked(genesys: &Genesys, action: &Value) -> Result<(), Refusal> {
    named(action)?;
    let integration = action["integrationId"].as_str().unwrap_or_default();
    let integration = genesys.things.get(Kind::Integration, integration)?;
    if integration["intendedState"] != "ENABLED" {
        return Err(Refusal::bad_request("The integration is switched off."));
    }
    let contract = &action["contract"];
    let schemas = [
        &contract["input"]["inputSchema"],
        &contract["output"]["successSchema"],
    ];
    let request = &action["config"]["request"];
    let url = request["requestUrlTemplate"].as_str().unwrap_or_default();
    let seconds = action["config"]["timeoutSeconds"].as_u64();
    let is_right = schemas.iter().all(|it| it["type"] == "object")
        && url.starts_with("https://")
        && request["requestType"].is_string()
        && seconds.is_none_or(|it| (1..=60).contains(&it));
    match is_right {
        true => Ok(()),
        false => Err(Refusal::bad_request("The action is not complete.")),
    }
}

async fn add(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Json(mut body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "integrations:action:add")?;
    checked(&genesys, &body)?;
    body["version"] = json!(1);
    let id = format!("custom_-_{}", Uuid::new_v4());
    let added = genesys.things.add(Kind::Action, Some(id), &body)?;
    Ok(Json(view(added, &WHOLE)))
}

async fn show(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    caller.needs_any(&genesys, &VIEW)?;
    let found = genesys.things.get(Kind::Action, &id)?;
    Ok(Json(view(found, &wanted)))
}

/// What is left out stays. A contract cannot be changed.
async fn change(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "integrations:action:edit")?;
    let mut action = genesys.things.get(Kind::Action, &id)?;
    let version = action["version"].as_u64().unwrap_or_default();
    if body["version"].as_u64() != Some(version) {
        let why = "The action has changed meanwhile.";
        return Err(Refusal::new(StatusCode::CONFLICT, "version.mismatch", why));
    }
    for name in ["name", "category", "config"] {
        if !body[name].is_null() {
            action[name] = body[name].clone();
        }
    }
    action["version"] = json!(version + 1);
    let changed = genesys.things.replace(Kind::Action, &id, &action)?;
    Ok(Json(view(changed, &WHOLE)))
}

async fn remove(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    caller.needs(&genesys, "integrations:action:delete")?;
    if id.starts_with("customAuth") {
        return Err(Refusal::bad_request(
            "This action goes with its integration.",
        ));
    }
    genesys.things.remove(Kind::Action, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn template(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    caller.needs_any(&genesys, &VIEW)?;
    let action = genesys.things.get(Kind::Action, &id)?;
    let place = TEMPLATES.iter().find(|(name, ..)| *name == file);
    let text = place.and_then(|(_, half, template)| action["config"][*half][*template].as_str());
    let text = text.ok_or_else(|| Refusal::not_found("There is no such template."))?;
    let kind = [(header::CONTENT_TYPE, "text/plain")];
    Ok((kind, text.to_owned()).into_response())
}
