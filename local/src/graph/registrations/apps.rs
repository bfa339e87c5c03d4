//! App registrations, their federated credentials, owners and client secrets.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{APPLICATION_ROLES, App, MAKER_ROLES, key_of, new_id, object, selected};
use crate::entra::Passwords;
use crate::graph::answers::Refusal;
use crate::graph::applications::view;
use crate::graph::state::Graph;

type Shared = State<Arc<Graph>>;
type Parameters = Query<HashMap<String, String>>;

/// What a registration may be given.
const WRITABLE: [&str; 5] = [
    "displayName",
    "signInAudience",
    "isFallbackPublicClient",
    "web",
    "requiredResourceAccess",
];

/// Most federated credentials of a registration ("Workload identity federation: considerations and limitations").
const MOST_CREDENTIALS: usize = 20;

pub fn router() -> Router<Arc<Graph>> {
    const ONE: &str = "/v1.0/applications/{id}";
    let credentials = format!("{ONE}/federatedIdentityCredentials");
    Router::new()
        .route("/v1.0/{application}", patch(upsert))
        .route(ONE, patch(update))
        .route(&format!("{ONE}/removePassword"), post(remove_password))
        .route(&credentials, get(list_credentials).post(add_credential))
        .route(
            &format!("{credentials}/{{credential}}"),
            patch(set_credential),
        )
        .route(&format!("{ONE}/owners"), get(owners))
        .route(&format!("{ONE}/owners/$ref"), post(add_owner))
        .route(
            &format!("{ONE}/owners/{{owner}}/$ref"),
            delete(remove_owner),
        )
}

impl Graph {
    /// A registration as whoever is logged in sees it.
    pub fn shown_application(
        &self,
        named: &str,
        headers: &HeaderMap,
        query: &HashMap<String, String>,
    ) -> Result<Value, Refusal> {
        self.check_reader(headers)?;
        let mut state = self.registrations.state.lock();
        let app = state.named_app(named)?;
        Ok(selected(self.shown_app(app), query))
    }

    fn shown_app(&self, app: &App) -> Value {
        let mut shown = app.fields.clone();
        let passwords = self.passwords_of(app).list();
        for (name, value) in [
            ("id", json!(app.id)),
            ("appId", json!(app.app_id)),
            ("uniqueName", json!(app.unique_name)),
            ("keyCredentials", json!(app.certificates)),
            (
                "passwordCredentials",
                passwords.iter().map(view).collect::<Vec<_>>().into(),
            ),
        ] {
            shown.insert(name.to_owned(), value);
        }
        for name in ["spa", "publicClient"] {
            let empty = json!({ "redirectUris": [] });
            shown.entry(name).or_insert(empty);
        }
        Value::Object(shown)
    }

    fn passwords_of<'a>(&'a self, app: &'a App) -> &'a Passwords {
        match app.app_id == self.world.config.graph_client_id {
            true => &self.entra.passwords,
            false => &app.passwords,
        }
    }

    /// The application id of a registration whose client secrets whoever is logged in may change.
    pub fn check_secrets(&self, named: &str, headers: &HeaderMap) -> Result<String, Refusal> {
        self.check_reader(headers)?;
        let (id, app_id) = {
            let mut state = self.registrations.state.lock();
            let app = state.named_app(named)?;
            (app.id.clone(), app.app_id.clone())
        };
        self.check_administrator(headers, &id)?;
        Ok(app_id)
    }

    /// Refuses a new client secret where a policy of the tenant does.
    pub fn check_policy(&self) -> Result<(), Refusal> {
        match self.registrations.state.lock().no_passwords {
            true => Err(Refusal::FORBIDDEN_BY_POLICY),
            false => Ok(()),
        }
    }

    /// The client secrets of a registration: those of the app that the platform's handler is decide what the token endpoint takes.
    pub fn with_passwords<T>(&self, app_id: &str, change: impl FnOnce(&Passwords) -> T) -> T {
        let state = self.registrations.state.lock();
        let mut apps = state.apps.iter();
        let app = apps.find(|it| it.app_id == app_id);
        change(app.map_or(&self.entra.passwords, |it| self.passwords_of(it)))
    }
}

/// Refuses fields that are not to be written, and values that cannot be.
fn check_fields(fields: &Map<String, Value>) -> Result<(), Refusal> {
    if let Some(name) = fields.keys().find(|it| !WRITABLE.contains(&it.as_str())) {
        let message = format!("Property '{name}' is read-only and cannot be set.");
        return Err(Refusal::directory(message));
    }
    let uris = fields
        .get("web")
        .and_then(|it| it["redirectUris"].as_array());
    for uri in uris.into_iter().flatten() {
        let uri = uri.as_str().unwrap_or_default();
        if !uri.starts_with("https://") && !uri.starts_with("http://localhost") {
            return Err(Refusal::directory(format!(
                "The redirect URI '{uri}' is not valid."
            )));
        }
    }
    let asked = fields
        .get("requiredResourceAccess")
        .and_then(Value::as_array);
    for api in asked.into_iter().flatten() {
        let access = api["resourceAccess"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let is_sound = |it: &Value| {
            let id = it["id"].as_str().unwrap_or_default();
            uuid::Uuid::parse_str(id).is_ok() && (it["type"] == "Scope" || it["type"] == "Role")
        };
        if access.is_empty() || !access.iter().all(is_sound) {
            return Err(Refusal::directory(
                "Invalid value specified for property 'resourceAccess'.",
            ));
        }
    }
    Ok(())
}

async fn upsert(
    State(graph): Shared,
    Path(named): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    graph.check_reader(&headers)?;
    let ("uniqueName", unique_name) = key_of(&named, "applications")? else {
        return Err(Refusal::bad_request("Upsert needs a uniqueName."));
    };
    let fields = object(&body)?;
    check_fields(&fields)?;
    let existing = {
        let state = graph.registrations.state.lock();
        let mut apps = state.apps.iter();
        let found = apps.find(|it| it.unique_name.as_deref() == Some(unique_name));
        found.map(|it| it.id.clone())
    };
    if let Some(id) = existing {
        graph.check_administrator(&headers, &id)?;
        let mut state = graph.registrations.state.lock();
        state.writes += 1;
        let mut apps = state.apps.iter_mut();
        if let Some(app) = apps.find(|it| it.id == id) {
            app.fields.extend(fields);
        }
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if headers
        .get("prefer")
        .is_none_or(|it| it != "create-if-missing")
    {
        return Err(Refusal::NO_RESOURCE);
    }
    graph.check_role(&headers, &MAKER_ROLES)?;
    {
        let state = graph.registrations.state.lock();
        let mut deleted = state.deleted.iter();
        if deleted.any(|it| it.unique_name.as_deref() == Some(unique_name)) {
            return Err(Refusal::taken(
                "Another object with the same value for property uniqueName already exists.",
            ));
        }
    }
    if !fields.contains_key("displayName") {
        return Err(Refusal::directory("Property displayName is required."));
    }
    // Whoever has no role over all registrations owns those that they make.
    let owners = match graph.entra.operator_is(&APPLICATION_ROLES) {
        true => Vec::new(),
        false => vec![graph.entra.operator()],
    };
    let mut state = graph.registrations.state.lock();
    state.writes += 1;
    let app = App {
        id: new_id(),
        app_id: new_id(),
        unique_name: Some(unique_name.to_owned()),
        fields,
        credentials: Vec::new(),
        certificates: Vec::new(),
        owners,
        passwords: Passwords::none(graph.world.clock),
        unknown_for: state.lag,
    };
    let made = graph.shown_app(&app);
    state.apps.push(app);
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn update(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    graph.check_administrator(&headers, &id)?;
    let fields = object(&body)?;
    check_fields(&fields)?;
    let mut state = graph.registrations.state.lock();
    state.app(&id)?.fields.extend(fields);
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_password(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    graph.check_administrator(&headers, &id)?;
    let removal = object(&body)?;
    let key = removal.get("keyId").and_then(Value::as_str);
    let mut state = graph.registrations.state.lock();
    let app = state.app(&id)?;
    match graph.passwords_of(app).remove(key.unwrap_or_default()) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::NO_RESOURCE),
    }
}

async fn list_credentials(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    graph.check_reader(&headers)?;
    let mut state = graph.registrations.state.lock();
    Ok(Json(json!({ "value": state.app(&id)?.credentials })))
}

/// Refuses what Entra ID refuses about a credential beside these others.
fn check_credential<'a>(
    wanted: &Map<String, Value>,
    mut others: impl Iterator<Item = &'a Value>,
) -> Result<(), Refusal> {
    let text = |name: &str| wanted.get(name).and_then(Value::as_str).unwrap_or_default();
    let audiences = wanted.get("audiences").and_then(Value::as_array);
    if text("issuer").is_empty()
        || text("subject").is_empty()
        || audiences.is_none_or(|it| it.len() != 1)
    {
        return Err(Refusal::directory(
            "Federated Identity Credential must specify 'issuer', 'subject' and 'audience'.",
        ));
    }
    let is_same = |it: &Value| it["issuer"] == text("issuer") && it["subject"] == text("subject");
    match others.any(is_same) {
        true => Err(Refusal::CREDENTIAL_PAIR),
        false => Ok(()),
    }
}

async fn add_credential(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    graph.check_administrator(&headers, &id)?;
    let mut wanted = object(&body)?;
    let name = wanted
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(3..=120).contains(&name.len()) || !name.bytes().all(letter) {
        return Err(Refusal::directory(
            "Invalid value specified for property 'name'.",
        ));
    }
    let mut state = graph.registrations.state.lock();
    let credentials = &mut state.app(&id)?.credentials;
    if credentials.iter().any(|it| it["name"] == name.as_str()) {
        return Err(Refusal::taken(format!(
            "FederatedIdentityCredential with name {name} already exists."
        )));
    }
    check_credential(&wanted, credentials.iter())?;
    if credentials.len() >= MOST_CREDENTIALS {
        return Err(Refusal::directory(
            "The limit of federated identity credentials is reached.",
        ));
    }
    wanted.insert("id".to_owned(), json!(new_id()));
    let made = Value::Object(wanted);
    credentials.push(made.clone());
    state.writes += 1;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn set_credential(
    State(graph): Shared,
    Path((id, credential)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    graph.check_administrator(&headers, &id)?;
    let changes = object(&body)?;
    if changes.contains_key("name") || changes.contains_key("id") {
        return Err(Refusal::directory("Property 'name' cannot be updated."));
    }
    let mut state = graph.registrations.state.lock();
    let credentials = &mut state.app(&id)?.credentials;
    let place = credentials
        .iter()
        .position(|it| it["id"] == credential.as_str());
    let place = place.ok_or(Refusal::NO_RESOURCE)?;
    let mut changed = credentials[place].as_object().cloned().unwrap_or_default();
    changed.extend(changes);
    let others = credentials
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != place);
    check_credential(&changed, others.map(|(_, it)| it))?;
    credentials[place] = Value::Object(changed);
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}

async fn owners(
    State(graph): Shared,
    Path(id): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    graph.check_reader(&headers)?;
    let mut state = graph.registrations.state.lock();
    let all = state.app(&id)?.owners.iter();
    let all = all.map(|it| selected(json!({ "id": it, "displayName": null }), &query));
    Ok(Json(json!({ "value": all.collect::<Vec<_>>() })))
}

async fn add_owner(
    State(graph): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    graph.check_administrator(&headers, &id)?;
    let body = object(&body)?;
    let reference = body
        .get("@odata.id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let base = format!("{}/v1.0/directoryObjects/", graph.world.endpoints.graph);
    let owner = reference.strip_prefix(&base).unwrap_or_default().to_owned();
    let is_user = graph.directory.has_user(&owner);
    let mut state = graph.registrations.state.lock();
    if !is_user && !state.knows_principal(&owner) {
        return Err(Refusal::directory("Not a valid reference update."));
    }
    let owners = &mut state.app(&id)?.owners;
    if owners.contains(&owner) {
        return Err(Refusal::directory(
            "One or more added object references already exist for the following modified properties: 'owners'.",
        ));
    }
    owners.push(owner);
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_owner(
    State(graph): Shared,
    Path((id, owner)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    graph.check_administrator(&headers, &id)?;
    let mut state = graph.registrations.state.lock();
    let owners = &mut state.app(&id)?.owners;
    let before = owners.len();
    owners.retain(|it| *it != owner);
    if owners.len() == before {
        return Err(Refusal::NO_RESOURCE);
    }
    state.writes += 1;
    Ok(StatusCode::NO_CONTENT)
}
