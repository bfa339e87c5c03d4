//! The control interface about Genesys: what the agent does and sees.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Genesys;

#[derive(Deserialize)]
struct Written {
    text: String,
}

/// Routes with their full paths.
pub fn router(genesys: Arc<Genesys>) -> Router {
    Router::new()
        .route("/local/genesys/threads/{thread}/messages", post(write))
        .route("/local/genesys/conversations", get(conversations))
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
