//! What everybody may read: the discovery document and the signing keys ("OpenID Connect on the Microsoft identity
//! platform").

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::Entra;

/// Issuer of the tenant-independent documents, a template as it stands.
const COMMON_ISSUER: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

pub(super) fn router() -> Router<Arc<Entra>> {
    Router::new()
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(configuration),
        )
        .route("/{tenant}/discovery/v2.0/keys", get(keys))
        .route("/{tenant}/discovery/keys", get(keys_v1))
}

async fn configuration(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let issuer = entra.issuer_for(&tenant)?;
    let base = format!("{}/{tenant}", entra.world.endpoints.entra);
    Ok(Json(json!({
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "tenant_region_scope": null,
        "cloud_instance_name": "microsoftonline.com",
    })))
}

async fn keys(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let issuer = entra.issuer_for(&tenant)?;
    Ok(Json(entra.keys.published(Some(&issuer))))
}

async fn keys_v1(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
) -> Result<Json<Value>, Refusal> {
    entra.issuer_for(&tenant)?;
    Ok(Json(entra.keys.published(None)))
}

impl Entra {
    fn issuer_for(&self, tenant: &str) -> Result<String, Refusal> {
        match tenant {
            "common" | "organizations" => Ok(COMMON_ISSUER.to_owned()),
            tenant => self.check_tenant(tenant).map(|()| self.issuer_v2()),
        }
    }

    /// Holds the tenant of a path against ours.
    pub(super) fn check_tenant(&self, tenant: &str) -> Result<(), Refusal> {
        if tenant.eq_ignore_ascii_case(&self.world.config.tenant) {
            Ok(())
        } else {
            Err(Refusal::request(
                90002,
                "The tenant of the request was not found.",
            ))
        }
    }
}
