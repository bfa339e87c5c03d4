//! The control interface about Genesys: what the agent does and sees.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Genesys;

#[derive(Deserialize)]
struct Written {
    text: String,
}

#[derive(Deserialize)]
struct Secret {
    value: String,
}

/// A secret must be longer than this many characters (Platform API, model `OpenIntegrationRequest`).
const SHORT_SECRET: usize = 15;

/// Routes with their full paths.
pub fn router(genesys: Arc<Genesys>) -> Router {
    Router::new()
        .route("/local/genesys/threads/{thread}/messages", post(write))
        .route("/local/genesys/conversations", get(conversations))
        .route("/local/genesys/webhook-secret", put(webhook_secret))
        .with_state(genesys)
}

async fn write(
    State(genesys): State<Arc<Genesys>>,
    Path(thread): Path<String>,
    Json(written): Json<Written>,
) -> Response {
    if written.text.is_empty() {
        let refusal = Json(json!({ "error": "text must not be empty" }));
        return (StatusCode::BAD_REQUEST, refusal).into_response();
    }
    let id = genesys.agent_writes(&thread, &written.text);
    (StatusCode::CREATED, Json(json!({ "id": id }))).into_response()
}

async fn conversations(State(genesys): State<Arc<Genesys>>) -> Json<Value> {
    Json(genesys.conversations().view())
}

/// What an administrator does when the webhook's secret is rotated.
async fn webhook_secret(
    State(genesys): State<Arc<Genesys>>,
    Json(secret): Json<Secret>,
) -> Response {
    if secret.value.chars().count() <= SHORT_SECRET {
        let refusal = Json(json!({ "error": "the secret must be longer than 15 characters" }));
        return (StatusCode::BAD_REQUEST, refusal).into_response();
    }
    genesys.webhooks.set_secret(secret.value);
    StatusCode::NO_CONTENT.into_response()
}
