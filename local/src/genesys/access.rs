//! Tokens: the client credentials grant, and whether a request has a token and comes not too often (Genesys Cloud Developer
//! Center, "Grant - Client Credentials").

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::answers::Refusal;
use super::login::{NoToken, TOKEN_SECONDS};
use super::state::Genesys;

/// Id of the organisation.
pub const ORGANISATION: Uuid = Uuid::from_u128(7);

/// Media type of a token request's body (RFC 6749, section 3.2).
const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// OAuth's own refusals have a shape of their own, with the text under two names.
fn refused(status: StatusCode, error: &str, why: &str) -> Response {
    let body = json!({ "error": error, "description": why, "error_description": why });
    (status, Json(body)).into_response()
}

/// `POST /oauth/token`.
pub async fn token(
    State(genesys): State<Arc<Genesys>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refuse = |error, why| refused(StatusCode::BAD_REQUEST, error, why);
    let invalid = |why| refuse("invalid_request", why);
    let kind = headers.get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(FORM)) {
        return invalid("the body must be application/x-www-form-urlencoded");
    }
    let Some((client, secret)) = basic(&headers) else {
        return invalid("client id and secret must be sent as Basic authorization");
    };
    let grant = url::form_urlencoded::parse(&body).find(|(name, _)| name == "grant_type");
    match grant.as_ref().map(|(_, value)| value.as_ref()) {
        Some("client_credentials") => {}
        Some(_) => {
            let why = "this client may only use client_credentials";
            return refuse("unsupported_grant_type", why);
        }
        None => return invalid("grant_type is missing"),
    }
    let token = match genesys.login.issue(&client, &secret) {
        Ok(token) => token,
        Err(NoToken::UnknownClient) => {
            return refuse("invalid_client", "client not found: invalid client_id");
        }
        Err(NoToken::WrongSecret) => {
            let why = "authentication failed";
            return refused(StatusCode::UNAUTHORIZED, "invalid_client", why);
        }
    };
    Json(json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": TOKEN_SECONDS,
    }))
    .into_response()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    Some((client.to_owned(), secret.to_owned()))
}

/// The middleware before the API: a token that is ours, then the rate limit of its client.
pub async fn authorised(
    State(genesys): State<Arc<Genesys>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    const ABSENT: &str = "No authentication bearer token specified in authorization header.";
    let value = request.headers().get(header::AUTHORIZATION);
    let presented = value
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let unauthorised = |code, why| Refusal::new(StatusCode::UNAUTHORIZED, code, why);
    let (_, token) = presented.ok_or_else(|| unauthorised("authentication.required", ABSENT))?;
    let holder = genesys.login.holder(token.trim());
    let holder =
        holder.ok_or_else(|| unauthorised("bad.credentials", "Invalid login credentials."))?;
    let admitted = genesys.login.admit(&holder);
    admitted.map_err(Refusal::too_many_requests)?;
    request.extensions_mut().insert(Caller(holder));
    Ok(next.run(request).await)
}

/// The client whose token came with a request, by its id.
#[derive(Clone)]
pub struct Caller(pub String);

impl Caller {
    /// Refuses a caller without this right.
    pub fn needs(&self, genesys: &Genesys, right: &str) -> Result<(), Refusal> {
        self.needs_any(genesys, &[right])
    }

    /// Refuses a caller with none of these rights.
    pub fn needs_any(&self, genesys: &Genesys, rights: &[&str]) -> Result<(), Refusal> {
        let held = genesys.rights_of(&self.0);
        let right = rights.iter().find(|right| held.contains(**right));
        let right = right.ok_or_else(|| Refusal::forbidden(&rights.join(", ")))?;
        genesys.login.note_use(&self.0, right);
        Ok(())
    }
}

/// `GET /api/v2/tokens/me`: what the caller's token is (Platform API, model `TokenInfo`).
pub async fn token_info(
    State(genesys): State<Arc<Genesys>>,
    Extension(caller): Extension<Caller>,
) -> Json<Value> {
    let organization = json!({ "id": ORGANISATION.to_string(), "name": "Local" });
    // A person signed in through a client that Genesys has built in, whose organisation is none.
    let client = match genesys.login.is_person(&caller.0) {
        true => json!({
            "id": Uuid::from_u128(0xb1).to_string(),
            "name": "Developer tools",
            "organization": { "id": "purecloud-builtin" },
        }),
        false => json!({
            "id": caller.0,
            "name": genesys.login.client(&caller.0, |client| client.name.clone()),
            "organization": organization,
        }),
    };
    Json(json!({
        "organization": organization,
        "homeOrganization": organization,
        "authorizedScope": [],
        "OAuthClient": client,
    }))
}
