//! The host of OneDrive's downloads: addresses that need no token, because they carry a proof of their own for an hour.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;

use super::Graph;
use super::files::{File, OneDrive};
use crate::shared::download::Behaviour;

/// A pre-authenticated address serves this long, in seconds.
const LIFE: i64 = 3600;

/// What SharePoint shows in place of an infected file.
const INFECTED: &str = "<!DOCTYPE html><html><head><title>Sorry, something went wrong</title></head><body>\
    <h1>Sorry, something went wrong</h1><p>This file contains a virus. Ask its owner to remove or clean it.</p>\
    </body></html>";

pub fn router(graph: Arc<Graph>) -> Router {
    Router::new()
        .route(
            "/personal/{folder}/_layouts/15/download.aspx",
            get(download),
        )
        .with_state(graph)
}

async fn download(
    State(graph): State<Arc<Graph>>,
    Path(folder): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        // A token for Graph has no business here.
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let id = given("UniqueId");
    if !graph.drive.opens(id, given("tempauth"), now) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let file = graph.drive.file(id).filter(|file| file.folder == folder);
    match file {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(file) if file.download.behaviour == Behaviour::Virus => {
            let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (headers, INFECTED).into_response()
        }
        Some(file) => file.download.answer().await,
    }
}

impl OneDrive {
    /// A fresh pre-authenticated address of a file below this origin.
    pub fn address(&self, origin: &str, file: &File) -> String {
        let proof = self.proof(&file.id, OffsetDateTime::now_utc().unix_timestamp());
        format!(
            "{origin}/personal/{}/_layouts/15/download.aspx?UniqueId={}&tempauth={proof}",
            file.folder, file.id
        )
    }

    /// What proves that an address for this file was given out at this time.
    fn proof(&self, id: &str, at: i64) -> String {
        let tag = hmac::sign(&self.key, format!("{at}\n{id}").as_bytes());
        format!("v1.{at}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether the proof is genuine, for this file and younger than its life.
    fn opens(&self, id: &str, proof: &str, now: i64) -> bool {
        let issued = proof
            .split('.')
            .nth(1)
            .and_then(|at| at.parse::<i64>().ok());
        issued.is_some_and(|at| {
            proof == self.proof(id, at) && (0..LIFE).contains(&now.saturating_sub(at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_one_file_and_one_hour() {
        let drive = OneDrive::new();
        let proof = drive.proof("a", 10_000);
        assert!(drive.opens("a", &proof, 10_000));
        assert!(drive.opens("a", &proof, 13_599));
        assert!(!drive.opens("a", &proof, 13_600));
        assert!(!drive.opens("b", &proof, 10_000));
        assert!(!drive.opens("a", "", 10_000));
        assert!(!drive.opens("a", &proof.replace("10000", "10001"), 10_001));
        assert!(!OneDrive::new().opens("a", &proof, 10_000));
    }
}
