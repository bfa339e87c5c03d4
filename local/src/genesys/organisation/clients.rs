//! OAuth clients ("Create OAuth client", "Update OAuth Client", "Delete OAuth Client").

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::resources::named;
use super::store::{Kind, in_use};
use super::{Api, DIVISION};
use crate::genesys::access::Caller;
use crate::genesys::administration;
use crate::genesys::answers::Refusal;
use crate::genesys::state::Genesys;

type Shared = State<Arc<Genesys>>;
type Answer = Result<Json<Value>, Refusal>;

pub fn router() -> Api {
    Router::new()
        .route("/oauth/clients", post(add))
        .route("/oauth/clients/{id}", get(show).put(change).delete(remove))
        .route(
            "/oauth/clients/{id}/secret",
            post(administration::renew_secret),
        )
}

/// The secret is shown this once.
async fn add(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "oauth:client:add")?;
    let roles = checked(&genesys, &caller, &body)?;
    let mut added = genesys.things.add(Kind::Client, None, &body)?;
    let (id, name) = (text(&added["id"]), text(&added["name"]));
    added["secret"] = json!(genesys.login.add(&id, &name, roles));
    Ok(Json(added))
}

async fn show(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Answer {
    caller.needs(&genesys, "oauth:client:view")?;
    match genesys.things.get(Kind::Client, &id) {
        Ok(found) => Ok(Json(found)),
        // One that was there from the start.
        Err(missing) => {
            let view = |name| Json(json!({ "id": id, "name": name }));
            let name = genesys.login.client(&id, |client| client.name.clone());
            name.map(view).ok_or(missing)
        }
    }
}

async fn change(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    caller.needs(&genesys, "oauth:client:edit")?;
    let roles = checked(&genesys, &caller, &body)?;
    let changed = genesys.things.replace(Kind::Client, &id, &body)?;
    genesys
        .login
        .change(&id, roles, body["state"] != "inactive");
    Ok(Json(changed))
}

/// A client that may still sign in is not taken away.
async fn remove(
    State(genesys): Shared,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    caller.needs(&genesys, "oauth:client:delete")?;
    if genesys.things.get(Kind::Client, &id)?["state"] != "inactive" {
        return Err(in_use("whoever signs in with it: make it inactive first"));
    }
    genesys.things.remove(Kind::Client, &id)?;
    genesys.login.remove(&id);
    Ok(StatusCode::NO_CONTENT)
}

/// The ids of the roles that a client shall have. Genesys lets nobody hand on a role that they do not hold.
fn checked(genesys: &Genesys, caller: &Caller, body: &Value) -> Result<Vec<String>, Refusal> {
    named(body)?;
    if body["authorizedGrantType"] != "CLIENT-CREDENTIALS" {
        return Err(Refusal::bad_request(
            "Only client credentials are known here.",
        ));
    }
    let validity = body["accessTokenValiditySeconds"].as_u64();
    if validity.is_some_and(|it| !(300..=172_800).contains(&it)) {
        return Err(Refusal::bad_request("The tokens' life is out of range."));
    }
    let (_, held) = genesys.login.rights(&caller.0);
    let wanted = body["roleDivisions"].as_array();
    let wanted = wanted.filter(|it| !it.is_empty());
    let wanted = wanted.ok_or_else(|| Refusal::bad_request("The client has no role."))?;
    let mut roles = Vec::new();
    for role in wanted {
        if role["divisionId"] != DIVISION {
            return Err(Refusal::bad_request("There is no such division."));
        }
        let id = text(&role["roleId"]);
        genesys.things.get(Kind::Role, &id)?;
        if !held.contains(&id) {
            let why = "You cannot grant a role that you do not hold.";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "not.authorized", why));
        }
        roles.push(id);
    }
    Ok(roles)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
