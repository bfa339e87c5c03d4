//! The control interface about Teams: what a customer writes, edits, deletes and thinks of a message, which chats there are, and
//! notifications to be sent by hand.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::changes::ChangeType::{self, Created, Deleted, Updated};
use super::chats::{Chat, Message, Person, UserType};
use super::state::Graph;
use super::written::Extras;
use super::{directory, raw, registrations, shown, subscriptions};
use crate::shared::correlation;
use crate::shared::refused::Refused;

type Shared = State<Arc<Graph>>;
/// Chat and message.
type Place = Path<(String, String)>;
type Done = Result<StatusCode, Refused>;

/// A customer's message, as the control interface takes it.
#[derive(Deserialize)]
struct Written {
    from: Person,
    html: String,
    #[serde(default)]
    mention: bool,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created: Option<OffsetDateTime>,
    #[serde(flatten)]
    chat: NewChat,
    #[serde(flatten)]
    extras: Extras,
    notify: Option<bool>,
}

/// The chat of a message, where it is the first one in it.
#[derive(Deserialize)]
pub struct NewChat {
    chat_type: Option<String>,
    support_account: Option<String>,
    #[serde(default)]
    hosted_elsewhere: bool,
}

#[derive(Deserialize)]
struct Wanted {
    chat: String,
    message: String,
    change_type: Option<ChangeType>,
}

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

/// Largest request in bytes: a file of 25 MB in base64, and what stands around it.
const LARGEST_REQUEST: usize = 40 * 1024 * 1024;

/// The control interface's routes about Teams.
pub fn router(graph: &Arc<Graph>) -> Router {
    const MESSAGE: &str = "/local/teams/chats/{chat}/messages/{message}";
    Router::new()
        .route("/local/teams/chats", get(chats))
        .route(
            "/local/teams/chats/{chat}/messages",
            get(shown::messages).post(write),
        )
        .route("/local/teams/chats/{chat}/raw", post(raw::write))
        .route(MESSAGE, patch(edit).delete(delete))
        .route(&format!("{MESSAGE}/restore"), post(restore))
        .route(&format!("{MESSAGE}/reactions"), post(react).delete(unreact))
        .merge(shown::router())
        .merge(directory::control())
        .merge(registrations::control())
        .merge(subscriptions::control())
        .route("/local/graph/notifications/compose", post(compose))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::clone(graph))
}

async fn write(
    State(graph): Shared,
    Path(chat): Path<String>,
    Json(written): Json<Written>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let new = graph.new_chat(&chat, &written.chat, &written.from)?;
    let html = if written.mention {
        mentioning(&written.html)
    } else {
        written.html
    };
    let parts = graph.compose_parts(&chat, &written.from, html, written.extras);
    let parts = parts.await.map_err(Refused::bad_request)?;
    let id = {
        let at = written.created.unwrap_or_else(OffsetDateTime::now_utc);
        let support = new.members.first();
        let mentioned = support.filter(|_| written.mention).cloned();
        let mut chats = graph.chats.lock();
        let open = chats.entry(chat.clone()).or_insert(new);
        open.add(written.from, parts, mentioned, at)
    };
    graph.message_changed(&chat, &id, "written", written.notify, &[Created]);
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
    let change = wanted.change_type.unwrap_or(Created);
    let composed = graph.compose(&wanted.chat, &wanted.message, change);
    let body = composed.into_iter().next();
    body.map(|(_, body)| Json(json!({ "body": body })))
        .ok_or_else(|| Refused::not_found("such message, or no subscription for it"))
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
    /// A chat that this person begins, with the Support User as its first member.
    pub(super) fn new_chat(&self, id: &str, new: &NewChat, by: &Person) -> Result<Chat, Refused> {
        let config = &self.world.config;
        let account = match &new.support_account {
            Some(name) => config.support_account(name),
            None => config.support_accounts.first(),
        };
        let account = account.ok_or_else(|| Refused::bad_request("no such support account"))?;
        let kind = new.chat_type.as_deref().unwrap_or("oneOnOne");
        if !["oneOnOne", "group", "meeting"].contains(&kind) {
            let why = "chat_type must be oneOnOne, group or meeting";
            return Err(Refused::bad_request(why));
        }
        let support = Person {
            user: account.user.clone(),
            user_type: UserType::AadUser,
            name: "Support".to_owned(),
            tenant: config.tenant.clone(),
            upn: None,
            user_principal_name: None,
        };
        let host = if new.hosted_elsewhere {
            &by.tenant
        } else {
            &config.tenant
        };
        let address = &self.world.endpoints.graph;
        Ok(Chat::new(
            address,
            id,
            kind.to_owned(),
            host.clone(),
            support,
        ))
    }

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
            let message = message.ok_or_else(no_message)?;
            if message.raw.is_some() {
                const WHY: &str = "the message was given as a whole, and so must its changes be";
                return Err(Refused(StatusCode::CONFLICT, WHY.to_owned()));
            }
            change(message)?;
        }
        self.message_changed(chat, id, outcome, notify, notifications);
        Ok(StatusCode::NO_CONTENT)
    }
}
