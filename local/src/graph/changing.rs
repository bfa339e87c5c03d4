//! The control interface about changing messages: edits, deletions, reactions.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::routing::{patch, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;

use super::changes::ChangeType;
use super::changes::ChangeType::{Deleted, Updated};
use super::chats::{Message, Person};
use super::state::Graph;
use super::written::Extras;
use crate::shared::refused::Refused;

type Shared = State<Arc<Graph>>;
/// Chat and message.
type Place = Path<(String, String)>;
type Done = Result<StatusCode, Refused>;

#[derive(Deserialize)]
struct Edit {
    html: String,
    #[serde(flatten)]
    extras: Extras,
    notify: Option<bool>,
}

#[derive(Deserialize)]
struct Reacting {
    from: Person,
    reaction: String,
    notify: Option<bool>,
}

#[derive(Deserialize)]
struct Notify {
    notify: Option<bool>,
}

/// The routes, with their full paths.
pub fn router() -> Router<Arc<Graph>> {
    const MESSAGE: &str = "/local/teams/chats/{chat}/messages/{message}";
    Router::new()
        .route(MESSAGE, patch(edit).delete(delete))
        .route(&format!("{MESSAGE}/restore"), post(restore))
        .route(&format!("{MESSAGE}/reactions"), post(react).delete(unreact))
}

async fn edit(State(graph): Shared, Path(place): Place, Json(edit): Json<Edit>) -> Done {
    let (author, address) = {
        let chats = graph.chats.lock();
        let chat = chats.get(&place.0).ok_or_else(no_message)?;
        let message = chat.message(&place.1).ok_or_else(no_message)?;
        (message.from.clone(), chat.address_of(&message.id))
    };
    let keep = edit.extras.attachments.is_none() && edit.extras.files.is_none();
    let parts = graph.compose_parts(&place.0, &author, edit.html, edit.extras);
    let parts = parts.await.map_err(Refused::bad_request)?;
    graph.change(&place, "edited", edit.notify, &[Updated], |message| {
        message.edit(parts, keep, &address)
    })
}

async fn delete(State(graph): Shared, Path(place): Place, Query(query): Query<Notify>) -> Done {
    let told = [Deleted];
    graph.change(&place, "deleted", query.notify, &told, Message::delete)
}

async fn restore(State(graph): Shared, Path(place): Place, Query(query): Query<Notify>) -> Done {
    let told = [Updated];
    graph.change(&place, "restored", query.notify, &told, Message::restore)
}

async fn react(State(graph): Shared, Path(place): Place, Json(body): Json<Reacting>) -> Done {
    if body.reaction.is_empty() {
        return Err(Refused::bad_request("reaction must not be empty"));
    }
    let from = body.from.clone();
    let done = graph.change(&place, "reaction", body.notify, &[Updated], |message| {
        message.react(from, body.reaction)
    })?;
    let mut chats = graph.chats.lock();
    chats.entry(place.0).and_modify(|chat| chat.join(body.from));
    Ok(done)
}

async fn unreact(State(graph): Shared, Path(place): Place, Json(body): Json<Reacting>) -> Done {
    // Users of Graph report two notifications of a reaction that is taken back.
    let told = [Updated, Updated];
    graph.change(&place, "reaction", body.notify, &told, |message| {
        message.unreact(&body.from, &body.reaction)
    })
}

fn no_message() -> Refused {
    Refused::not_found("such message")
}

impl Graph {
    /// Makes a change and tells of it, by these notifications unless `notify` is false.
    fn change(
        &self,
        (chat, id): &(String, String),
        outcome: &str,
        notify: Option<bool>,
        notifications: &[ChangeType],
        change: impl FnOnce(&mut Message) -> Result<(), Refused>,
    ) -> Done {
        {
            let mut chats = self.chats.lock();
            let message = chats.get_mut(chat).and_then(|chat| chat.message_mut(id));
            change(message.ok_or_else(no_message)?)?;
        }
        self.message_changed(chat, id, outcome, notify, notifications);
        Ok(StatusCode::NO_CONTENT)
    }
}
