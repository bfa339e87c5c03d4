//! What the control interface shows of a chat: its messages, their images and files.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::chats::{Message, Person};
use super::state::Graph;
use super::views;
use crate::shared::download::{harmless, segment, sized};
use crate::shared::refused::Refused;

type Shared = State<Arc<Graph>>;

/// The routes, with their full paths.
pub fn router() -> Router<Arc<Graph>> {
    Router::new()
        .route(
            "/local/teams/chats/{chat}/messages/{message}/images/{image}",
            get(image),
        )
        .route("/local/teams/files/{file}", get(file))
}

/// All messages of a chat.
pub async fn messages(
    State(graph): Shared,
    Path(chat): Path<String>,
) -> Result<Json<Value>, Refused> {
    let chats = graph.chats.lock();
    let found = chats
        .get(&chat)
        .ok_or_else(|| Refused::not_found("such chat"))?;
    let messages = found
        .messages
        .iter()
        .map(|message| graph.shown(&chat, message));
    let messages: Vec<Value> = messages.collect();
    Ok(Json(
        json!({ "chat": chat, "type": found.kind, "messages": messages }),
    ))
}

/// A hosted content: images, and the code of snippets as well.
async fn image(
    State(graph): Shared,
    Path((chat, message, image)): Path<(String, String, String)>,
) -> Result<Response, Refused> {
    let chats = graph.chats.lock();
    let message = chats.get(&chat).and_then(|chat| chat.message(&message));
    let hosted = message
        .and_then(|message| message.hosted(&image))
        .ok_or_else(|| Refused::not_found("such image"))?;
    let content = &hosted.content;
    Ok(harmless(sized(
        content.size(),
        &hosted.content_type,
        content.body(),
    )))
}

/// A file, whatever its own download would do.
async fn file(State(graph): Shared, Path(file): Path<String>) -> Result<Response, Refused> {
    let file = graph.drive.file(&file);
    let file = file.ok_or_else(|| Refused::not_found("such file"))?;
    let mut download = file.download.clone();
    download.behaviour = Default::default();
    Ok(harmless(download.answer().await))
}

/// Somebody, as the control interface shows people.
pub fn person(person: &Person) -> Value {
    json!({ "user": person.user, "name": person.name, "tenant": person.tenant })
}

impl Graph {
    fn shown(&self, chat: &str, message: &Message) -> Value {
        let graph = views::message(chat, message);
        let attachments = graph["attachments"].as_array().into_iter().flatten();
        let attachments: Vec<Value> = attachments
            .map(|attachment| self.with_path(chat, message, attachment))
            .collect();
        let reactions: Vec<Value> = message
            .reactions
            .iter()
            .filter(|_| message.deleted.is_none())
            .map(|reaction| {
                json!({
                    "from": person(&reaction.from),
                    "reaction": reaction.kind,
                    "created": views::time(reaction.at),
                })
            })
            .collect();
        json!({
            "id": message.id,
            "from": person(&message.from),
            "html": graph["body"]["content"],
            "created": graph["createdDateTime"],
            "edited": graph["lastEditedDateTime"],
            "deleted": graph["deletedDateTime"],
            "attachments": attachments,
            "reactions": reactions,
            "images": images(chat, message),
        })
    }

    /// The attachment with the path of what it refers to, when that is here.
    fn with_path(&self, chat: &str, message: &Message, attachment: &Value) -> Value {
        let mut shown = attachment.clone();
        let id = attachment["id"].as_str().unwrap_or_default();
        let content = attachment["content"].as_str().unwrap_or_default();
        if let Some(file) = self.drive.file(id) {
            shown["path"] = json!(format!("/local/teams/files/{id}"));
            shown["size"] = json!(file.download.content.size());
            shown["sha256"] = json!(file.download.content.sha256());
        } else if let Some(hosted) = message.hosted.iter().find(|it| content.contains(&it.id)) {
            shown["path"] = json!(path(chat, message, &hosted.id));
        }
        shown
    }
}

/// The images that the body shows.
fn images(chat: &str, message: &Message) -> Vec<Value> {
    message
        .hosted
        .iter()
        .filter(|hosted| message.deleted.is_none() && message.html.contains(&hosted.id))
        .map(|hosted| {
            json!({
                "id": hosted.id,
                "content_type": hosted.content_type.to_str().unwrap_or_default(),
                "size": hosted.content.size(),
                "sha256": hosted.content.sha256(),
                "path": path(chat, message, &hosted.id),
            })
        })
        .collect()
}

fn path(chat: &str, message: &Message, hosted: &str) -> String {
    format!(
        "/local/teams/chats/{}/messages/{}/images/{hosted}",
        segment(chat),
        message.id
    )
}
