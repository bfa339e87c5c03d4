//! `health`: whether this instance can do its work, from memory alone. It calls nothing, so it is safe to ask often.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use services::error::Service;
use services::secrets::names;

use crate::app::App;

/// Name of the function.
pub const NAME: &str = "health";

/// Path at which the host calls it.
pub const PATH: &str = "/api/health";

/// Answers `{"status": "ok" | "starting" | "degraded", "reasons": […], "counters": {…}}`; the reasons are for an operator.
pub async fn handle(State(app): State<Arc<App>>) -> Json<Value> {
    let degraded = degraded(&app);
    let starting = [names::GRAPH_CLIENT_STATE, names::GENESYS_WEBHOOK]
        .into_iter()
        .filter(|secret| !app.secrets.is_loaded(secret))
        .map(|secret| format!("Key Vault secret {secret} is not loaded yet"));
    let starting: Vec<String> = starting.collect();
    let status = match (degraded.is_empty(), starting.is_empty()) {
        (false, _) => "degraded",
        (true, false) => "starting",
        (true, true) => "ok",
    };
    let reasons = [degraded, starting].concat();
    Json(json!({
        "status": status,
        "reasons": reasons,
        "version": env!("CARGO_PKG_VERSION"),
        "counters": app.counters,
    }))
}

/// What keeps messages from going on.
fn degraded(app: &App) -> Vec<String> {
    let unset = app.settings.unset.iter().map(|setting| {
        let (name, remedy) = (setting.name, setting.remedy());
        format!("setting {name} is not set yet, so no message is taken: {remedy}")
    });
    let down = app.gate.down().into_iter().map(|service| {
        let name = match service {
            Service::Graph => "Microsoft Graph",
            Service::Genesys => "Genesys Cloud",
            Service::Bot => "the bot's connector",
            other => other.label(),
        };
        format!("{name} does not answer, so messages wait on their queue")
    });
    unset.chain(down).collect()
}

#[cfg(test)]
mod tests;
