//! Who is there: the organisation itself, its one division, and the people and clients that set things up.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::store::Kind;
use super::{Api, PERMISSIONS, division, listing};
use crate::genesys::access::{Caller, ORGANISATION};
use crate::genesys::answers::Refusal;
use crate::genesys::state::Genesys;

type Shared = State<Arc<Genesys>>;
type Answer = Result<Json<Value>, Refusal>;

pub fn router() -> Api {
    Router::new()
        .route("/organizations/me", get(organisation))
        .route("/users/me", get(me))
        .route("/users/{id}/roles", get(roles).put(set_roles))
        .route("/authorization/products", get(products))
        .route("/authorization/permissions", get(permissions))
        .route("/authorization/divisions", get(divisions))
        .route(
            "/authorization/divisions/home",
            get(async || Json(division())),
        )
}

async fn organisation() -> Json<Value> {
    Json(json!({
        "id": ORGANISATION.to_string(),
        "name": "Local",
        "defaultLanguage": "en-us",
        "defaultCountryCode": "US",
        "domain": "local",
        "state": "active",
        "features": {},
    }))
}

async fn products() -> Json<Value> {
    Json(listing(vec![json!({ "id": "messaging" })]))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    query_type: Option<String>,
    query: Option<String>,
    name: Option<String>,
}

/// What a role can hold, by domain.
async fn permissions(Query(wanted): Query<Wanted>) -> Json<Value> {
    let is_by_domain = wanted.query_type.as_deref() == Some("domain");
    let domain = wanted.query.filter(|_| is_by_domain);
    let mut map = serde_json::Map::new();
    for permission in PERMISSIONS {
        let mut parts = permission.split(':');
        let (Some(of), Some(entity), Some(action)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if domain.as_deref().is_some_and(|it| it != of) {
            continue;
        }
        let all = map.entry(entity).or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.push(json!({ "domain": of, "entityType": entity, "action": action }));
        }
    }
    let found = json!({ "domain": domain, "permissionMap": map });
    let is_known = found["permissionMap"] != json!({});
    Json(listing(is_known.then_some(found).into_iter().collect()))
}

async fn divisions(Query(wanted): Query<Wanted>) -> Json<Value> {
    let is_meant = wanted
        .name
        .is_none_or(|name| division()["name"] == name.as_str());
    Json(listing(is_meant.then(division).into_iter().collect()))
}

/// Only a person is anybody.
async fn me(State(genesys): Shared, Extension(caller): Extension<Caller>) -> Answer {
    if !genesys.login.is_person(&caller.0) {
        let why = "This request requires a user context. Client credentials cannot be used for it.";
        return Err(Refusal::bad_request(why));
    }
    Ok(Json(json!({ "id": caller.0, "name": "Administrator" })))
}

fn person(genesys: &Genesys, id: &str) -> Result<Value, Refusal> {
    if !genesys.login.is_person(id) {
        return Err(Refusal::not_found("There is no such user."));
    }
    let (_, roles) = genesys.login.rights(id);
    let roles = roles.iter().map(|id| json!({ "id": id }));
    Ok(json!({ "roles": roles.collect::<Vec<_>>() }))
}

async fn roles(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "authorization:grant:view")?;
    person(&genesys, &id).map(Json)
}

/// In the place of all roles that the person had.
async fn set_roles(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(roles): Json<Vec<String>>,
) -> Answer {
    caller.needs(&genesys, "authorization:grant:add")?;
    person(&genesys, &id)?;
    for role in &roles {
        genesys.things.get(Kind::Role, role)?;
    }
    genesys.login.change(&id, roles, true);
    person(&genesys, &id).map(Json)
}
