//! Control of Entra ID: new signing keys, and validation tokens as Graph puts them into its notifications.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::state::Entra;
use crate::shared::refused::Refused;

/// The application that publishes Graph's change notifications ("Set up Microsoft Graph change notifications with resource
/// data", validating the authenticity of notifications).
pub const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

pub(super) fn router() -> Router<Arc<Entra>> {
    Router::new()
        .route("/local/entra/rotate-keys", post(rotate_keys))
        .route("/local/entra/tokens", post(token))
}

async fn rotate_keys(State(entra): State<Arc<Entra>>) -> Json<Value> {
    Json(json!({ "kid": entra.keys.rotate() }))
}

/// The body's claims replace those of a genuine token; `null` takes one away. No body: a genuine token.
async fn token(State(entra): State<Arc<Entra>>, body: Bytes) -> Result<Json<Value>, Refused> {
    let changes = if body.is_empty() {
        Map::new()
    } else {
        serde_json::from_slice(&body).map_err(Refused::bad_request)?
    };
    Ok(Json(json!({ "token": entra.validation_token(changes) })))
}

impl Entra {
    fn validation_token(&self, changes: Map<String, Value>) -> String {
        let genuine =
            json!({ "aud": self.world.config.graph_client_id, "azp": PUBLISHER, "azpacr": "2" });
        let mut claims = self.complete(genuine);
        claims.extend(changes);
        claims.retain(|_, value| !value.is_null());
        self.keys.sign(&Value::Object(claims))
    }
}
