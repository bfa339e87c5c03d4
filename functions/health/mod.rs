//! `health`: whether this instance can do its work, from memory alone. It calls nothing, so it is safe to ask often.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use services::secrets::names;

use crate::app::App;

/// Name of the function.
pub const NAME: &str = "health";

/// Path at which the host calls it.
pub const PATH: &str = "/api/health";

/// Answers `{"status": "ok" | "starting" | "degraded", "reasons": […], "counters": {…}}`.
pub async fn handle(State(app): State<Arc<App>>) -> Json<Value> {
    let mut starting = Vec::new();
    for secret in [names::GRAPH_CLIENT_STATE, names::GENESYS_WEBHOOK] {
        if !app.secrets.is_loaded(secret) {
            starting.push(format!("Key Vault secret {secret} is not loaded yet"));
        }
    }
    let down: Vec<String> = app
        .gate
        .down()
        .into_iter()
        .map(|service| format!("{service} does not answer"))
        .collect();
    let status = match (starting.is_empty(), down.is_empty()) {
        (_, false) => "degraded",
        (false, true) => "starting",
        (true, true) => "ok",
    };
    let reasons: Vec<String> = starting.into_iter().chain(down).collect();
    Json(json!({
        "status": status,
        "reasons": reasons,
        "version": env!("CARGO_PKG_VERSION"),
        "counters": app.counters.to_json(),
    }))
}
