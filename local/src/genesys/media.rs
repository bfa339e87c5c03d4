//! Where agents' files lie until we fetch them: addresses that need no token, because they are signed.

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
use uuid::Uuid;

use super::Genesys;
use crate::shared::download::{Behaviour, Download, segment};

/// All files of agents.
pub struct Media {
    key: hmac::Key,
    files: Mutex<HashMap<String, Arc<Download>>>,
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
    pub fn keep(&self, file: Download) -> String {
        let id = Uuid::new_v4().to_string();
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.clone(), Arc::new(file));
        id
    }

    /// A file that was kept.
    pub fn file(&self, id: &str) -> Option<Arc<Download>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(id).cloned()
    }

    /// The signed address of a file below this origin.
    pub fn address(&self, origin: &str, id: &str, name: &str) -> String {
        format!(
            "{origin}/downloads/messages/{id}/{}?signature={}",
            segment(name),
            self.signature(id, name)
        )
    }

    fn signature(&self, id: &str, name: &str) -> String {
        let tag = hmac::sign(&self.key, format!("{id}\n{name}").as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }
}

pub fn router(genesys: Arc<Genesys>) -> Router {
    Router::new()
        .route("/downloads/messages/{id}/{name}", get(download))
        .with_state(genesys)
}

async fn download(
    State(genesys): State<Arc<Genesys>>,
    Path((id, name)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        // Two proofs at once are one too many, and a token of the API has no business here.
        return StatusCode::BAD_REQUEST.into_response();
    }
    if query.get("signature") != Some(&genesys.media.signature(&id, &name)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(file) = genesys.media.file(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match file.behaviour {
        Behaviour::Missing => StatusCode::NOT_FOUND.into_response(),
        Behaviour::Redirect => file
            .elsewhere()
            .unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()),
        _ => file.answer().await,
    }
}
