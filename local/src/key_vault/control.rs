//! Control of the vault: reading and writing a secret without a token.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::KeyVault;

#[derive(Serialize, Deserialize)]
struct Secret {
    value: String,
}

pub(super) fn router(state: Arc<KeyVault>) -> Router {
    Router::new()
        .route("/local/key-vault/secrets/{name}", get(read).put(write))
        .with_state(state)
}

async fn read(State(vault): State<Arc<KeyVault>>, Path(name): Path<String>) -> Response {
    match vault.get(&name) {
        Some(value) => Json(Secret { value }).into_response(),
        None => {
            let body = Json(json!({ "error": "there is no such secret" }));
            (StatusCode::NOT_FOUND, body).into_response()
        }
    }
}

async fn write(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
    Json(secret): Json<Secret>,
) -> Json<Secret> {
    vault.set(&name, &secret.value);
    Json(secret)
}
