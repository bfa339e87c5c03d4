//! Tokens: the client credentials grant, who a bearer token belongs to, and what that client may do (Genesys Cloud Developer
//! Center, "Grant - Client Credentials").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::Genesys;
use super::admin;
use super::answers::Refusal;

/// Life of a token in seconds: the default of an OAuth client.
const TOKEN_SECONDS: u64 = 86_400;

/// What the bridge's client may do: nothing but this.
const RECEIVE: &str = "conversation:message:receive";

/// Whose token a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The bridge.
    Bridge,
    /// The administrator who runs the operator's commands.
    Administrator,
}

impl Caller {
    /// Refuses a client without this permission.
    pub fn must_have(self, permission: &str) -> Result<(), Refusal> {
        let permissions: &[&str] = match self {
            Self::Bridge => &[RECEIVE],
            Self::Administrator => &admin::PERMISSIONS,
        };
        if permissions.contains(&permission) {
            return Ok(());
        }
        Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "missing.any.permissions",
            format!(
                "Unable to perform the requested action. You must have at least one of the following permissions assigned: [{permission}]"
            ),
        ))
    }
}

/// The bridge's OAuth client, and the tokens of every client.
pub struct Login {
    secret: String,
    tokens: Mutex<HashMap<String, (Caller, Instant)>>,
}

impl Login {
    /// A client with a new secret and without tokens.
    pub fn new() -> Self {
        Self {
            secret: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
            tokens: Mutex::default(),
        }
    }

    /// The client's secret.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    fn issue(&self, caller: Caller) -> String {
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let now = Instant::now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, (_, expires)| *expires > now);
        let expires = now + Duration::from_secs(TOKEN_SECONDS);
        tokens.insert(token.clone(), (caller, expires));
        token
    }

    fn owner(&self, token: &str) -> Option<Caller> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (caller, expires) = tokens.get(token)?;
        (*expires > Instant::now()).then_some(*caller)
    }
}

/// OAuth's own refusals have a shape of their own, with the text under two names.
fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    let body =
        json!({ "error": error, "description": description, "error_description": description });
    (status, Json(body)).into_response()
}

/// `POST /oauth/token`.
pub async fn token(
    State(genesys): State<Arc<Genesys>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !form {
        let why = "the body must be application/x-www-form-urlencoded";
        return refused(StatusCode::BAD_REQUEST, "invalid_request", why);
    }
    let Some((client, secret)) = basic(&headers) else {
        let why = "client id and secret must be sent as Basic authorization";
        return refused(StatusCode::BAD_REQUEST, "invalid_request", why);
    };
    let grant = url::form_urlencoded::parse(&body)
        .find(|(name, _)| name == "grant_type")
        .map(|(_, value)| value.into_owned());
    match grant.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            let why = "this client may only use client_credentials";
            return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", why);
        }
        None => {
            let why = "grant_type is missing";
            return refused(StatusCode::BAD_REQUEST, "invalid_request", why);
        }
    }
    let (caller, right) = if client == genesys.world.config.genesys_client_id {
        (Caller::Bridge, secret == genesys.login.secret)
    } else if client == genesys.admin.client_id() {
        (Caller::Administrator, genesys.admin.is_secret(&secret))
    } else {
        let why = "client not found: invalid client_id";
        return refused(StatusCode::BAD_REQUEST, "invalid_client", why);
    };
    if !right {
        let why = "authentication failed";
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", why);
    }
    let answer = json!({
        "access_token": genesys.login.issue(caller),
        "token_type": "bearer",
        "expires_in": TOKEN_SECONDS,
    });
    Json(answer).into_response()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    Some((client.to_owned(), secret.to_owned()))
}

/// The middleware before the API: a token that is ours, then the rate limit of the bridge's client. The limit counts by client,
/// and the administrator comes nowhere near it.
pub async fn authorised(
    State(genesys): State<Arc<Genesys>>,
    mut request: Request,
    next: Next,
) -> Response {
    let presented = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = presented else {
        return Refusal::new(
            StatusCode::UNAUTHORIZED,
            "authentication.required",
            "No authentication bearer token specified in authorization header.",
        )
        .into_response();
    };
    let Some(caller) = genesys.login.owner(token) else {
        return Refusal::new(
            StatusCode::UNAUTHORIZED,
            "bad.credentials",
            "Invalid login credentials.",
        )
        .into_response();
    };
    if caller == Caller::Bridge
        && let Err(seconds) = genesys.rate_limit.admit()
    {
        return Refusal::too_many_requests(seconds).into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// The middleware before Open Messaging's inbound endpoints.
pub async fn may_receive(
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    caller.must_have(RECEIVE)?;
    Ok(next.run(request).await)
}

/// `GET /api/v2/tokens/me`: what the caller's token is (Platform API, model `TokenInfo`).
pub async fn token_info(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
) -> Json<Value> {
    let (client, name) = match caller {
        Caller::Bridge => (genesys.world.config.genesys_client_id.as_str(), "Bridge"),
        Caller::Administrator => (genesys.admin.client_id(), "Administrator"),
    };
    let organization = json!({ "id": Uuid::from_u128(7).to_string(), "name": "Local" });
    Json(json!({
        "organization": organization,
        "homeOrganization": organization,
        "authorizedScope": [],
        "OAuthClient": {
            "id": client,
            "name": name,
            "organization": organization,
        },
    }))
}
