//! The managed-identity endpoint of App Service and Functions.
//!
//! Source: "How to use managed identities for App Service and Azure Functions", REST endpoint reference.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::state::{BOT_AUDIENCE, EXCHANGE_AUDIENCE, Entra, TOKEN_LIFE, principal};

/// The only version of the interface that names its header `X-IDENTITY-HEADER`.
const API_VERSION: &str = "2019-08-01";

/// What the Function App's identity has business with, written without a closing slash; the bot's own has with the connector alone.
const RESOURCES: [&str; 5] = [
    GRAPH,
    "https://storage.azure.com",
    "https://vault.azure.net",
    "https://servicebus.azure.net",
    EXCHANGE_AUDIENCE,
];

const GRAPH: &str = "https://graph.microsoft.com";

struct Refusal(StatusCode, &'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "statusCode": self.0.as_u16(),
            "message": self.1,
            "correlationId": Uuid::new_v4().to_string(),
        });
        (self.0, Json(body)).into_response()
    }
}

/// The route of the managed-identity endpoint, at the path of [`crate::world::Endpoints::identity`].
pub fn router(entra: &Arc<Entra>) -> Router {
    let endpoint = Url::parse(&entra.world.endpoints.identity);
    let path = endpoint.map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
    Router::new()
        .route(&path, get(token))
        .with_state(Arc::clone(entra))
}

async fn token(
    State(entra): State<Arc<Entra>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    const STRANGER: &str = "The X-IDENTITY-HEADER header is missing or wrong.";
    let refuse = |message| Refusal(StatusCode::BAD_REQUEST, message);
    // It keeps out requests that somebody else made this machine send.
    let header = headers.get("x-identity-header").map(|it| it.as_bytes());
    if header != Some(entra.world.endpoints.identity_header.as_bytes()) {
        return Err(Refusal(StatusCode::UNAUTHORIZED, STRANGER));
    }
    let parameter = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    if parameter("api-version") != API_VERSION {
        return Err(refuse("The api-version is missing or not supported."));
    }
    let config = &entra.world.config;
    let asked = parameter("client_id");
    let is_app = asked.eq_ignore_ascii_case(&config.managed_identity_client_id);
    let is_bot = config.bot_authentication == "managed-identity"
        && !config.bot_app.is_empty()
        && asked.eq_ignore_ascii_case(&config.bot_app);
    if !is_app && !is_bot {
        return Err(refuse("No Managed Identity found for specified ClientId."));
    }
    let resource = parameter("resource");
    let named = resource.strip_suffix('/').unwrap_or(resource);
    let is_known = match named {
        BOT_AUDIENCE => is_bot,
        named => is_app && RESOURCES.contains(&named),
    };
    if !is_known {
        const UNKNOWN: &str = "AADSTS500011: The resource principal was not found in the tenant.";
        return Err(refuse(UNKNOWN));
    }
    let client = match is_app {
        true => &config.managed_identity_client_id,
        false => &config.bot_app,
    };
    let (token, expires_on) = entra.identity_token(client, resource);
    Ok(Json(json!({
        "access_token": token,
        "expires_on": expires_on.to_string(),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": client,
    })))
}

impl Entra {
    /// A token of the Function App's identity and when it ends, in seconds since 1970. Its audience is the resource as asked for.
    #[cfg(test)]
    pub(crate) fn managed_identity_token(&self, resource: &str) -> (String, i64) {
        self.identity_token(&self.world.config.managed_identity_client_id, resource)
    }

    fn identity_token(&self, client: &str, resource: &str) -> (String, i64) {
        let principal = principal(client);
        let expires_on = OffsetDateTime::now_utc().unix_timestamp() + TOKEN_LIFE;
        let mut claims = json!({
            "exp": expires_on, "aud": resource, "oid": principal, "sub": principal, "appid": client, "idtyp": "app",
            "ver": "1.0", "uti": Uuid::new_v4().simple().to_string(),
        });
        // The templates grant it only where there is a client secret to renew.
        let renews = self.world.config.graph_client_authentication == "secret";
        if renews && resource.trim_end_matches('/') == GRAPH {
            claims["roles"] = json!(["Application.ReadWrite.OwnedBy"]);
        }
        if resource == EXCHANGE_AUDIENCE {
            // A federated credential names the issuer of version 2.0 tokens, and a token must match it to the letter.
            claims["ver"] = json!("2.0");
            claims["azp"] = json!(client);
        }
        (self.issue(claims), expires_on)
    }
}
