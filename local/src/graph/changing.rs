//! The control interface about changing messages: edits, deletions, reactions.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::{patch, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use time::OffsetDateTime;

use super::changes::{ChangeType, Unchanged};
use super::chats::{Chats, Person};
use super::state::Graph;
use super::written::{Author, Extras};
use crate::shared::refused::Refused;

type Shared = State<Arc<Graph>>;
/// Chat and message.
type Place = (String, String);
type Done = Result<StatusCode, Refused>;

#[derive(Deserialize)]
struct Edit {
    html: String,
    #[serde(flatten)]
    extras: Extras,
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

/// The routes, with their full paths.
pub fn router() -> Router<Arc<Graph>> {
    const MESSAGE: &str = "/local/teams/chats/{chat}/messages/{message}";
    Router::new()
        .route(MESSAGE, patch(edit).delete(delete))
        .route(&format!("{MESSAGE}/restore"), post(restore))
        .route(&format!("{MESSAGE}/reactions"), post(react).delete(unreact))
}

async fn edit(State(graph): Shared, Path(place): Path<Place>, Json(edit): Json<Edit>) -> Done {
    let (chat, message) = &place;
    let author = graph
        .chats
        .lock()
        .get(chat)
        .and_then(|chat| chat.message(message))
        .map(|message| message.from.clone())
        .ok_or(Unchanged::NoMessage)?;
    let keep = edit.extras.attachments.is_none() && edit.extras.files.is_none();
    let parts = graph
        .compose_parts(chat, &author, edit.html, edit.extras)
        .await
        .map_err(Refused::bad_request)?;
    let told = [ChangeType::Updated];
    graph.change(&place, "edited", edit.notify, &told, |chats, now| {
        chats.edit(chat, message, parts, keep, now)
    })
}

async fn delete(
    State(graph): Shared,
    Path(place): Path<Place>,
    Query(query): Query<Notify>,
) -> Done {
    let told = [ChangeType::Deleted];
    graph.change(&place, "deleted", query.notify, &told, |chats, now| {
        chats.delete(&place.0, &place.1, now)
    })
}

async fn restore(
    State(graph): Shared,
    Path(place): Path<Place>,
    Query(query): Query<Notify>,
) -> Done {
    let told = [ChangeType::Updated];
    graph.change(&place, "restored", query.notify, &told, |chats, now| {
        chats.restore(&place.0, &place.1, now)
    })
}

async fn react(
    State(graph): Shared,
    Path(place): Path<Place>,
    Json(reacting): Json<Reacting>,
) -> Done {
    if reacting.reaction.is_empty() {
        return Err(Refused::bad_request("reaction must not be empty"));
    }
    let from = Person::from(reacting.from);
    let told = [ChangeType::Updated];
    graph.change(&place, "reaction", reacting.notify, &told, |chats, now| {
        chats.react(&place.0, &place.1, from, reacting.reaction, now)
    })
}

async fn unreact(
    State(graph): Shared,
    Path(place): Path<Place>,
    Json(reacting): Json<Reacting>,
) -> Done {
    let from = Person::from(reacting.from);
    // Users of Graph report two notifications of a reaction that is taken back.
    let told = [ChangeType::Updated; 2];
    graph.change(&place, "reaction", reacting.notify, &told, |chats, now| {
        chats.unreact(&place.0, &place.1, &from, &reacting.reaction, now)
    })
}

impl From<Unchanged> for Refused {
    fn from(reason: Unchanged) -> Self {
        let status = match reason {
            Unchanged::NoMessage | Unchanged::NoReaction => StatusCode::NOT_FOUND,
            Unchanged::Deleted | Unchanged::NotDeleted => StatusCode::CONFLICT,
        };
        Self(status, reason.to_string())
    }
}

impl Graph {
    /// Makes a change and tells of it, by these notifications where they are wanted.
    fn change(
        &self,
        (chat, message): &Place,
        outcome: &str,
        notify: bool,
        notifications: &[ChangeType],
        change: impl FnOnce(&mut Chats, OffsetDateTime) -> Result<(), Unchanged>,
    ) -> Done {
        change(&mut self.chats.lock(), OffsetDateTime::now_utc())?;
        let told = if notify { notifications } else { &[] };
        self.message_changed(chat, message, outcome, told);
        Ok(StatusCode::NO_CONTENT)
    }
}
