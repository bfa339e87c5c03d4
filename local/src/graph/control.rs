//! The control interface about Teams: what a customer writes, which chats there are, and notifications to be sent by hand.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::changes::ChangeType;
use super::chats::{Chat, Person};
use super::state::Graph;
use super::written::Extras;
use super::{changing, shown};
use crate::shared::correlation;
use crate::shared::refused::Refused;

type Shared = State<Arc<Graph>>;

/// A customer's message, as the control interface takes it.
#[derive(Deserialize)]
struct Written {
    from: Person,
    html: String,
    chat_type: Option<String>,
    #[serde(default)]
    mention: bool,
    support_account: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created: Option<OffsetDateTime>,
    #[serde(default)]
    hosted_elsewhere: bool,
    #[serde(flatten)]
    extras: Extras,
    notify: Option<bool>,
}

#[derive(Deserialize)]
struct Wanted {
    chat: String,
    message: String,
    change_type: Option<ChangeType>,
}

/// Largest request in bytes: a file of 25 MB in base64, and what stands around it.
const LARGEST_REQUEST: usize = 40 * 1024 * 1024;

/// The control interface's routes about Teams.
pub fn router(graph: &Arc<Graph>) -> Router {
    Router::new()
        .route("/local/teams/chats", get(chats))
        .route(
            "/local/teams/chats/{chat}/messages",
            get(shown::messages).post(write),
        )
        .merge(changing::router())
        .merge(shown::router())
        .route("/local/graph/notifications/compose", post(compose))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::clone(graph))
}

async fn write(
    State(graph): Shared,
    Path(chat): Path<String>,
    Json(written): Json<Written>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let config = &graph.world.config;
    let account = match &written.support_account {
        Some(name) => config.support_account(name),
        None => config.support_accounts.first(),
    };
    let account = account.ok_or_else(|| Refused::bad_request("no such support account"))?;
    let kind = written.chat_type.as_deref().unwrap_or("oneOnOne");
    if !["oneOnOne", "group", "meeting"].contains(&kind) {
        let why = "chat_type must be oneOnOne, group or meeting";
        return Err(Refused::bad_request(why));
    }
    let support = Person {
        user: account.user.clone(),
        name: "Support".to_owned(),
        tenant: config.tenant.clone(),
        upn: None,
        user_principal_name: None,
    };
    let from = written.from;
    let html = if written.mention {
        mentioning(&written.html)
    } else {
        written.html
    };
    let parts = graph.compose_parts(&chat, &from, html, written.extras);
    let parts = parts.await.map_err(Refused::bad_request)?;
    let host = if written.hosted_elsewhere {
        &from.tenant
    } else {
        &config.tenant
    };
    let id = {
        let (address, host) = (&graph.world.endpoints.graph, host.clone());
        let at = written.created.unwrap_or_else(OffsetDateTime::now_utc);
        let mentioned = written.mention.then(|| support.clone());
        let mut chats = graph.chats.lock();
        let entry = chats.entry(chat.clone());
        let open =
            entry.or_insert_with(|| Chat::new(address, &chat, kind.to_owned(), host, support));
        open.add(from, parts, mentioned, at)
    };
    graph.message_changed(
        &chat,
        &id,
        "written",
        written.notify,
        &[ChangeType::Created],
    );
    let correlation = correlation::of_teams_message(&chat, &id);
    let told = json!({ "message": id, "correlation": correlation });
    Ok((StatusCode::CREATED, Json(told)))
}

/// The mention stands at the front, inside the first paragraph.
fn mentioning(html: &str) -> String {
    const MENTION: &str = "<at id=\"0\">Support</at>&nbsp;";
    match html.strip_prefix("<p>") {
        Some(rest) => format!("<p>{MENTION}{rest}"),
        None => format!("<p>{MENTION}{html}</p>"),
    }
}

async fn chats(State(graph): Shared) -> Json<Value> {
    let chats = graph.chats.lock();
    let all = chats.values();
    let all: Vec<Value> = all
        .map(|it| json!({ "chat": it.id, "type": it.kind, "members": it.members }))
        .collect();
    Json(json!({ "chats": all }))
}

/// The notification of a message, as it would be sent, for those who want to change it and send it themselves.
async fn compose(State(graph): Shared, Json(wanted): Json<Wanted>) -> Result<Json<Value>, Refused> {
    let change = wanted.change_type.unwrap_or(ChangeType::Created);
    let composed = graph.compose(&wanted.chat, &wanted.message, change);
    let body = composed.into_iter().next();
    body.map(|body| Json(json!({ "body": body })))
        .ok_or_else(|| Refused::not_found("such message, or no subscription for it"))
}
