//! The control interface about Teams: what a customer does, and what a chat looks like.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::chats::{NewMessage, Person};
use super::{Graph, views};

/// A customer's message, as the control interface takes it.
#[derive(Debug, Deserialize)]
struct Written {
    from: Author,
    html: String,
    chat_type: Option<String>,
    #[serde(default)]
    mention: bool,
    support_account: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created: Option<OffsetDateTime>,
    #[serde(default)]
    hosted_elsewhere: bool,
}

#[derive(Debug, Deserialize)]
struct Author {
    user: Uuid,
    name: String,
    tenant: Uuid,
    upn: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    chat: String,
    message: String,
}

pub fn router(graph: Arc<Graph>) -> Router {
    Router::new()
        .route("/local/teams/chats", get(chats))
        .route(
            "/local/teams/chats/{chat}/messages",
            get(messages).post(write),
        )
        .route("/local/graph/subscriptions", get(subscriptions))
        .route("/local/graph/notifications/compose", post(compose))
        .with_state(graph)
}

fn refused(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}

async fn write(
    State(graph): State<Arc<Graph>>,
    Path(chat): Path<String>,
    Json(written): Json<Written>,
) -> Response {
    let config = &graph.world.config;
    let account = match &written.support_account {
        Some(name) => config.support_account(name),
        None => config.support_accounts.first(),
    };
    let Some(account) = account else {
        return refused(StatusCode::BAD_REQUEST, "no such support account");
    };
    let kind = written.chat_type.unwrap_or_else(|| "oneOnOne".to_owned());
    if !["oneOnOne", "group", "meeting"].contains(&kind.as_str()) {
        return refused(
            StatusCode::BAD_REQUEST,
            "chat_type must be oneOnOne, group or meeting",
        );
    }
    let support = Person {
        user: account.user.clone(),
        name: "Support".to_owned(),
        tenant: config.tenant.clone(),
        upn: None,
    };
    let html = if written.mention {
        mentioning(&written.html)
    } else {
        written.html
    };
    let message = NewMessage {
        from: Person {
            user: written.from.user.to_string(),
            name: written.from.name,
            tenant: written.from.tenant.to_string(),
            upn: written.from.upn,
        },
        html,
        created: written.created,
        mentioned: written.mention.then(|| support.clone()),
        kind,
        support,
        hosted_elsewhere: written.hosted_elsewhere,
    };
    let id = graph.customer_writes(&chat, message);
    (StatusCode::CREATED, Json(json!({ "message": id }))).into_response()
}

/// The mention stands at the front, inside the first paragraph.
fn mentioning(html: &str) -> String {
    const MENTION: &str = "<at id=\"0\">Support</at>&nbsp;";
    match html.strip_prefix("<p>") {
        Some(rest) => format!("<p>{MENTION}{rest}"),
        None => format!("<p>{MENTION}{html}</p>"),
    }
}

async fn messages(State(graph): State<Arc<Graph>>, Path(chat): Path<String>) -> Response {
    let chats = graph.chats();
    let Some(found) = chats.get(&chat) else {
        return refused(StatusCode::NOT_FOUND, "no such chat");
    };
    let messages: Vec<Value> = found
        .messages
        .iter()
        .map(|message| {
            json!({
                "id": message.id,
                "from": person(&message.from),
                "html": message.html,
                "created": views::time(message.created),
            })
        })
        .collect();
    Json(json!({ "chat": chat, "type": found.kind, "messages": messages })).into_response()
}

async fn chats(State(graph): State<Arc<Graph>>) -> Json<Value> {
    let chats = graph.chats();
    let all: Vec<Value> = chats
        .iter()
        .map(|(id, chat)| {
            let members: Vec<Value> = chat.members.iter().map(person).collect();
            json!({ "chat": id, "type": chat.kind, "members": members })
        })
        .collect();
    Json(json!({ "chats": all }))
}

fn person(person: &Person) -> Value {
    json!({ "user": person.user, "name": person.name, "tenant": person.tenant })
}

async fn subscriptions(State(graph): State<Arc<Graph>>) -> Json<Value> {
    Json(graph.subscriptions.view())
}

/// The notification of a message, as it would be sent, for those who want to change it and send it themselves.
async fn compose(State(graph): State<Arc<Graph>>, Json(wanted): Json<Wanted>) -> Response {
    let account = graph
        .chats()
        .support_accounts(&wanted.chat, &graph.world)
        .into_iter()
        .next();
    let body = account.and_then(|account| graph.compose(&wanted.chat, &wanted.message, &account));
    match body {
        Some(body) => Json(json!({ "body": body })).into_response(),
        None => refused(
            StatusCode::NOT_FOUND,
            "no such message, or no subscription for it",
        ),
    }
}
