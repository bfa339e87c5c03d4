//! The control interface about changing messages: edits, deletions, reactions.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::Graph;
use super::changes::{ChangeType, Unchanged};
use super::chats::Person;
use super::control::refused;
use super::written::{Author, Extras, File, Image};

/// Times that the taking back of a reaction is notified: users of Graph report two notifications of it.
const UNREACTED: usize = 2;

#[derive(Deserialize)]
struct Edit {
    html: String,
    attachments: Option<Vec<Value>>,
    files: Option<Vec<File>>,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default = "yes")]
    notify: bool,
}

#[derive(Deserialize)]
struct Reacting {
    from: Author,
    reaction: String,
    #[serde(default = "yes")]
    notify: bool,
}

#[derive(Deserialize)]
struct Notify {
    #[serde(default = "yes")]
    notify: bool,
}

const fn yes() -> bool {
    true
}

type Place = Path<(String, String)>;

pub fn router() -> Router<Arc<Graph>> {
    Router::new()
        .route(
            "/local/teams/chats/{chat}/messages/{message}",
            patch(edit).delete(delete),
        )
        .route(
            "/local/teams/chats/{chat}/messages/{message}/restore",
            post(restore),
        )
        .route(
            "/local/teams/chats/{chat}/messages/{message}/reactions",
            post(react).delete(unreact),
        )
}

async fn edit(
    State(graph): State<Arc<Graph>>,
    Path((chat, message)): Place,
    Json(edit): Json<Edit>,
) -> Response {
    let author = graph
        .chats()
        .get(&chat)
        .and_then(|chat| chat.message(&message))
        .map(|message| message.from.clone());
    let Some(author) = author else {
        return refusal(Unchanged::NoMessage);
    };
    let keep_attachments = edit.attachments.is_none() && edit.files.is_none();
    let extras = Extras {
        images: edit.images,
        files: edit.files.unwrap_or_default(),
        attachments: edit.attachments.unwrap_or_default(),
        ..Extras::default()
    };
    let parts = graph.compose_parts(&chat, &author, edit.html, extras).await;
    let parts = match parts {
        Ok(parts) => parts,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let now = OffsetDateTime::now_utc();
    let done = graph
        .chats()
        .edit(&chat, &message, parts, keep_attachments, now);
    let notifications = [ChangeType::Updated];
    finish(
        &graph,
        &chat,
        &message,
        done,
        "edited",
        told(edit.notify, &notifications),
    )
}

async fn delete(
    State(graph): State<Arc<Graph>>,
    Path((chat, message)): Place,
    Query(query): Query<Notify>,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let done = graph.chats().delete(&chat, &message, now);
    let notifications = [ChangeType::Deleted];
    finish(
        &graph,
        &chat,
        &message,
        done,
        "deleted",
        told(query.notify, &notifications),
    )
}

async fn restore(
    State(graph): State<Arc<Graph>>,
    Path((chat, message)): Place,
    Query(query): Query<Notify>,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let done = graph.chats().restore(&chat, &message, now);
    let notifications = [ChangeType::Updated];
    finish(
        &graph,
        &chat,
        &message,
        done,
        "restored",
        told(query.notify, &notifications),
    )
}

async fn react(
    State(graph): State<Arc<Graph>>,
    Path((chat, message)): Place,
    Json(reacting): Json<Reacting>,
) -> Response {
    if reacting.reaction.is_empty() {
        return refused(StatusCode::BAD_REQUEST, "reaction must not be empty");
    }
    let now = OffsetDateTime::now_utc();
    let done = graph.chats().react(
        &chat,
        &message,
        Person::from(reacting.from),
        reacting.reaction,
        now,
    );
    let notifications = [ChangeType::Updated];
    finish(
        &graph,
        &chat,
        &message,
        done,
        "reaction",
        told(reacting.notify, &notifications),
    )
}

async fn unreact(
    State(graph): State<Arc<Graph>>,
    Path((chat, message)): Place,
    Json(reacting): Json<Reacting>,
) -> Response {
    let now = OffsetDateTime::now_utc();
    let done = graph.chats().unreact(
        &chat,
        &message,
        &Person::from(reacting.from),
        &reacting.reaction,
        now,
    );
    let notifications = [ChangeType::Updated; UNREACTED];
    finish(
        &graph,
        &chat,
        &message,
        done,
        "reaction",
        told(reacting.notify, &notifications),
    )
}

/// The notifications that are wanted.
const fn told(wanted: bool, all: &[ChangeType]) -> &[ChangeType] {
    if wanted { all } else { &[] }
}

fn refusal(reason: Unchanged) -> Response {
    let status = match reason {
        Unchanged::NoMessage | Unchanged::NoReaction => StatusCode::NOT_FOUND,
        Unchanged::Deleted | Unchanged::NotDeleted => StatusCode::CONFLICT,
    };
    refused(status, &reason.to_string())
}

/// Tells of a change that was made.
fn finish(
    graph: &Graph,
    chat: &str,
    message: &str,
    done: Result<(), Unchanged>,
    outcome: &str,
    notifications: &[ChangeType],
) -> Response {
    if let Err(reason) = done {
        return refusal(reason);
    }
    graph.message_changed(chat, message, outcome, notifications);
    StatusCode::NO_CONTENT.into_response()
}
