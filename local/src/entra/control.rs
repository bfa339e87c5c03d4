//! Control of Entra ID: new signing keys, ended sessions, withdrawn consents, and validation tokens as Graph puts them into its notifications.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::operator::ROLES;
use super::state::{Entra, SCOPES};
use super::token_endpoint::APPLICATION_PERMISSION;
use crate::shared::refused::Refused;
use crate::shared::time_text;

/// The application that publishes Graph's change notifications ("Set up Microsoft Graph change notifications with resource
/// data", validating the authenticity of notifications).
pub const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// `POST /local/entra/rotate-keys`, `POST /local/entra/revoke`, `POST /local/entra/tokens`, `GET /local/entra/passwords` and `PUT`
/// below it, `PUT /local/entra/permissions/{name}`, `PUT /local/entra/consents/{user}`, `PUT /local/entra/operator`.
pub fn router(entra: &Arc<Entra>) -> Router {
    Router::new()
        .route("/local/entra/rotate-keys", post(rotate_keys))
        .route("/local/entra/revoke", post(revoke))
        .route("/local/entra/tokens", post(token))
        .route("/local/entra/passwords", get(passwords))
        .route("/local/entra/passwords/{key}", put(end))
        .route("/local/entra/permissions/{name}", put(permission))
        .route("/local/entra/consents/{user}", put(consent))
        .route("/local/entra/operator", put(operator))
        .with_state(Arc::clone(entra))
}

async fn rotate_keys(State(entra): State<Arc<Entra>>) -> Json<Value> {
    Json(json!({ "kid": entra.keys.rotate() }))
}

#[derive(Deserialize)]
struct Who {
    user: String,
}

/// Ends the sessions of a user, by their object id.
async fn revoke(State(entra): State<Arc<Entra>>, Json(who): Json<Who>) -> Json<Value> {
    Json(json!({ "revoked": entra.revoke(&who.user) }))
}

/// The body's claims replace those of a genuine token; `null` takes one away. No body: a genuine token.
async fn token(
    State(entra): State<Arc<Entra>>,
    changes: Option<Json<Map<String, Value>>>,
) -> Json<Value> {
    let app = &entra.world.config.graph_client_id;
    let mut claims = json!({ "aud": app, "azp": PUBLISHER, "azpacr": "2" });
    for (name, value) in changes.unwrap_or_default().0 {
        claims[name] = value;
    }
    Json(json!({ "token": entra.issue(claims) }))
}

/// The Graph app's client secrets, without their texts.
async fn passwords(State(entra): State<Arc<Entra>>) -> Json<Value> {
    let all = entra.passwords.list().into_iter();
    let view = |it: super::Password| {
        let (starts, ends) = (time_text(it.starts), time_text(it.ends));
        json!({ "key": it.key, "name": it.name, "starts": starts, "ends": ends })
    };
    Json(json!({ "passwords": all.map(view).collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
struct End {
    #[serde(with = "time::serde::rfc3339")]
    ends: OffsetDateTime,
}

/// Gives a client secret another end, in the past or ahead.
async fn end(
    State(entra): State<Arc<Entra>>,
    Path(key): Path<String>,
    Json(End { ends }): Json<End>,
) -> Result<StatusCode, Refused> {
    let found = entra.passwords.end(&key, ends);
    let missing = || Refused::not_found("client secret of this key id");
    found.then_some(StatusCode::NO_CONTENT).ok_or_else(missing)
}

#[derive(Deserialize)]
struct Consent {
    given: bool,
}

/// Gives or withdraws the consent to one of the Graph app's permissions, delegated or its own; tokens that are out keep it.
async fn permission(
    State(entra): State<Arc<Entra>>,
    Path(name): Path<String>,
    Json(Consent { given }): Json<Consent>,
) -> Result<StatusCode, Refused> {
    if name != APPLICATION_PERMISSION && !SCOPES.split(' ').any(|it| it == name) {
        return Err(Refused::not_found("permission of this name"));
    }
    let mut withheld = entra.withheld.lock();
    match given {
        true => withheld.remove(&name),
        false => withheld.insert(name),
    };
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operator {
    roles: BTreeSet<String>,
}

/// Gives whoever is logged in to the Azure CLI these roles of the directory, and no others.
async fn operator(
    State(entra): State<Arc<Entra>>,
    Json(Operator { roles }): Json<Operator>,
) -> Result<StatusCode, Refused> {
    if let Some(unknown) = roles.iter().find(|role| !ROLES.contains(&role.as_str())) {
        return Err(Refused::not_found(&format!("role {unknown}")));
    }
    *entra.operator_roles.lock() = roles;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives or withdraws the consent to an agent identity's permissions, by the object id of its user.
async fn consent(
    State(entra): State<Arc<Entra>>,
    Path(user): Path<String>,
    Json(Consent { given }): Json<Consent>,
) -> Result<StatusCode, Refused> {
    let mut accounts = entra.world.config.support_accounts.iter();
    if !accounts.any(|it| it.user == user && it.agent_identity.is_some()) {
        return Err(Refused::not_found("agent user of this object id"));
    }
    entra.consent(&user, given);
    Ok(StatusCode::NO_CONTENT)
}
