use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use services::testing::World;

use super::handle;
use crate::app::App;
use crate::testing::{app_in, start};

async fn health(app: &Arc<App>) -> (String, String) {
    let Json(health) = handle(State(Arc::clone(app))).await;
    let reasons = health["reasons"].as_array().into_iter().flatten();
    let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
    let status = health["status"].as_str().unwrap_or_default();
    (status.to_owned(), reasons.join("; "))
}

#[tokio::test]
async fn what_is_not_loaded_yet_is_named_until_it_is() {
    let (_world, app) = start().await;
    let (status, reasons) = health(&app).await;
    assert_eq!(status, "starting");
    assert!(reasons.contains("graph-client-state") && reasons.contains("genesys-webhook-secret"));
    for secret in ["graph-client-state", "genesys-webhook-secret"] {
        app.secrets.get(secret).await.expect("a secret");
    }
    assert_eq!(health(&app).await, ("ok".to_owned(), String::new()));
}

#[tokio::test]
async fn ids_that_are_not_known_yet_are_named_with_what_supplies_them() {
    let world = World::start().await;
    let nil = "00000000-0000-0000-0000-000000000000";
    let unset = [("GENESYS_INTEGRATION_ID", nil), ("GRAPH_CLIENT_ID", "")];
    let (status, reasons) = health(&app_in(&world, &unset)).await;
    assert_eq!(status, "degraded");
    for says in [
        "setting GRAPH_CLIENT_ID is not set yet, so no message is taken: run handler setup graph, which puts the application",
        "setting GENESYS_INTEGRATION_ID is not set yet, so no message is taken: run handler setup genesys, which puts the id",
    ] {
        assert!(reasons.contains(says), "{reasons}");
    }
}
