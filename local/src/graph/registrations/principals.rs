//! Service principals, the delegated permissions that they were granted, and those that they hold themselves.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    APPLICATION_ROLES, GRANT_ROLES, MICROSOFT_GRAPH, Principal, ROLE_ROLES, ROLES, SCOPES,
    graph_principal, id_of, is_known, key_of, new_id, object, selected,
};
use crate::graph::answers::Refusal;
use crate::graph::state::Graph;

type Shared = State<Arc<Graph>>;
type Answer = Result<Json<Value>, Refusal>;

/// What is said of a reference to something that is not there, or not known yet.
const NO_REFERENCE: &str = "Not a valid reference update.";

pub fn router() -> Router<Arc<Graph>> {
    const ONE: &str = "/v1.0/servicePrincipals/{id}";
    const GRANTS: &str = "/v1.0/oauth2PermissionGrants";
    Router::new()
        .route("/v1.0/servicePrincipals", post(make))
        .route(&format!("{ONE}/oauth2PermissionGrants"), get(grants))
        .route(&format!("{ONE}/owners"), get(owners))
        .route(&format!("{ONE}/appRoleAssignments"), get(held))
        .route(&format!("{ONE}/appRoleAssignedTo"), post(assign))
        .route(
            &format!("{ONE}/appRoleAssignedTo/{{assignment}}"),
            delete(unassign),
        )
        .route(GRANTS, post(grant))
        .route(
            &format!("{GRANTS}/{{grant}}"),
            patch(set_grant).delete(remove_grant),
        )
}

impl Graph {
    /// A service principal that is named by `servicePrincipals(appId='…')`.
    pub fn shown_principal(
        &self,
        named: &str,
        headers: &HeaderMap,
        query: &HashMap<String, String>,
    ) -> Result<Value, Refusal> {
        self.check_reader(headers)?;
        let ("appId", app_id) = key_of(named, "servicePrincipals")? else {
            return Err(Refusal::bad_request("Resource not found for the segment."));
        };
        let mut state = self.registrations.state.lock();
        let mut all = state.principals.iter_mut();
        let found = all.find(|it| it.app_id.eq_ignore_ascii_case(app_id));
        let found = found.and_then(|it| is_known(&mut it.unknown_for).then_some(it));
        let found = found.ok_or(Refusal::NO_RESOURCE)?;
        let mut shown = json!({
            "id": found.id, "appId": found.app_id, "passwordCredentials": found.passwords, "keyCredentials": [],
        });
        if found.app_id == MICROSOFT_GRAPH {
            let scopes =
                SCOPES.map(|it| json!({ "id": id_of("scope", it), "value": it, "type": "User" }));
            let roles = ROLES.map(|it| json!({ "id": id_of("role", it), "value": it }));
            shown["oauth2PermissionScopes"] = json!(scopes);
            shown["appRoles"] = json!(roles);
        }
        Ok(selected(shown, query))
    }
}

async fn make(State(graph): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    graph.check_reader(&headers)?;
    let body = object(&body)?;
    let app_id = text(&body, "appId");
    let app = {
        let mut state = graph.registrations.state.lock();
        if state.principals.iter().any(|it| it.app_id == app_id) {
            return Err(Refusal::taken(
                "The service principal cannot be created because the service principal name is already in use.",
            ));
        }
        let mut apps = state.apps.iter_mut();
        let app = apps.find(|it| it.app_id == app_id);
        let app = app.and_then(|it| is_known(&mut it.unknown_for).then_some(it));
        app.map(|it| it.id.clone())
    };
    let app = app.ok_or_else(|| {
        Refusal::directory(format!("The appId '{app_id}' of the service principal does not reference a valid application object."))
    })?;
    graph.check_administrator(&headers, &app)?;
    // As of a registration.
    let owners = match graph.entra.operator_is(&APPLICATION_ROLES) {
        true => Vec::new(),
        false => vec![graph.entra.operator()],
    };
    let mut state = graph.registrations.state.lock();
    let made = Principal {
        id: new_id(),
        app_id,
        passwords: Vec::new(),
        owners,
        unknown_for: state.lag,
    };
    let shown = json!({ "id": made.id, "appId": made.app_id });
    state.principals.push(made);
    state.writes += 1;
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

fn text(body: &Map<String, Value>, name: &str) -> String {
    let text = body.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn those(all: &[Value], field: &str, id: &str) -> Value {
    let theirs = all.iter().filter(|it| it[field] == id);
    json!({ "value": theirs.collect::<Vec<_>>() })
}

async fn owners(
    State(graph): Shared,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    graph.check_reader(&headers)?;
    let mut state = graph.registrations.state.lock();
    if !state.knows_principal(&id) {
        return Err(Refusal::NO_RESOURCE);
    }
    let all = state.principals.iter().filter(|it| it.id == id);
    let all = all.flat_map(|it| &it.owners);
    let all = all.map(|it| selected(json!({ "id": it, "displayName": null }), &query));
    Ok(Json(json!({ "value": all.collect::<Vec<_>>() })))
}

async fn grants(State(graph): Shared, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    graph.check_reader(&headers)?;
    let mut state = graph.registrations.state.lock();
    let is_there = state.knows_principal(&id);
    let all = those(&state.grants, "clientId", &id);
    is_there.then_some(Json(all)).ok_or(Refusal::NO_RESOURCE)
}

async fn held(State(graph): Shared, Path(id): Path<String>, headers: HeaderMap) -> Answer {
    graph.check_reader(&headers)?;
    let mut state = graph.registrations.state.lock();
    let is_there = state.knows_principal(&id);
    let all = those(&state.assignments, "principalId", &id);
    is_there.then_some(Json(all)).ok_or(Refusal::NO_RESOURCE)
}

/// Refuses permissions that Microsoft Graph does not have.
fn check_scope(scope: &str) -> Result<(), Refusal> {
    let mut words = scope.split_whitespace();
    match words.find(|it| !SCOPES.contains(it)) {
        Some(unknown) => Err(Refusal::directory(format!(
            "The scope '{unknown}' does not exist."
        ))),
        None => Ok(()),
    }
}

async fn grant(State(graph): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    graph.check_role(&headers, &GRANT_ROLES)?;
    let mut wanted = object(&body)?;
    let user = text(&wanted, "principalId");
    let is_for_one = match text(&wanted, "consentType").as_str() {
        "Principal" => true,
        "AllPrincipals" if user.is_empty() => false,
        _ => {
            return Err(Refusal::directory(
                "Invalid value specified for property 'consentType'.",
            ));
        }
    };
    check_scope(&text(&wanted, "scope"))?;
    let is_user = graph.directory.has_user(&user);
    let (client, api) = (text(&wanted, "clientId"), text(&wanted, "resourceId"));
    let mut state = graph.registrations.state.lock();
    if (is_for_one && !is_user) || api != graph_principal() || !state.knows_principal(&client) {
        return Err(Refusal::directory(NO_REFERENCE));
    }
    let is_same = |it: &Value| {
        it["clientId"] == client.as_str()
            && it["resourceId"] == api.as_str()
            && it["principalId"].as_str().unwrap_or_default() == user
    };
    if state.grants.iter().any(is_same) {
        return Err(Refusal::taken("Permission entry already exists."));
    }
    wanted.insert("id".to_owned(), json!(new_id()));
    let made = Value::Object(wanted);
    state.grants.push(made.clone());
    state.writes += 1;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn set_grant(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    graph.check_role(&headers, &GRANT_ROLES)?;
    let changes = object(&body)?;
    if let Some(name) = changes.keys().find(|it| *it != "scope") {
        return Err(Refusal::directory(format!(
            "Property cannot be updated: {name}"
        )));
    }
    check_scope(&text(&changes, "scope"))?;
    let mut state = graph.registrations.state.lock();
    let mut grants = state.grants.iter_mut();
    let found = grants.find(|it| it["id"] == id.as_str());
    found.ok_or(Refusal::NO_RESOURCE)?["scope"] = json!(text(&changes, "scope"));
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_grant(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    graph.check_role(&headers, &GRANT_ROLES)?;
    let mut state = graph.registrations.state.lock();
    let before = state.grants.len();
    state.grants.retain(|it| it["id"] != id.as_str());
    if state.grants.len() == before {
        return Err(Refusal::NO_RESOURCE);
    }
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}

async fn assign(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    graph.check_role(&headers, &ROLE_ROLES)?;
    let mut wanted = object(&body)?;
    let (principal, role) = (text(&wanted, "principalId"), text(&wanted, "appRoleId"));
    let mut state = graph.registrations.state.lock();
    let is_role = ROLES.iter().any(|it| id_of("role", it) == role);
    let is_sound = id == graph_principal() && text(&wanted, "resourceId") == id && is_role;
    if !is_sound || !state.knows_principal(&principal) {
        return Err(Refusal::directory(NO_REFERENCE));
    }
    let is_same =
        |it: &Value| it["principalId"] == principal.as_str() && it["appRoleId"] == role.as_str();
    if state.assignments.iter().any(is_same) {
        return Err(Refusal::ALREADY_ASSIGNED);
    }
    wanted.insert("id".to_owned(), json!(new_id()));
    let made = Value::Object(wanted);
    state.assignments.push(made.clone());
    state.writes += 1;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn unassign(
    State(graph): Shared,
    Path((id, assignment)): Path<(String, String)>,
    Query(_): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    graph.check_role(&headers, &ROLE_ROLES)?;
    let mut state = graph.registrations.state.lock();
    let before = state.assignments.len();
    let is_it = |it: &Value| it["id"] == assignment.as_str() && it["resourceId"] == id.as_str();
    state.assignments.retain(|it| !is_it(it));
    if state.assignments.len() == before {
        return Err(Refusal::NO_RESOURCE);
    }
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}
