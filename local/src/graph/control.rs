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
use super::chats::{NewMessage, Person};
use super::state::Graph;
use super::written::{Author, Extras};
use super::{changing, shown};
use crate::shared::correlation;
use crate::shared::refused::Refused;

type Shared = State<Arc<Graph>>;

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
    #[serde(flatten)]
    extras: Extras,
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
        .route("/local/graph/subscriptions", get(subscriptions))
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
    let kind = written.chat_type.unwrap_or_else(|| "oneOnOne".to_owned());
    if !["oneOnOne", "group", "meeting"].contains(&kind.as_str()) {
        let why = "chat_type must be oneOnOne, group or meeting";
        return Err(Refused::bad_request(why));
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
    let parts = graph
        .compose_parts(&chat, &from, html, written.extras)
        .await
        .map_err(Refused::bad_request)?;
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
    let all: Vec<Value> = chats
        .iter()
        .map(|(id, chat)| {
            let members: Vec<Value> = chat.members.iter().map(shown::person).collect();
            json!({ "chat": id, "type": chat.kind, "members": members })
        })
        .collect();
    Json(json!({ "chats": all }))
}

async fn subscriptions(State(graph): Shared) -> Json<Value> {
    Json(graph.subscriptions.view())
}

/// The notification of a message, as it would be sent, for those who want to change it and send it themselves.
async fn compose(State(graph): Shared, Json(wanted): Json<Wanted>) -> Result<Json<Value>, Refused> {
    let accounts = graph
        .chats
        .lock()
        .support_accounts(&wanted.chat, &graph.world);
    let change = wanted.change_type.unwrap_or(ChangeType::Created);
    accounts
        .first()
        .and_then(|account| graph.compose(&wanted.chat, &wanted.message, account, change))
        .map(|body| Json(json!({ "body": body })))
        .ok_or_else(|| Refused::not_found("such message, or no subscription for it"))
}
