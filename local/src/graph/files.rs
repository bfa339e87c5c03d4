//! From the address of a shared file to its download: the shares API, and the host of OneDrive's downloads (Microsoft Learn,
//! "Access shared items" and "Download a file").

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;

use super::answers::Refusal;
use super::caller::READ_FILES;
use super::state::Graph;
use crate::shared::download::Behaviour;

/// What SharePoint shows in place of an infected file.
const INFECTED: &str = "<!DOCTYPE html><html><head><title>Sorry, something went wrong</title></head><body>\
    <h1>Sorry, something went wrong</h1><p>This file contains a virus. Ask its owner to remove or clean it.</p>\
    </body></html>";

/// The host of downloads, at the root of [`crate::world::Endpoints::files`].
pub fn downloads(graph: &Arc<Graph>) -> Router {
    Router::new()
        .route(
            "/personal/{folder}/_layouts/15/download.aspx",
            get(download),
        )
        .with_state(Arc::clone(graph))
}

/// `GET /v1.0/shares/{share}/driveItem/content`
pub async fn content(
    State(graph): State<Arc<Graph>>,
    Path(share): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let caller = graph.caller(&headers)?;
    caller.may(&READ_FILES)?;
    let url = share
        .strip_prefix("u!")
        .and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok())
        .and_then(|url| String::from_utf8(url).ok())
        .ok_or(Refusal::NO_SHARE)?;
    let file = graph.drive.at(&url).ok_or(Refusal::NO_ITEM)?;
    let chats = graph.chats.lock();
    let chat = chats.get(&file.chat);
    if file.foreign || !chat.is_some_and(|chat| chat.has_member(&caller.user)) {
        return Err(Refusal::ACCESS_DENIED);
    }
    match file.download.behaviour {
        Behaviour::Missing => Err(Refusal::NO_ITEM),
        Behaviour::Redirect => file.download.elsewhere().ok_or(Refusal::NO_ITEM),
        Behaviour::Ok | Behaviour::Virus | Behaviour::StopsHalfWay | Behaviour::Slow => {
            let target = graph.drive.address(&graph.world.endpoints.files, &file);
            Ok((StatusCode::FOUND, [(header::LOCATION, target)]).into_response())
        }
    }
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
    let proof = given("tempauth").strip_prefix("v1.");
    let (until, proof) = proof.and_then(|it| it.split_once('.')).unwrap_or_default();
    if !graph.drive.opens(id, until, proof, now) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let file = graph.drive.get(id).filter(|file| file.folder == folder);
    match file {
        None => StatusCode::NOT_FOUND.into_response(),
        Some(file) if file.download.behaviour == Behaviour::Virus => {
            let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (headers, INFECTED).into_response()
        }
        Some(file) => file.download.answer().await,
    }
}
