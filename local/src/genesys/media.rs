//! Where agents' files lie until we fetch them.
//!
//! A webhook names `https://api-downloads.{domain}/api/v2/downloads/{id}`. Whether that address wants a token is not settled, so
//! a file is ordered with what it does there: it serves, or it refuses everybody. `https://api.{domain}/api/v2/downloads/{id}`
//! sends whoever has a token on to a signed address on the host for downloads (Platform API, `GET
//! /api/v2/downloads/{downloadId}`), which needs no token and refuses a request that carries one.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::{hmac, rand};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Genesys;
use super::answers::Refusal;
use crate::shared::download::{Behaviour, Download};

/// A signed address serves this long, in seconds.
const SIGNED_LIFE: i64 = 3_600;

/// All files of agents.
pub struct Media {
    key: hmac::Key,
    files: Mutex<HashMap<String, Arc<AgentFile>>>,
}

/// One file.
#[derive(Debug)]
pub struct AgentFile {
    /// Its bytes, and how they come.
    pub download: Download,
    /// What the address in the webhook does.
    pub access: Access,
}

/// What the address of a file on the host for downloads does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Serves it.
    #[default]
    Open,
    /// 401
    Unauthorized,
    /// 403
    Forbidden,
}

impl fmt::Debug for Media {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Media")
    }
}

impl Media {
    /// No files.
    ///
    /// # Panics
    /// When the system has no random numbers.
    pub fn new() -> Self {
        let mut secret = [0; 32];
        rand::fill(&mut secret).expect("the system has random numbers");
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            files: Mutex::default(),
        }
    }

    /// Keeps a file; its id.
    pub fn keep(&self, file: AgentFile) -> String {
        let id = Uuid::new_v4().to_string();
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone(), Arc::new(file));
        id
    }

    /// A file that was kept.
    pub fn file(&self, id: &str) -> Option<Arc<AgentFile>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(id).cloned()
    }

    /// What signs the address of a file that serves until then, in seconds since 1970.
    fn signature(&self, id: &str, expires: i64) -> String {
        let tag = hmac::sign(&self.key, format!("{id}\n{expires}").as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }

    /// Whether the query of a signed address is genuine and current.
    fn opens(&self, id: &str, query: &HashMap<String, String>) -> bool {
        let expires = query.get("Expires").and_then(|text| text.parse().ok());
        expires.is_some_and(|expires| {
            OffsetDateTime::now_utc().unix_timestamp() < expires
                && query.get("Signature") == Some(&self.signature(id, expires))
        })
    }
}

/// The address of a file below an origin: the host's for downloads in webhooks, the API's for those with a token.
pub fn address(origin: &str, id: &str) -> String {
    format!("{origin}/api/v2/downloads/{id}")
}

/// The host for downloads.
pub fn router(genesys: Arc<Genesys>) -> Router {
    Router::new()
        .route("/api/v2/downloads/{id}", get(named_in_webhooks))
        .route("/signed/{id}", get(signed))
        .with_state(genesys)
}

async fn named_in_webhooks(
    State(genesys): State<Arc<Genesys>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(file) = genesys.media.file(&id) else {
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
    match genesys.media.file(&id) {
        Some(file) if genesys.media.opens(&id, &query) => serve(&file, &headers).await,
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
    if genesys.media.file(&id).is_none() {
        return Err(Refusal::not_found("There is no such download."));
    }
    let expires = OffsetDateTime::now_utc().unix_timestamp() + SIGNED_LIFE;
    let target = format!(
        "{}/signed/{id}?Expires={expires}&Signature={}&Key-Pair-Id=LOCAL",
        genesys.world.endpoints.genesys_downloads,
        genesys.media.signature(&id, expires)
    );
    Ok((StatusCode::FOUND, [(header::LOCATION, target)]).into_response())
}
