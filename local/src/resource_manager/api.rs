//! The REST interface.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::state::{APP, DEPLOYMENT, Deployed, GROUP, ResourceManager, Rights, SUBSCRIPTION};

/// Audiences of a token for it.
const AUDIENCES: [&str; 4] = [
    "https://management.azure.com",
    "https://management.azure.com/",
    "https://management.core.windows.net",
    "https://management.core.windows.net/",
];

/// Versions of `Microsoft.Resources/deployments` from the last years.
const DEPLOYMENTS: [&str; 6] = [
    "2022-09-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-04-01",
];

/// Versions of `Microsoft.Web/sites` from the last years.
const SITES: [&str; 6] = [
    "2022-09-01",
    "2023-01-01",
    "2023-12-01",
    "2024-04-01",
    "2024-11-01",
    "2025-03-01",
];

type Shared = State<Arc<ResourceManager>>;
type Parameters = Query<HashMap<String, String>>;

/// The deployment and the app's settings.
pub fn router(manager: &Arc<ResourceManager>) -> Router {
    // Resource Manager takes these words in any case; the router does for those that are written in two ways.
    const WORDS: [&str; 2] = ["resourceGroups", "resourcegroups"];
    let mut router = Router::new();
    for groups in WORDS {
        let group = format!("/subscriptions/{{subscription}}/{groups}/{{group}}");
        router = router.route(&group, axum::routing::delete(delete_group));
        let group = format!("{group}/providers");
        let site = format!("{group}/Microsoft.Web/sites/{{app}}/config/appsettings");
        router = router
            .route(
                &format!("{group}/Microsoft.Resources/deployments/{{deployment}}"),
                get(deployment),
            )
            .route(&format!("{site}/list"), post(list))
            .route(&site, put(replace))
            .route(
                &format!("{group}/Microsoft.Web/sites/{{app}}/functions/{{function}}/{{list}}"),
                post(keys),
            );
    }
    router.with_state(Arc::clone(manager))
}

/// Status, code and message.
struct Refusal(StatusCode, &'static str, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": { "code": self.1, "message": self.2 } }));
        let mut answer = (self.0, body).into_response();
        let headers = answer.headers_mut();
        if self.0 == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(
                "Bearer authorization_uri=\"https://login.microsoftonline.com/common\"",
            );
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Ok(id) = Uuid::new_v4().to_string().parse() {
            headers.insert("x-ms-request-id", id);
        }
        answer
    }
}

/// Where a request leads, and what it takes.
struct Asked<'a> {
    subscription: &'a str,
    group: &'a str,
    resource: String,
    action: &'static str,
    is_allowed: fn(&Rights) -> bool,
    versions: &'a [&'a str],
}

impl ResourceManager {
    /// Lets a request through: first the token, then the version, then the right, and only then what is there.
    fn admit(
        &self,
        headers: &HeaderMap,
        query: &HashMap<String, String>,
        asked: &Asked<'_>,
    ) -> Result<(), Refusal> {
        let refused = |status, code, message: String| Err(Refusal(status, code, message));
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let Some(token) = token else {
            const MISSING: &str = "Authentication failed. The 'Authorization' header is missing.";
            return refused(
                StatusCode::UNAUTHORIZED,
                "AuthenticationFailed",
                MISSING.to_owned(),
            );
        };
        let Ok(claims) = self.entra.verify(token, &AUDIENCES) else {
            const INVALID: &str = "The access token is invalid.";
            return refused(
                StatusCode::UNAUTHORIZED,
                "InvalidAuthenticationToken",
                INVALID.to_owned(),
            );
        };
        match query.get("api-version").map(String::as_str) {
            None | Some("") => {
                const MISSING: &str =
                    "The api-version query parameter (?api-version=) is required for all requests.";
                return refused(
                    StatusCode::BAD_REQUEST,
                    "MissingApiVersionParameter",
                    MISSING.to_owned(),
                );
            }
            Some(version) if !asked.versions.contains(&version) => {
                let message = format!("The api-version '{version}' is invalid.");
                return refused(
                    StatusCode::BAD_REQUEST,
                    "InvalidApiVersionParameter",
                    message,
                );
            }
            Some(_) => {}
        }
        let Asked {
            subscription,
            group,
            resource,
            action,
            ..
        } = asked;
        if !subscription.eq_ignore_ascii_case(SUBSCRIPTION) {
            let message = format!("The subscription '{subscription}' could not be found.");
            return refused(StatusCode::NOT_FOUND, "SubscriptionNotFound", message);
        }
        let is_operator = claims["oid"] == self.entra.operator();
        if !is_operator || !(asked.is_allowed)(&self.rights.lock()) {
            let who = claims["oid"].as_str().unwrap_or_default();
            let scope = format!(
                "/subscriptions/{subscription}/resourceGroups/{group}/providers/{resource}"
            );
            let message = format!(
                "The client '{who}' with object id '{who}' does not have authorization to perform action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
            );
            return refused(StatusCode::FORBIDDEN, "AuthorizationFailed", message);
        }
        if !group.eq_ignore_ascii_case(GROUP) {
            let message = format!("Resource group '{group}' could not be found.");
            return refused(StatusCode::NOT_FOUND, "ResourceGroupNotFound", message);
        }
        Ok(())
    }

    fn check_app(&self, app: &str) -> Result<(), Refusal> {
        let is_there = self.deployed.lock().state.is_some() && app.eq_ignore_ascii_case(APP);
        let message = format!(
            "The Resource 'Microsoft.Web/sites/{app}' under resource group '{GROUP}' was not found."
        );
        let missing = Refusal(StatusCode::NOT_FOUND, "ResourceNotFound", message);
        is_there.then_some(()).ok_or(missing)
    }
}

async fn deployment(
    State(manager): Shared,
    Path((subscription, group, name)): Path<(String, String, String)>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let asked = Asked {
        subscription: &subscription,
        group: &group,
        resource: format!("Microsoft.Resources/deployments/{name}"),
        action: "Microsoft.Resources/deployments/read",
        is_allowed: |rights| rights.read,
        versions: &DEPLOYMENTS,
    };
    manager.admit(&headers, &query, &asked)?;
    let deployed = manager.deployed.lock();
    let state = deployed
        .state
        .as_ref()
        .filter(|_| name.eq_ignore_ascii_case(DEPLOYMENT));
    let Some(state) = state else {
        let message = format!("Deployment '{name}' could not be found.");
        return Err(Refusal(
            StatusCode::NOT_FOUND,
            "DeploymentNotFound",
            message,
        ));
    };
    let mut properties = json!({
        "provisioningState": state, "mode": "Incremental", "parameters": typed(&deployed.parameters),
    });
    // There are none before the end.
    if state == "Succeeded" {
        properties["outputs"] = typed(&deployed.outputs);
    }
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Resources/deployments/{DEPLOYMENT}"
    );
    Ok(Json(json!({
        "id": id, "name": DEPLOYMENT, "type": "Microsoft.Resources/deployments", "properties": properties,
    })))
}

/// Versions of `Microsoft.Resources/resourceGroups` from the last years.
const GROUPS: [&str; 3] = ["2021-04-01", "2022-09-01", "2024-03-01"];

async fn delete_group(
    State(manager): Shared,
    Path((subscription, group)): Path<(String, String)>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let asked = Asked {
        subscription: &subscription,
        group: &group,
        resource: String::new(),
        action: "Microsoft.Resources/subscriptions/resourceGroups/delete",
        is_allowed: |rights| rights.delete_group,
        versions: &GROUPS,
    };
    manager.admit(&headers, &query, &asked)?;
    if manager.deployed.lock().is_gone {
        let message = format!("Resource group '{group}' could not be found.");
        return Err(Refusal(
            StatusCode::NOT_FOUND,
            "ResourceGroupNotFound",
            message,
        ));
    }
    *manager.deployed.lock() = Deployed {
        is_gone: true,
        ..Deployed::default()
    };
    Ok(StatusCode::ACCEPTED)
}

/// Parameters and outputs as a deployment shows them.
fn typed(values: &Map<String, Value>) -> Value {
    let values = values.iter().map(|(name, value)| {
        let kind = if value.is_array() { "Array" } else { "String" };
        (name.clone(), json!({ "type": kind, "value": value }))
    });
    Value::Object(values.collect())
}

fn shown(settings: &BTreeMap<String, String>) -> Json<Value> {
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Web/sites/{APP}/config/appsettings"
    );
    Json(json!({
        "id": id, "name": "appsettings", "type": "Microsoft.Web/sites/config", "location": "local", "properties": settings,
    }))
}

async fn list(
    State(manager): Shared,
    Path((subscription, group, app)): Path<(String, String, String)>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let asked = Asked {
        subscription: &subscription,
        group: &group,
        resource: format!("Microsoft.Web/sites/{app}/config/appsettings"),
        action: "Microsoft.Web/sites/config/list/action",
        is_allowed: |rights| rights.list_settings,
        versions: &SITES,
    };
    check_length(&headers)?;
    manager.admit(&headers, &query, &asked)?;
    manager.check_app(&app)?;
    Ok(shown(&manager.deployed.lock().settings))
}

/// In front of the service, which answers 411.
fn check_length(headers: &HeaderMap) -> Result<(), Refusal> {
    const REQUIRED: &str = "The request must be chunked or have a content length.";
    let required = || {
        let status = StatusCode::LENGTH_REQUIRED;
        Refusal(status, "LengthRequired", REQUIRED.to_owned())
    };
    let has_length = headers.contains_key(header::CONTENT_LENGTH);
    has_length.then_some(()).ok_or_else(required)
}

async fn keys(
    State(manager): Shared,
    Path((subscription, group, app, function, list)): Path<(
        String,
        String,
        String,
        String,
        String,
    )>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let asked = Asked {
        subscription: &subscription,
        group: &group,
        resource: format!("Microsoft.Web/sites/{app}/functions/{function}"),
        action: "Microsoft.Web/sites/functions/listkeys/action",
        is_allowed: |rights| rights.list_keys,
        versions: &SITES,
    };
    check_length(&headers)?;
    manager.admit(&headers, &query, &asked)?;
    manager.check_app(&app)?;
    let found = manager.deployed.lock().keys.get(&function).cloned();
    match found.filter(|_| list.eq_ignore_ascii_case("listkeys")) {
        Some(key) => Ok(Json(json!({ "default": key }))),
        None => {
            let message = format!("The function '{function}' was not found.");
            Err(Refusal(StatusCode::NOT_FOUND, "NotFound", message))
        }
    }
}

#[derive(Deserialize)]
struct Replacement {
    properties: BTreeMap<String, String>,
}

async fn replace(
    State(manager): Shared,
    Path((subscription, group, app)): Path<(String, String, String)>,
    Query(query): Parameters,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let asked = Asked {
        subscription: &subscription,
        group: &group,
        resource: format!("Microsoft.Web/sites/{app}/config/appsettings"),
        action: "Microsoft.Web/sites/config/write",
        is_allowed: |rights| rights.write_settings,
        versions: &SITES,
    };
    manager.admit(&headers, &query, &asked)?;
    manager.check_app(&app)?;
    let wrong = |message: String| Refusal(StatusCode::BAD_REQUEST, "BadRequest", message);
    let replacement: Replacement = serde_json::from_slice(&body).map_err(|_| {
        wrong("The request content was invalid and could not be deserialized.".to_owned())
    })?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    if let Some(name) = replacement
        .properties
        .keys()
        .find(|name| !name.bytes().all(letter))
    {
        return Err(wrong(format!(
            "AppSetting with name(s) '{name}' is not allowed."
        )));
    }
    let mut deployed = manager.deployed.lock();
    deployed.settings = replacement.properties;
    deployed.writes += 1;
    Ok(shown(&deployed.settings))
}
