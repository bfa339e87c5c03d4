//! `POST /{tenant}/oauth2/v2.0/token`: a refresh token for a new pair of tokens.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::{HeaderMap, header};
use serde_json::json;
use uuid::Uuid;

use super::refusal::Refusal;
use super::state::{EXCHANGE_AUDIENCE, Entra, TOKEN_LIFE};

/// Audience of a token for Microsoft Graph.
const GRAPH_AUDIENCE: &str = "https://graph.microsoft.com";

/// What the Support Users' sign-in was granted.
const SCOPES: &str = "Chat.Read ChatMessage.Send Files.Read.All User.Read offline_access";

/// Form of a client assertion (RFC 7523, section 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Media type of the body (RFC 6749, section 3.2).
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn router() -> Router<Arc<Entra>> {
    Router::new().route("/{tenant}/oauth2/v2.0/token", post(token))
}

async fn token(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    entra.check_tenant(&tenant)?;
    let form = read_form(&headers, &body);
    match required(&form, "grant_type")? {
        "refresh_token" => entra.refresh(&form),
        _ => Err(Refusal::bad_request(
            "unsupported_grant_type",
            70003,
            "The app requested an unsupported grant type.",
        )),
    }
}

/// A body of another type has no parameters, as far as Entra ID is concerned.
fn read_form(headers: &HeaderMap, body: &[u8]) -> HashMap<String, String> {
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(FORM.as_bytes())) {
        url::form_urlencoded::parse(body).into_owned().collect()
    } else {
        HashMap::new()
    }
}

fn required<'a>(form: &'a HashMap<String, String>, name: &str) -> Result<&'a str, Refusal> {
    form.get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .ok_or(Refusal::request(
            900_144,
            "The request body is missing a required parameter: 'grant_type', 'client_id' or 'refresh_token'.",
        ))
}

impl Entra {
    fn refresh(&self, form: &HashMap<String, String>) -> Result<Response, Refusal> {
        let client = required(form, "client_id")?;
        if !client.eq_ignore_ascii_case(&self.world.config.graph_client_id) {
            return Err(Refusal::bad_request(
                "unauthorized_client",
                700_016,
                "The application was not found in the directory.",
            ));
        }
        let refresh_token = required(form, "refresh_token")?;
        self.check_client(form)?;
        let user = self.user_of(refresh_token).ok_or(Refusal::bad_request(
            "invalid_grant",
            70008,
            "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.",
        ))?;
        let body = json!({
            "token_type": "Bearer",
            "scope": SCOPES,
            // One second less than the token has, so that no caller believes longer in it than we do.
            "expires_in": TOKEN_LIFE - 1,
            "ext_expires_in": TOKEN_LIFE - 1,
            "access_token": self.delegated_token(&user),
            "refresh_token": self.new_refresh_token(&user),
        });
        let headers = [
            (header::CACHE_CONTROL.as_str(), "no-store, no-cache"),
            (header::PRAGMA.as_str(), "no-cache"),
            ("x-ms-request-id", &Uuid::new_v4().to_string()),
        ];
        Ok((headers, Json(body)).into_response())
    }

    /// An access token of the user for Graph; Graph's are of version 1.0.
    fn delegated_token(&self, user: &str) -> String {
        self.issue(json!({
            "aud": GRAPH_AUDIENCE,
            "ver": "1.0",
            "oid": user,
            "sub": user,
            "scp": SCOPES,
            "appid": self.world.config.graph_client_id,
            "idtyp": "user",
            "uti": Uuid::new_v4().simple().to_string(),
        }))
    }
}

/// How the Graph app proves itself: by a token of the managed identity (federated credential) or by its client secret
/// ("Configure an application to trust a managed identity"; the numbers are those of "Microsoft Entra authentication and
/// authorization error codes").
impl Entra {
    /// Checks the proof in a token request.
    ///
    /// # Errors
    /// 401 `invalid_client`, or 400 when the assertion is of an unknown type.
    fn check_client(&self, form: &HashMap<String, String>) -> Result<(), Refusal> {
        let mode = self.world.config.graph_client_authentication.as_str();
        if let Some(assertion) = form.get("client_assertion") {
            if form.get("client_assertion_type").map(String::as_str) != Some(ASSERTION_TYPE) {
                return Err(Refusal::request(
                    50033,
                    "The value of 'client_assertion_type' is missing or not supported.",
                ));
            }
            return self.check_assertion(assertion, mode == "federated");
        }
        let Some(secret) = form.get("client_secret") else {
            return Err(Refusal::client(
                7_000_218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
            ));
        };
        if mode == "secret" && *secret == self.graph_client_secret {
            Ok(())
        } else {
            Err(Refusal::client(
                7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
            ))
        }
    }

    /// The one federated credential trusts this tenant's managed identity, where the app has such a credential at all.
    fn check_assertion(&self, assertion: &str, trusted: bool) -> Result<(), Refusal> {
        let claims = self.verify(assertion, &[EXCHANGE_AUDIENCE]).map_err(|_| {
            Refusal::client(
                700_027,
                "The client assertion failed validation: its signature, its life or its audience is wrong.",
            )
        })?;
        let matches = claims["iss"] == self.issuer_v2()
            && claims["sub"] == self.managed_identity_principal()
            && claims["oid"] == self.managed_identity_principal();
        if trusted && matches {
            Ok(())
        } else {
            Err(Refusal::client(
                700_213,
                "No matching federated identity record found for presented assertion subject.",
            ))
        }
    }
}
