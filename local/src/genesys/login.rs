//! Tokens: the client credentials grant, and who a bearer token belongs to (Genesys Cloud Developer Center, "Grant - Client
//! Credentials").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
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
use super::answers::Refusal;

/// Life of a token in seconds: the default of an OAuth client.
const TOKEN_SECONDS: u64 = 86_400;

/// The OAuth client and its tokens.
pub struct Login {
    secret: String,
    tokens: Mutex<HashMap<String, Instant>>,
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

    fn issue(&self) -> String {
        let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let now = Instant::now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, expires| *expires > now);
        tokens.insert(token.clone(), now + Duration::from_secs(TOKEN_SECONDS));
        token
    }

    fn knows(&self, token: &str) -> bool {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens
            .get(token)
            .is_some_and(|expires| *expires > Instant::now())
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
    if client != genesys.world.config.genesys_client_id {
        let why = "client not found: invalid client_id";
        return refused(StatusCode::BAD_REQUEST, "invalid_client", why);
    }
    if secret != genesys.login.secret {
        let why = "authentication failed";
        return refused(StatusCode::UNAUTHORIZED, "invalid_client", why);
    }
    let answer = json!({
        "access_token": genesys.login.issue(),
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

/// The middleware before the API: a token that is ours, then the client's rate limit.
pub async fn authorised(
    State(genesys): State<Arc<Genesys>>,
    request: Request,
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
    if !genesys.login.knows(token) {
        return Refusal::new(
            StatusCode::UNAUTHORIZED,
            "bad.credentials",
            "Invalid login credentials.",
        )
        .into_response();
    }
    match genesys.rate_limit.admit() {
        Ok(()) => next.run(request).await,
        Err(seconds) => Refusal::too_many_requests(seconds).into_response(),
    }
}

/// `GET /api/v2/tokens/me`: what the caller's token is (Platform API, model `TokenInfo`).
pub async fn token_info(State(genesys): State<Arc<Genesys>>) -> Json<Value> {
    let organization = json!({ "id": Uuid::from_u128(7).to_string(), "name": "Local" });
    Json(json!({
        "organization": organization,
        "homeOrganization": organization,
        "authorizedScope": [],
        "OAuthClient": {
            "id": genesys.world.config.genesys_client_id,
            "name": "Bridge",
            "organization": organization,
        },
    }))
}
