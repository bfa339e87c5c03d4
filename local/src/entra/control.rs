//! Control of Entra ID: new signing keys, ended sessions, and validation tokens as Graph puts them into its notifications.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::state::Entra;

/// The application that publishes Graph's change notifications ("Set up Microsoft Graph change notifications with resource
/// data", validating the authenticity of notifications).
pub const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// `POST /local/entra/rotate-keys`, `POST /local/entra/revoke` and `POST /local/entra/tokens`.
pub fn router(entra: &Arc<Entra>) -> Router {
    Router::new()
        .route("/local/entra/rotate-keys", post(rotate_keys))
        .route("/local/entra/revoke", post(revoke))
        .route("/local/entra/tokens", post(token))
        .with_state(Arc::clone(entra))
}

async fn rotate_keys(State(entra): State<Arc<Entra>>) -> Json<Value> {
    Json(json!({ "kid": entra.keys.rotate() }))
}

#[derive(Deserialize)]
struct Who {
    user: String,
}

/// Ends the sessions of a user, by their object id.
async fn revoke(State(entra): State<Arc<Entra>>, Json(who): Json<Who>) -> Json<Value> {
    Json(json!({ "revoked": entra.revoke(&who.user) }))
}

/// The body's claims replace those of a genuine token; `null` takes one away. No body: a genuine token.
async fn token(
    State(entra): State<Arc<Entra>>,
    changes: Option<Json<Map<String, Value>>>,
) -> Json<Value> {
    let app = &entra.world.config.graph_client_id;
    let mut claims = json!({ "aud": app, "azp": PUBLISHER, "azpacr": "2" });
    for (name, value) in changes.unwrap_or_default().0 {
        claims[name] = value;
    }
    Json(json!({ "token": entra.issue(claims) }))
}
