//! What the control interface shows of a chat: its messages, their images and files.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::chats::{Chat, Message};
use super::state::Graph;
use crate::shared::download::{Download, harmless, segment, sized};
use crate::shared::refused::Refused;
use crate::shared::time_text;

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

pub async fn messages(
    State(graph): Shared,
    Path(chat): Path<String>,
) -> Result<Json<Value>, Refused> {
    let chats = graph.chats.lock();
    let found = chats.get(&chat);
    let found = found.ok_or_else(|| Refused::not_found("such chat"))?;
    let messages = found.messages.iter().map(|it| graph.shown(found, it));
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
    let hosted = message.and_then(|message| message.hosted(&image));
    let hosted = hosted.ok_or_else(|| Refused::not_found("such image"))?;
    Ok(harmless(sized(&hosted.content, &hosted.content_type)))
}

/// A file, whatever its own download would do.
async fn file(State(graph): Shared, Path(file): Path<String>) -> Result<Response, Refused> {
    let file = graph.drive.get(&file);
    let file = file.ok_or_else(|| Refused::not_found("such file"))?;
    let download = Download {
        behaviour: Default::default(),
        ..file.download.clone()
    };
    Ok(harmless(download.answer().await))
}

impl Graph {
    fn shown(&self, chat: &Chat, message: &Message) -> Value {
        let living = message.deleted.is_none();
        let mut attachments = message.parts.attachments.clone();
        attachments.retain(|_| living);
        for attachment in &mut attachments {
            self.add_path(chat, message, attachment);
        }
        let reactions = message.reactions.iter().filter(|_| living);
        let reactions: Vec<Value> = reactions
            .map(|it| json!({ "from": it.from, "reaction": it.kind, "created": time_text(it.at) }))
            .collect();
        let images = message.parts.hosted.iter();
        let images: Vec<Value> = images
            .filter(|hosted| living && message.parts.html.contains(&hosted.id))
            .map(|hosted| {
                json!({
                    "id": hosted.id,
                    "content_type": hosted.content_type.to_str().unwrap_or_default(),
                    "size": hosted.content.size(),
                    "sha256": hosted.content.sha256(),
                    "path": path(chat, message, &hosted.id),
                })
            })
            .collect();
        json!({
            "id": message.id,
            "from": message.from,
            "html": if living { &message.parts.html } else { "" },
            "created": time_text(message.created),
            "edited": message.edited.map(time_text),
            "deleted": message.deleted.map(time_text),
            "attachments": attachments,
            "reactions": reactions,
            "images": images,
            "raw": message.raw.is_some(),
        })
    }

    /// Adds the path of what the attachment refers to, when that is here.
    fn add_path(&self, chat: &Chat, message: &Message, attachment: &mut Value) {
        let id = attachment["id"].as_str().unwrap_or_default();
        let content = attachment["content"].as_str().unwrap_or_default();
        let mut hosted = message.parts.hosted.iter();
        if let Some(file) = self.drive.get(id) {
            attachment["path"] = json!(format!("/local/teams/files/{id}"));
            attachment["size"] = json!(file.download.content.size());
            attachment["sha256"] = json!(file.download.content.sha256());
        } else if let Some(hosted) = hosted.find(|it| content.contains(&it.id)) {
            attachment["path"] = json!(path(chat, message, &hosted.id));
        }
    }
}

fn path(chat: &Chat, message: &Message, hosted: &str) -> String {
    let chat = segment(&chat.id);
    format!(
        "/local/teams/chats/{chat}/messages/{}/images/{hosted}",
        message.id
    )
}
