//! Who is there: the organisation itself, its one division, and the people and clients that set things up.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

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

/// Who shall set things up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helper {
    /// A person, with a token of their own; else an OAuth client.
    #[serde(default)]
    person: bool,
    /// What they may do; everything, when it is not said.
    rights: Option<Vec<String>>,
    /// What of it they may not.
    #[serde(default)]
    without: Vec<String>,
    /// Names of roles that they hold besides.
    #[serde(default)]
    roles: Vec<String>,
}

impl Genesys {
    /// Adds a person or a client that sets things up; shows how they sign in.
    ///
    /// # Errors
    /// A line about a right or a role that does not exist.
    pub fn add_helper(&self, helper: &Helper) -> Result<Value, String> {
        let all = || PERMISSIONS.iter().map(ToString::to_string).collect();
        let mut rights = helper.rights.clone().unwrap_or_else(all);
        rights.retain(|right| !helper.without.contains(right));
        let policies: Vec<Value> = rights.iter().map(|right| policy(right)).collect();
        let id = Uuid::new_v4().to_string();
        let name = format!("Helper {id}");
        let role = json!({ "name": name, "permissionPolicies": policies });
        let role = self.things.add(Kind::Role, None, &role);
        let role = role.map_err(|refusal| refusal.message)?;
        let mut roles = vec![role["id"].as_str().unwrap_or_default().to_owned()];
        for wanted in &helper.roles {
            let all = self.things.all(Kind::Role);
            let found = all.iter().find(|it| it["name"] == wanted.as_str());
            let id = found.and_then(|it| it["id"].as_str());
            roles.push(
                id.ok_or_else(|| format!("there is no role {wanted}"))?
                    .to_owned(),
            );
        }
        Ok(match helper.person {
            true => json!({ "id": id, "token": self.login.add_person(&id, &name, roles) }),
            false => json!({ "id": id, "secret": self.login.add(&id, &name, roles) }),
        })
    }
}

impl Genesys {
    /// Gives a person or a client one more role, by its name, as an administrator does in Genesys' own pages.
    ///
    /// # Errors
    /// A line when there is no such role.
    pub fn give(&self, id: &str, role: &str) -> Result<(), String> {
        let all = self.things.all(Kind::Role);
        let found = all.iter().find(|it| it["name"] == role);
        let found = found.and_then(|it| it["id"].as_str());
        let found = found.ok_or_else(|| format!("there is no role {role}"))?;
        let (_, mut roles) = self.login.rights(id);
        roles.push(found.to_owned());
        self.login.change(id, roles, true);
        Ok(())
    }

    /// The permissions that the calls of a person or a client took.
    pub fn permissions_taken(&self, id: &str) -> BTreeSet<String> {
        let taken = self.login.client(id, |client| client.used.clone());
        taken.unwrap_or_default()
    }

    /// Kind and name of everything that was made and is still there, sorted, but for jobs and the roles of helpers.
    pub fn made(&self) -> Vec<String> {
        let mut made = self.things.names();
        made.retain(|it| !it.starts_with("Role: Helper "));
        made
    }
}

fn policy(right: &str) -> Value {
    let mut parts = right.split(':');
    let mut part = || parts.next().unwrap_or_default();
    json!({ "domain": part(), "entityName": part(), "actionSet": [part()] })
}
