//! The end of a registration: deleted, it lies among the deleted for 30 days and keeps its unique name; purged, it is gone.
//!
//! Sources: Microsoft Graph v1.0 reference, "Delete application", "List deletedItems", "Permanently delete item".

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{APPLICATION_ROLES, App, Principal, Registered, is_known, selected};
use crate::graph::answers::Refusal;
use crate::graph::state::Graph;

type Shared = State<Arc<Graph>>;

const DELETED: &str = "/v1.0/directory/deletedItems";

pub fn router() -> Router<Arc<Graph>> {
    Router::new()
        .route("/v1.0/applications/{id}", delete(remove))
        .route(&format!("{DELETED}/microsoft.graph.application"), get(list))
        .route(&format!("{DELETED}/{{id}}"), delete(purge))
}

/// With the registration go its service principal and all that this was granted.
async fn remove(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    graph.check_administrator(&headers, &id)?;
    let mut state = graph.registrations.state.lock();
    state.app(&id)?;
    let is_it = |app: &App| app.id.eq_ignore_ascii_case(&id);
    let place = state.apps.iter().position(is_it);
    state.delete(place.ok_or(Refusal::NO_RESOURCE)?);
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}

impl Registered {
    /// Puts the app at this place among the deleted.
    pub(super) fn delete(&mut self, place: usize) {
        let mut app = self.apps.remove(place);
        let (gone, left) = std::mem::take(&mut self.principals)
            .into_iter()
            .partition(|it| it.app_id == app.app_id);
        self.principals = left;
        let gone: Vec<Principal> = gone;
        let is_gone = |id: &Value| gone.iter().any(|it| *id == it.id);
        self.grants.retain(|it| !is_gone(&it["clientId"]));
        self.assignments.retain(|it| !is_gone(&it["principalId"]));
        app.unknown_for = self.lag;
        self.deleted.push(app);
    }
}

async fn list(
    State(graph): Shared,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, Refusal> {
    graph.check_reader(&headers)?;
    let wanted = match query.get("$filter") {
        None => None,
        Some(filter) => {
            let id = filter
                .strip_prefix("appId eq '")
                .and_then(|it| it.strip_suffix('\''));
            Some(id.ok_or(Refusal::bad_request("Invalid filter clause."))?)
        }
    };
    let state = graph.registrations.state.lock();
    let found = state.deleted.iter();
    let found = found.filter(|it| wanted.is_none_or(|wanted| it.app_id == wanted));
    let found: Vec<Value> = found
        .map(|it| {
            let shown = json!({
                "id": it.id, "appId": it.app_id, "uniqueName": it.unique_name, "displayName": it.fields.get("displayName"),
            });
            selected(shown, &query)
        })
        .collect();
    Ok(Json(json!({ "value": found })))
}

async fn purge(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    graph.check_role(&headers, &APPLICATION_ROLES)?;
    let mut state = graph.registrations.state.lock();
    let place = state.deleted.iter().position(|it| it.id == id);
    let place = place.ok_or(Refusal::NO_RESOURCE)?;
    if !is_known(&mut state.deleted[place].unknown_for) {
        return Err(Refusal::NO_RESOURCE);
    }
    state.deleted.remove(place);
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}
