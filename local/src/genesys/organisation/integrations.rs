//! Integrations of data actions, and what each is configured to.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::Api;
use super::resources::named;
use super::store::Kind;
use crate::genesys::access::Caller;
use crate::genesys::answers::Refusal;
use crate::genesys::state::Genesys;

type Shared = State<Arc<Genesys>>;
type Answer = Result<Json<Value>, Refusal>;

pub fn router() -> Api {
    Router::new()
        .route("/integrations", post(add))
        .route("/integrations/{id}", get(show).patch(switch).delete(remove))
        .route(
            "/integrations/{id}/config/current",
            get(config).put(configure),
        )
}

/// What is shown of an integration beside its configuration, from which its name is.
fn view(integration: &Value) -> Value {
    json!({
        "id": integration["id"],
        "name": integration["config"]["name"],
        "integrationType": integration["integrationType"],
        "intendedState": integration["intendedState"],
    })
}

async fn add(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "integrations:integration:add")?;
    let kind = &body["integrationType"]["id"];
    if kind != "custom-rest-actions" {
        return Err(Refusal::bad_request(
            "There is no such type of integration.",
        ));
    }
    let config = json!({
        "name": "Web Services Data Actions",
        "version": 1,
        "properties": {},
        "advanced": {},
        "notes": "",
        "credentials": {},
    });
    let integration = json!({
        "integrationType": { "id": kind },
        "intendedState": "DISABLED",
        "config": config,
    });
    let added = genesys.things.add(Kind::Integration, None, &integration)?;
    Ok(Json(view(&added)))
}

async fn show(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "integrations:integration:view")?;
    let found = genesys.things.get(Kind::Integration, &id)?;
    Ok(Json(view(&found)))
}

/// An integration can be switched on once it has a credential.
async fn switch(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "integrations:integration:edit")?;
    let mut integration = genesys.things.get(Kind::Integration, &id)?;
    let state = body["intendedState"].as_str().unwrap_or_default();
    if !["ENABLED", "DISABLED"].contains(&state) {
        return Err(Refusal::bad_request("There is no such state."));
    }
    if state == "ENABLED" && integration["config"]["credentials"] == json!({}) {
        return Err(Refusal::bad_request("The integration has no credential."));
    }
    integration["intendedState"] = json!(state);
    let switched = genesys
        .things
        .replace(Kind::Integration, &id, &integration)?;
    Ok(Json(view(&switched)))
}

async fn remove(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "integrations:integration:delete")?;
    let removed = genesys.things.remove(Kind::Integration, &id)?;
    genesys.remove_actions_of(&id);
    Ok(Json(view(&removed)))
}

async fn config(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "integrations:integration:view")?;
    let found = genesys.things.get(Kind::Integration, &id)?;
    Ok(Json(found["config"].clone()))
}

/// Of two who change it at once, one is refused.
async fn configure(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(mut body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "integrations:integration:edit")?;
    let mut integration = genesys.things.get(Kind::Integration, &id)?;
    named(&body)?;
    let version = integration["config"]["version"]
        .as_u64()
        .unwrap_or_default();
    if body["version"].as_u64() != Some(version) {
        let why = "The configuration has changed meanwhile.";
        return Err(Refusal::new(StatusCode::CONFLICT, "version.mismatch", why));
    }
    let mut is_oauth = false;
    let credentials = body["credentials"].as_object();
    for credential in credentials.into_iter().flat_map(|all| all.values()) {
        let credential = credential["id"].as_str().unwrap_or_default();
        let credential = genesys.things.get(Kind::Credential, credential)?;
        is_oauth |= credential["type"]["name"] == "userDefinedOAuth";
    }
    body["version"] = json!(version + 1);
    integration["config"] = body;
    let configured = genesys
        .things
        .replace(Kind::Integration, &id, &integration)?;
    if is_oauth {
        genesys.add_sign_in_of(&id)?;
    }
    Ok(Json(configured["config"].clone()))
}
