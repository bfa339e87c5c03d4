//! Control of the registrations: what there is, how late Entra ID learns of what is new, a policy against client secrets, and what
//! other people make and delete.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{App, MICROSOFT_GRAPH, Principal, new_id};
use crate::entra::Passwords;
use crate::graph::state::Graph;

type Shared = State<Arc<Graph>>;

/// `/local/graph/registrations`: `GET` shows all, `PUT` sets the lag and the policy and ends secrets, `POST` makes a registration as somebody else in
/// the tenant may, `DELETE` takes away all that is registered, as in a tenant in which nobody has set the bridge up. `DELETE
/// …/{application id}` deletes one as the portal does, without purging it.
pub fn router() -> Router<Arc<Graph>> {
    const ALL: &str = "/local/graph/registrations";
    Router::new()
        .route(ALL, get(view).put(change).post(prepare).delete(forget))
        .route(&format!("{ALL}/{{app}}"), delete(delete_one))
}

async fn view(State(graph): Shared) -> Json<Value> {
    let state = graph.registrations.state.lock();
    let apps = state.apps.iter().map(|it| {
        json!({
            "id": it.id, "appId": it.app_id, "uniqueName": it.unique_name, "fields": it.fields, "credentials": it.credentials,
            "owners": it.owners, "secrets": it.passwords.list().len(),
        })
    });
    let deleted = state.deleted.iter().map(|it| json!(it.app_id));
    let principals = state.principals.iter();
    let principals = principals.map(|it| json!({ "id": it.id, "appId": it.app_id }));
    Json(json!({
        "applications": apps.collect::<Vec<_>>(), "principals": principals.collect::<Vec<_>>(), "grants": state.grants,
        "assignments": state.assignments, "deleted": deleted.collect::<Vec<_>>(), "writes": state.writes,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Changes {
    /// For how many calls that need it something new is unknown.
    lag: Option<u32>,
    /// Whether a policy of the tenant forbids client secrets.
    no_passwords: Option<bool>,
    /// Object id of the registration whose client secrets somebody takes away.
    end_secrets_of: Option<String>,
}

async fn change(State(graph): Shared, Json(changes): Json<Changes>) -> StatusCode {
    let mut state = graph.registrations.state.lock();
    state.lag = changes.lag.unwrap_or(state.lag);
    state.no_passwords = changes.no_passwords.unwrap_or(state.no_passwords);
    let apps = state.apps.iter();
    for app in apps.filter(|it| Some(&it.id) == changes.end_secrets_of.as_ref()) {
        for password in app.passwords.list() {
            app.passwords.remove(&password.key);
        }
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
#[derive(Default)]
struct Prepared {
    unique_name: Option<String>,
    fields: Map<String, Value>,
    /// Names of its client secrets.
    secrets: Vec<String>,
    certificates: Vec<Value>,
    credentials: Vec<Value>,
    owners: Vec<String>,
    /// The client secrets of its service principal, which there is where this is named.
    principal: Option<Vec<Value>>,
}

async fn prepare(State(graph): Shared, Json(prepared): Json<Prepared>) -> Json<Value> {
    let passwords = Passwords::none(graph.world.clock);
    for name in prepared.secrets {
        passwords.add(Some(name), None);
    }
    let app = App {
        id: new_id(),
        app_id: new_id(),
        unique_name: prepared.unique_name,
        fields: prepared.fields,
        credentials: prepared.credentials,
        certificates: prepared.certificates,
        owners: prepared.owners,
        passwords,
        unknown_for: 0,
    };
    let made = json!({ "id": app.id, "appId": app.app_id });
    let mut state = graph.registrations.state.lock();
    if let Some(passwords) = prepared.principal {
        let principal = Principal {
            id: new_id(),
            app_id: app.app_id.clone(),
            passwords,
            owners: app.owners.clone(),
            unknown_for: 0,
        };
        state.principals.push(principal);
    }
    state.apps.push(app);
    Json(made)
}

async fn delete_one(State(graph): Shared, Path(app): Path<String>) -> StatusCode {
    let mut state = graph.registrations.state.lock();
    let place = state.apps.iter().position(|it| it.app_id == app);
    match place {
        Some(place) => {
            state.delete(place);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::NOT_FOUND,
    }
}

async fn forget(State(graph): Shared) -> StatusCode {
    let identity = graph.entra.managed_identity_principal();
    let mut state = graph.registrations.state.lock();
    state.apps.clear();
    state.deleted.clear();
    state.grants.clear();
    state.assignments.clear();
    let stays = |id: &str, app: &str| app == MICROSOFT_GRAPH || id == identity;
    state.principals.retain(|it| stays(&it.id, &it.app_id));
    StatusCode::NO_CONTENT
}
