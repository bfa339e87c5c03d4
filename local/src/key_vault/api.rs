//! The REST interface of the vault.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use time::Duration;
use uuid::Uuid;

use super::state::{Deleted, KeyVault, Secret};

/// Audience of the vault's tokens.
const AUDIENCE: &str = "https://vault.azure.net";

/// Versions of the interface that the service knows.
const API_VERSIONS: &str = "2015-06-01 2016-10-01 7.0 7.1 7.2 7.3 7.4 7.5 7.6 2025-07-01";

/// Longest name of a secret, in characters.
const LONGEST_NAME: usize = 127;

/// Longest value of a secret, in bytes ("About Azure Key Vault secrets").
const LONGEST_VALUE: usize = 25 * 1024;

/// Most versions on one page of a list.
const PAGE: usize = 25;

/// Days for which a deleted secret can be recovered.
const RECOVERABLE_DAYS: i64 = 90;

/// `/secrets/{name}` with its versions, and `/deletedsecrets/{name}`.
pub fn router(vault: &Arc<KeyVault>) -> Router {
    Router::new()
        .route("/secrets/{name}", get(read).put(set).delete(remove))
        .route("/secrets/{name}/versions", get(list_versions))
        .route("/secrets/{name}/{version}", get(read_version))
        .route("/deletedsecrets/{name}", any(operators_only))
        .route("/deletedsecrets/{name}/recover", any(operators_only))
        .layer(middleware::from_fn_with_state(Arc::clone(vault), admit))
        .with_state(Arc::clone(vault))
}

/// Status, code and message.
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

    /// What a role is missing for.
    fn by_role(action: &str, name: &str) -> Self {
        let message = format!(
            "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nAction: 'Microsoft.KeyVault/vaults/secrets/{action}'\r\nResource: 'secrets/{name}'\r\nAssignment: (not found)"
        );
        Self(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    fn deleted(name: &str) -> Self {
        let message = format!(
            "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."
        );
        Self(StatusCode::CONFLICT, "Conflict", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.1, "message": self.2 });
        let inner = match self.0 {
            StatusCode::FORBIDDEN => Some("ForbiddenByRbac"),
            StatusCode::CONFLICT => Some("ObjectIsDeletedButRecoverable"),
            _ => None,
        };
        if let Some(inner) = inner {
            error["innererror"] = json!({ "code": inner });
        }
        (self.0, Json(json!({ "error": error }))).into_response()
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

async fn read_version(
    State(vault): State<Arc<KeyVault>>,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    check_name(&name)?;
    let found = vault.versions(&name);
    let found = found.iter().find(|it| it.id == version);
    let found = found.ok_or_else(|| Refusal::not_found(&format!("{name}/{version}")))?;
    Ok(Json(vault.bundle(&name, found)))
}

/// All versions without their values, in pages.
async fn list_versions(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, Refusal> {
    check_name(&name)?;
    let number = |parameter: &str, absent| {
        let given = query.get(parameter).map(|text| text.parse());
        let wrong = |_| Refusal::parameter(&format!("{parameter} is not valid."));
        given.unwrap_or(Ok(absent)).map_err(wrong)
    };
    let (most, skipped) = (number("maxresults", PAGE)?, number("$skiptoken", 0)?);
    if !(1..=PAGE).contains(&most) {
        return Err(Refusal::parameter("maxresults must lie between 1 and 25."));
    }
    let versions = vault.versions(&name);
    let shown = versions.iter().skip(skipped).take(most);
    let shown = shown.map(|it| without_value(vault.bundle(&name, it)));
    let shown: Vec<Value> = shown.collect();
    let after = skipped.saturating_add(most);
    let next = (after < versions.len()).then(|| {
        let (base, version) = (&vault.world.endpoints.key_vault, &query["api-version"]);
        format!("{base}/secrets/{name}/versions?api-version={version}&maxresults={most}&%24skiptoken={after}")
    });
    Ok(Json(json!({ "value": shown, "nextLink": next })))
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
    vault.check_writer("setSecret/action", &name)?;
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
    let secret = vault.set(&name, &secret.value, secret.tags);
    let secret = secret.map_err(|Deleted| Refusal::deleted(&name))?;
    Ok(Json(vault.bundle(&name, &secret)))
}

async fn remove(
    State(vault): State<Arc<KeyVault>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refusal> {
    check_name(&name)?;
    vault.check_writer("delete", &name)?;
    let now = vault.world.clock.now();
    let secret = vault.delete(&name, now);
    let secret = secret.ok_or_else(|| Refusal::not_found(&name))?;
    let mut bundle = without_value(vault.bundle(&name, &secret));
    let base = &vault.world.endpoints.key_vault;
    bundle["recoveryId"] = json!(format!("{base}/deletedsecrets/{name}"));
    bundle["deletedDate"] = json!(now.unix_timestamp());
    let purged = now + Duration::days(RECOVERABLE_DAYS);
    bundle["scheduledPurgeDate"] = json!(purged.unix_timestamp());
    Ok(Json(bundle))
}

/// A role on a secret is none on the deleted one: the managed identity can neither recover nor purge it.
async fn operators_only(request: Request) -> Refusal {
    let name = request.uri().path().split('/').nth(2).unwrap_or_default();
    Refusal::by_role("recover/action", name)
}

fn without_value(mut bundle: Value) -> Value {
    if let Some(members) = bundle.as_object_mut() {
        members.remove("value");
    }
    bundle
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

    /// Refuses to write a secret on which the caller has no role.
    fn check_writer(&self, action: &str, name: &str) -> Result<(), Refusal> {
        let may = self.may_write(name);
        may.then_some(())
            .ok_or_else(|| Refusal::by_role(action, name))
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
                "recoverableDays": RECOVERABLE_DAYS,
            },
            "tags": secret.tags,
        })
    }
}
