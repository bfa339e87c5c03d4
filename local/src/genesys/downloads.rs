//! From a webhook's file to its download.
//!
//! A webhook names `https://api-downloads.{domain}/api/v2/downloads/{id}`. Whether that address wants a token is not settled, so
//! a file is ordered with what it does there: it serves, or it refuses everybody. `https://api.{domain}/api/v2/downloads/{id}`
//! sends whoever has a token on to a signed address on the host for downloads (Platform API, `GET
//! /api/v2/downloads/{downloadId}`), which needs no token and refuses a request that carries one.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;

use super::answers::Refusal;
use super::media::{Access, AgentFile};
use super::state::Genesys;
use crate::shared::download::Behaviour;

/// The host for downloads, at the root of [`crate::world::Endpoints::genesys_downloads`].
pub fn router(genesys: &Arc<Genesys>) -> Router {
    Router::new()
        .route("/api/v2/downloads/{id}", get(named_in_webhooks))
        .route("/signed/{id}", get(signed))
        .with_state(Arc::clone(genesys))
}

async fn named_in_webhooks(
    State(genesys): State<Arc<Genesys>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(file) = genesys.media.get(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match file.access {
        Access::Unauthorized => StatusCode::UNAUTHORIZED.into_response(),
        Access::Forbidden => StatusCode::FORBIDDEN.into_response(),
        Access::Open => serve(&file, &headers).await,
    }
}

async fn signed(
    State(genesys): State<Arc<Genesys>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let (until, proof) = (given("Expires"), given("Signature"));
    let now = OffsetDateTime::now_utc().unix_timestamp();
    match genesys.media.get(&id) {
        Some(file) if genesys.media.opens(&id, until, proof, now) => serve(&file, &headers).await,
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

/// The file. A token of the API has no business here.
async fn serve(file: &AgentFile, headers: &HeaderMap) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let missing = || StatusCode::NOT_FOUND.into_response();
    match file.download.behaviour {
        Behaviour::Missing => missing(),
        Behaviour::Redirect => file.download.elsewhere().unwrap_or_else(missing),
        _ => file.download.answer().await,
    }
}

/// `GET /api/v2/downloads/{id}` of the API: on to a signed address.
pub async fn redirection(
    State(genesys): State<Arc<Genesys>>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    if genesys.media.get(&id).is_none() {
        return Err(Refusal::not_found("There is no such download."));
    }
    let host = &genesys.world.endpoints.genesys_downloads;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let (until, proof) = genesys.media.proof(&id, now);
    let query = format!("Expires={until}&Signature={proof}&Key-Pair-Id=LOCAL");
    let target = format!("{host}/signed/{id}?{query}");
    Ok((StatusCode::FOUND, [(header::LOCATION, target)]).into_response())
}
