//! The control interface about Genesys: what the agent does and sees.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Genesys;
use super::admin;
use super::agent::{Attachment, Written};
use super::conversations::Place;
use super::profile::ContentProfile;
use crate::shared::correlation;
use crate::shared::download::{Behaviour, Download, harmless};

#[derive(Deserialize)]
struct Secret {
    value: String,
}

/// A secret must be longer than this many characters (Platform API, model `OpenIntegrationRequest`).
const SHORT_SECRET: usize = 15;

/// Largest request in bytes: a file of 25 MB in base64, and what stands around it.
const LARGEST_REQUEST: usize = 40 * 1024 * 1024;

/// Routes with their full paths.
pub fn router(genesys: Arc<Genesys>) -> Router {
    Router::new()
        .route("/local/genesys/threads/{thread}/messages", post(write))
        .route("/local/genesys/conversations", get(conversations))
        .route("/local/genesys/webhook-secret", put(webhook_secret))
        .route("/local/genesys/admin-client", get(admin::client))
        .route(
            "/local/genesys/content-profile",
            get(content_profile).put(set_content_profile),
        )
        .route("/local/genesys/media", post(host))
        .route("/local/genesys/media/{message}", get(media))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(genesys)
}

fn refused(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}

async fn write(
    State(genesys): State<Arc<Genesys>>,
    Path(thread): Path<String>,
    Json(written): Json<Written>,
) -> Response {
    let outgoing = match genesys.outgoing(written).await {
        Ok(outgoing) => outgoing,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let id = genesys.agent_writes(&thread, &outgoing);
    let correlation = correlation::of_genesys_message(&id);
    let told = json!({ "id": id, "correlation": correlation });
    (StatusCode::CREATED, Json(told)).into_response()
}

/// Keeps a file without sending it, so that a structured message can name its address.
async fn host(State(genesys): State<Arc<Genesys>>, Json(attachment): Json<Attachment>) -> Response {
    match genesys.host(attachment).await {
        Ok((_, item)) => (StatusCode::CREATED, Json(item["attachment"].clone())).into_response(),
        Err(reason) => refused(StatusCode::BAD_REQUEST, &reason),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedConversations {
    /// What stands in the thread's id.
    thread: Option<String>,
}

async fn conversations(
    State(genesys): State<Arc<Genesys>>,
    Query(wanted): Query<WantedConversations>,
) -> Json<Value> {
    let thread = wanted.thread.unwrap_or_default();
    Json(genesys.conversations().view(&thread))
}

/// What an administrator does when the webhook's secret is rotated.
async fn webhook_secret(
    State(genesys): State<Arc<Genesys>>,
    Json(secret): Json<Secret>,
) -> Response {
    if secret.value.chars().count() <= SHORT_SECRET {
        return refused(
            StatusCode::BAD_REQUEST,
            "the secret must be longer than 15 characters",
        );
    }
    genesys.webhooks.set_secret(secret.value);
    StatusCode::NO_CONTENT.into_response()
}

async fn content_profile(State(genesys): State<Arc<Genesys>>) -> Json<ContentProfile> {
    Json(genesys.profile().clone())
}

/// What an administrator does with the content profile of the integration.
async fn set_content_profile(
    State(genesys): State<Arc<Genesys>>,
    Json(profile): Json<ContentProfile>,
) -> Response {
    if let Some(entry) = profile.malformed() {
        let reason = format!("{entry} is no media type");
        return refused(StatusCode::BAD_REQUEST, &reason);
    }
    *genesys.profile() = profile.clone();
    Json(profile).into_response()
}

/// The file of a message, as the agent would look at it now.
async fn media(State(genesys): State<Arc<Genesys>>, Path(message): Path<String>) -> Response {
    let place = genesys.conversations().file_of(&message);
    match place {
        None => refused(StatusCode::NOT_FOUND, "no such file"),
        Some(Place::Media(id)) => match genesys.media.file(&id) {
            None => refused(StatusCode::NOT_FOUND, "no such file"),
            Some(file) => {
                let file = Download {
                    behaviour: Behaviour::Ok,
                    ..file.download.clone()
                };
                harmless(file.answer().await)
            }
        },
        Some(Place::Address(url)) => match genesys.pass_on(&url).await {
            Some(answer) => harmless(answer),
            None => refused(StatusCode::BAD_GATEWAY, "the address serves no file"),
        },
    }
}
