//! Control of the registrations: what there is, how late Entra ID learns of what is new, and a policy against client secrets.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::MICROSOFT_GRAPH;
use crate::graph::state::Graph;

type Shared = State<Arc<Graph>>;

/// `/local/graph/registrations`: `GET` shows all, `PUT` sets the lag and the policy, `DELETE` takes away all that is registered,
/// as in a tenant in which nobody has set the bridge up.
pub fn router() -> Router<Arc<Graph>> {
    const ALL: &str = "/local/graph/registrations";
    Router::new().route(ALL, get(view).put(change).delete(forget))
}

async fn view(State(graph): Shared) -> Json<Value> {
    let state = graph.registrations.state.lock();
    let apps = state.apps.iter().map(|it| {
        json!({
            "id": it.id, "appId": it.app_id, "uniqueName": it.unique_name, "fields": it.fields, "credentials": it.credentials,
            "owners": it.owners, "secrets": it.passwords.list().len(),
        })
    });
    let principals = state.principals.iter();
    let principals = principals.map(|it| json!({ "id": it.id, "appId": it.app_id }));
    Json(json!({
        "applications": apps.collect::<Vec<_>>(), "principals": principals.collect::<Vec<_>>(), "grants": state.grants,
        "assignments": state.assignments, "writes": state.writes,
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
}

async fn change(State(graph): Shared, Json(changes): Json<Changes>) -> StatusCode {
    let mut state = graph.registrations.state.lock();
    state.lag = changes.lag.unwrap_or(state.lag);
    state.no_passwords = changes.no_passwords.unwrap_or(state.no_passwords);
    StatusCode::NO_CONTENT
}

async fn forget(State(graph): Shared) -> StatusCode {
    let identity = graph.entra.managed_identity_principal();
    let mut state = graph.registrations.state.lock();
    state.apps.clear();
    state.grants.clear();
    state.assignments.clear();
    let stays = |id: &str, app: &str| app == MICROSOFT_GRAPH || id == identity;
    state.principals.retain(|it| stays(&it.id, &it.app_id));
    StatusCode::NO_CONTENT
}
