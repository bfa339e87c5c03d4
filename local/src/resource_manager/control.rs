//! Control of Resource Manager: what was deployed, what the app's settings are, and who may do what.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::{ResourceManager, Rights};

type Shared = State<Arc<ResourceManager>>;

/// `/local/resource-manager`: `GET` shows everything, `PUT …/deployment` changes how the deployment ended, what it was given and what it gave out,
/// `PUT …/settings` single settings of the app (a null takes one away), `PUT …/rights` what whoever is logged in may do.
/// `GET …/installation` is the first half of `graph-to-open.toml`.
pub fn router(manager: &Arc<ResourceManager>) -> Router {
    const ALL: &str = "/local/resource-manager";
    Router::new()
        .route(ALL, get(view))
        .route(&format!("{ALL}/deployment"), put(deployment))
        .route(&format!("{ALL}/settings"), put(settings))
        .route(&format!("{ALL}/rights"), put(rights))
        .route(&format!("{ALL}/installation"), get(installation))
        .with_state(Arc::clone(manager))
}

async fn view(State(manager): Shared) -> Json<Value> {
    let (deployed, rights) = (manager.deployed.lock().clone(), *manager.rights.lock());
    Json(json!({ "deployed": deployed, "rights": rights }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    /// Null for a deployment that never was.
    state: Option<String>,
    /// Parameters in the place of those that it was given; a null takes one away.
    #[serde(default)]
    parameters: Map<String, Value>,
    /// Outputs in the place of those that there are; a null takes one away.
    #[serde(default)]
    outputs: Map<String, Value>,
}

async fn deployment(State(manager): Shared, Json(changed): Json<Changed>) -> StatusCode {
    let mut deployed = manager.deployed.lock();
    deployed.state = changed.state;
    change(&mut deployed.parameters, changed.parameters);
    change(&mut deployed.outputs, changed.outputs);
    StatusCode::NO_CONTENT
}

fn change(all: &mut Map<String, Value>, changed: Map<String, Value>) {
    for (name, value) in changed {
        match value {
            Value::Null => all.remove(&name),
            value => all.insert(name, value),
        };
    }
}

async fn settings(
    State(manager): Shared,
    Json(changes): Json<BTreeMap<String, Option<String>>>,
) -> StatusCode {
    let mut deployed = manager.deployed.lock();
    for (name, value) in changes {
        match value {
            None => deployed.settings.remove(&name),
            Some(value) => deployed.settings.insert(name, value),
        };
    }
    StatusCode::NO_CONTENT
}

async fn rights(State(manager): Shared, Json(rights): Json<Rights>) -> StatusCode {
    *manager.rights.lock() = rights;
    StatusCode::NO_CONTENT
}

async fn installation(State(manager): Shared) -> String {
    manager.installation()
}
