//! The REST interface of the vault.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::{KeyVault, Secret};

/// Audience of the vault's tokens.
const AUDIENCE: &str = "https://vault.azure.net";

/// Versions of the interface that the service knows.
const API_VERSIONS: &str = "2015-06-01 2016-10-01 7.0 7.1 7.2 7.3 7.4 7.5 7.6 2025-07-01";

/// Longest name of a secret, in characters.
const LONGEST_NAME: usize = 127;

/// Longest value of a secret, in bytes ("About Azure Key Vault secrets").
const LONGEST_VALUE: usize = 25 * 1024;

/// `GET` and `PUT /secrets/{name}`.
pub fn router(vault: &Arc<KeyVault>) -> Router {
    Router::new()
        .route("/secrets/{name}", get(read).put(set))
        .layer(middleware::from_fn_with_state(Arc::clone(vault), admit))
        .with_state(Arc::clone(vault))
}

struct Refusal(StatusCode, &'static str, String);

impl Refusal {
    fn parameter(message: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, "BadParameter", message.to_owned())
    }

    fn not_found(name: &str) -> Self {
        let message = format!(
            "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command."
        );
        Self(StatusCode::NOT_FOUND, "SecretNotFound", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "code": self.1, "message": self.2 } });
        (self.0, Json(body)).into_response()
    }
}

/// Lets a request through that has a token and names a version of the interface; every answer gets a request id.
async fn admit(
    State(vault): State<Arc<KeyVault>>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = if let Err(message) = vault.check_token(request.headers()) {
        vault.challenge(&message)
    } else {
        match query.get("api-version").map(String::as_str) {
            None | Some("") => Refusal::parameter("api-version must be specified").into_response(),
            Some(version) if !API_VERSIONS.split(' ').any(|it| it == version) => {
                Refusal::parameter("The specified version is not recognized.").into_response()
            }
            Some(_) => next.run(request).await,
        }
    };
    if let Ok(id) = Uuid::new_v4().to_string().parse() {
        response.headers_mut().insert("x-ms-request-id", id);
    }
    response
}

async fn read(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    check_name(&name)?;
    let found = vault.get(&name).ok_or_else(|| Refusal::not_found(&name))?;
    Ok(Json(vault.bundle(&name, &found)))
}

#[derive(Deserialize)]
struct NewSecret {
    value: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

async fn set(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    check_name(&name)?;
    let secret: NewSecret = serde_json::from_slice(&body)
        .map_err(|_| Refusal::parameter("The request body is not a secret with a value."))?;
    if secret.value.len() > LONGEST_VALUE {
        return Err(Refusal::parameter("The secret's value is too long."));
    }
    let fits = |(name, value): (&String, &String)| name.len() <= 256 && value.len() <= 256;
    if secret.tags.len() > 15 || !secret.tags.iter().all(fits) {
        return Err(Refusal::parameter(
            "The secret has too many or too long tags.",
        ));
    }
    let secret = vault.set_tagged(&name, &secret.value, secret.tags);
    Ok(Json(vault.bundle(&name, &secret)))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(letter) {
        return Ok(());
    }
    const WRONG: &str = "The request URI contains an invalid name.";
    Err(Refusal::parameter(WRONG))
}

impl KeyVault {
    fn check_token(&self, headers: &HeaderMap) -> Result<(), String> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or("AKV10000: Request is missing a Bearer or PoP token.")?;
        self.entra
            .verify(token, &[AUDIENCE])
            .map(drop)
            .map_err(|problem| format!("AKV10022: The token is not accepted: {problem}."))
    }

    /// 401 with the place where a token is to be had.
    fn challenge(&self, message: &str) -> Response {
        let challenge = format!(
            "Bearer authorization=\"{}/{}\", resource=\"{AUDIENCE}\"",
            self.world.endpoints.entra, self.world.config.tenant
        );
        let message = message.to_owned();
        let refusal = Refusal(StatusCode::UNAUTHORIZED, "Unauthorized", message);
        ([(header::WWW_AUTHENTICATE, challenge)], refusal).into_response()
    }

    fn bundle(&self, name: &str, secret: &Secret) -> Value {
        let created = secret.created.unix_timestamp();
        json!({
            "value": secret.value,
            "id": format!("{}/secrets/{name}/{}", self.world.endpoints.key_vault, secret.id),
            "attributes": {
                "enabled": true,
                "created": created,
                "updated": created,
                "recoveryLevel": "Recoverable+Purgeable",
                "recoverableDays": 90,
            },
            "tags": secret.tags,
        })
    }
}
