//! Control of the vault: reading and writing a secret without a token.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::state::KeyVault;
use crate::shared::refused::Refused;

#[derive(Serialize, Deserialize)]
struct Secret {
    value: String,
}

/// `GET` and `PUT /local/key-vault/secrets/{name}`.
pub fn router(vault: &Arc<KeyVault>) -> Router {
    Router::new()
        .route("/local/key-vault/secrets/{name}", get(read).put(write))
        .with_state(Arc::clone(vault))
}

async fn read(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
) -> Result<Json<Secret>, Refused> {
    let found = vault.get(&name);
    let value = found
        .ok_or_else(|| Refused::not_found("such secret"))?
        .value;
    Ok(Json(Secret { value }))
}

async fn write(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
    Json(secret): Json<Secret>,
) -> Json<Secret> {
    vault.set(&name, &secret.value);
    Json(secret)
}
