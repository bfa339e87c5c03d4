//! Control of the vault: what an operator or a deployment does to a secret, without a token.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::state::{Deleted, KeyVault};
use crate::shared::refused::Refused;
use crate::shared::time_text;

#[derive(Serialize, Deserialize)]
struct Secret {
    value: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// `/local/key-vault/secrets/{name}`: `PUT` makes a new version, `POST` one only where there is no such secret, `DELETE` leaves
/// it to be recovered. `/local/key-vault/writable` says what the managed identity may write.
pub fn router(vault: &Arc<KeyVault>) -> Router {
    const ONE: &str = "/local/key-vault/secrets/{name}";
    Router::new()
        .route(ONE, get(read).put(write).post(place).delete(delete))
        .route(&format!("{ONE}/recover"), post(recover))
        .route(&format!("{ONE}/versions"), get(versions))
        .route("/local/key-vault/writable", put(let_write))
        .with_state(Arc::clone(vault))
}

async fn read(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
) -> Result<Json<Secret>, Refused> {
    let found = vault.get(&name).ok_or_else(no_secret)?;
    Ok(Json(Secret {
        value: found.value,
        tags: found.tags,
    }))
}

/// All versions, the oldest first.
async fn versions(State(vault): State<Arc<KeyVault>>, Path(name): Path<String>) -> Json<Value> {
    let all = vault.versions(&name).into_iter();
    let view = |it: super::state::Secret| {
        let created = time_text(it.created);
        json!({ "value": it.value, "created": created, "tags": it.tags })
    };
    Json(json!({ "versions": all.map(view).collect::<Vec<_>>() }))
}

async fn write(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
    Json(secret): Json<Secret>,
) -> Result<Json<Secret>, Refused> {
    let written = vault.set(&name, &secret.value, secret.tags.clone());
    written.map_err(deleted)?;
    Ok(Json(secret))
}

/// 201 when it was placed, 200 when there is one already.
async fn place(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
    Json(secret): Json<Secret>,
) -> Result<StatusCode, Refused> {
    match vault.place(&name, &secret.value).map_err(deleted)? {
        true => Ok(StatusCode::CREATED),
        false => Ok(StatusCode::OK),
    }
}

async fn delete(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refused> {
    let deleted = vault.delete(&name, vault.world.clock.now());
    deleted.ok_or_else(no_secret)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn recover(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refused> {
    let recovered = vault.recover(&name).then_some(StatusCode::NO_CONTENT);
    recovered.ok_or_else(no_secret)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writable {
    /// Null for all.
    secrets: Option<Vec<String>>,
}

async fn let_write(
    State(vault): State<Arc<KeyVault>>,
    Json(writable): Json<Writable>,
) -> Result<StatusCode, Refused> {
    let set = vault.let_write(writable.secrets);
    set.map_err(|name| Refused::not_found(&format!("secret {name}")))?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_secret() -> Refused {
    Refused::not_found("such secret")
}

fn deleted(Deleted: Deleted) -> Refused {
    const WHY: &str = "the secret is deleted: recover it first";
    Refused(StatusCode::CONFLICT, WHY.to_owned())
}
