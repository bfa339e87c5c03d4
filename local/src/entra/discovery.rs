//! What everybody may read: the signing keys ("OpenID Connect on the Microsoft identity platform").

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::refusal::Refusal;
use super::state::Entra;

/// Issuer that the tenant-independent document tells, a template as it stands.
const COMMON_ISSUER: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

pub(super) fn router() -> Router<Arc<Entra>> {
    Router::new().route("/{tenant}/discovery/v2.0/keys", get(keys))
}

async fn keys(
    State(entra): State<Arc<Entra>>,
    Path(tenant): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let issuer = match tenant.as_str() {
        "common" | "organizations" => COMMON_ISSUER.to_owned(),
        tenant => entra.check_tenant(tenant).map(|()| entra.issuer_v2())?,
    };
    Ok(Json(entra.keys.published(&issuer)))
}

impl Entra {
    /// Holds the tenant of a path against ours.
    pub(super) fn check_tenant(&self, tenant: &str) -> Result<(), Refusal> {
        if tenant.eq_ignore_ascii_case(&self.world.config.tenant) {
            return Ok(());
        }
        const UNKNOWN: &str = "The tenant of the request was not found.";
        Err(Refusal::request(90002, UNKNOWN))
    }
}
