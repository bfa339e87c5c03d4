//! The control interface about Teams: what a customer does, and what a chat looks like.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::changes::ChangeType;
use super::chats::{NewMessage, Person};
use super::written::{Author, Extras, File, Image, Snippet};
use super::{Graph, changing, shown};
use crate::shared::correlation;

/// A customer's message, as the control interface takes it.
#[derive(Deserialize)]
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
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    files: Vec<File>,
    snippet: Option<Snippet>,
    #[serde(default)]
    reply_to: Vec<String>,
    #[serde(default)]
    attachments: Vec<Value>,
    notify: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    chat: String,
    message: String,
    change_type: Option<ChangeType>,
}

/// Largest request in bytes: a file of 25 MB in base64, and what stands around it.
const LARGEST_REQUEST: usize = 40 * 1024 * 1024;

pub fn router(graph: Arc<Graph>) -> Router {
    Router::new()
        .route("/local/teams/chats", get(chats))
        .route(
            "/local/teams/chats/{chat}/messages",
            get(shown::messages).post(write),
        )
        .merge(changing::router())
        .merge(shown::router())
        .route("/local/graph/subscriptions", get(subscriptions))
        .route("/local/graph/notifications/compose", post(compose))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(graph)
}

/// A refusal of the control interface.
pub fn refused(status: StatusCode, reason: &str) -> Response {
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
        principal_name: None,
    };
    let html = if written.mention {
        mentioning(&written.html)
    } else {
        written.html
    };
    let from = Person::from(written.from);
    let extras = Extras {
        images: written.images,
        files: written.files,
        snippet: written.snippet,
        reply_to: written.reply_to,
        attachments: written.attachments,
    };
    let parts = match graph.compose_parts(&chat, &from, html, extras).await {
        Ok(parts) => parts,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let message = NewMessage {
        from,
        parts,
        created: written.created,
        mentioned: written.mention.then(|| support.clone()),
        kind,
        support,
        hosted_elsewhere: written.hosted_elsewhere,
    };
    let id = graph.customer_writes(&chat, message, written.notify.unwrap_or(true));
    let told = json!({
        "message": id,
        "correlation": correlation::of_teams_message(&chat, &id),
    });
    (StatusCode::CREATED, Json(told)).into_response()
}

/// The mention stands at the front, inside the first paragraph.
fn mentioning(html: &str) -> String {
    const MENTION: &str = "<at id=\"0\">Support</at>&nbsp;";
    match html.strip_prefix("<p>") {
        Some(rest) => format!("<p>{MENTION}{rest}"),
        None => format!("<p>{MENTION}{html}</p>"),
    }
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

/// Somebody, as the control interface shows people.
pub fn person(person: &Person) -> Value {
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
    let change = wanted.change_type.unwrap_or(ChangeType::Created);
    let body =
        account.and_then(|account| graph.compose(&wanted.chat, &wanted.message, &account, change));
    match body {
        Some(body) => Json(json!({ "body": body })).into_response(),
        None => refused(
            StatusCode::NOT_FOUND,
            "no such message, or no subscription for it",
        ),
    }
}
