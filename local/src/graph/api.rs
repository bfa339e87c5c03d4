//! The routes below `/v1.0`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, http::Uri};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::timeout;

use super::answers::{Refusal, answer, with_headers};
use super::caller::{READ, limit, unlisted};
use super::changes::ChangeType;
use super::chats::{NewMessage, Person};
use super::parts::Parts;
use super::state::Graph;
use super::{files, listing, posted, views};
use crate::hub::Direction;
use crate::shared::download::sized;

type Answer = Result<(StatusCode, Value), Refusal>;
type Shared = State<Arc<Graph>>;

/// Largest request in bytes: ten hosted contents of 4 MB in base64, and the post around them.
const LARGEST_REQUEST: usize = 64 * 1024 * 1024;

/// Everything below `/v1.0`.
pub fn router(graph: &Arc<Graph>) -> Router {
    Router::new()
        .route("/v1.0/me/chats", get(my_chats))
        .route("/v1.0/chats/{chat}", get(get_chat))
        .route("/v1.0/chats/{chat}/members", get(members))
        .route("/v1.0/chats/{chat}/messages", get(list).post(post))
        .route("/v1.0/chats/{chat}/messages/{message}", get(get_message))
        .route(
            "/v1.0/chats/{chat}/messages/{message}/hostedContents/{content}/$value",
            get(hosted_content),
        )
        .merge(files::router())
        .fallback(async |headers: HeaderMap, _: Uri| answer(&headers, Err(Refusal::NOT_FOUND)))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::clone(graph))
}

const fn ok(body: Value) -> Answer {
    Ok((StatusCode::OK, body))
}

async fn my_chats(State(graph): Shared, headers: HeaderMap) -> Response {
    let result = (|| {
        let caller = graph.caller(&headers)?;
        caller
            .may(&READ)
            .or_else(|_| caller.may(&["Chat.ReadBasic"]))?;
        if !graph.throttle.allows("GET /me/chats", &caller.user, 1.0) {
            return Err(Refusal::TOO_MANY);
        }
        let chats = graph.chats.lock();
        let own: Vec<Value> = chats
            .iter()
            .filter(|(_, chat)| chat.has_member(&caller.user))
            .map(|(id, chat)| views::chat(id, chat))
            .collect();
        ok(json!({ "value": own }))
    })();
    answer(&headers, result)
}

async fn get_chat(State(graph): Shared, Path(chat): Path<String>, headers: HeaderMap) -> Response {
    let kind = limit("GET chat", 1.0, Some(5.0));
    let result = graph.read(&headers, &chat, kind, |found| ok(views::chat(&chat, found)));
    answer(&headers, result)
}

async fn members(State(graph): Shared, Path(chat): Path<String>, headers: HeaderMap) -> Response {
    let ours = &graph.world.config.tenant;
    let result = graph.read(&headers, &chat, unlisted("GET members"), |found| {
        if found.kind != "oneOnOne" && found.tenant != *ours {
            return Err(Refusal::forbidden("The chat is owned by another tenant."));
        }
        let all: Vec<Value> = found.members.iter().map(views::member).collect();
        ok(json!({ "@odata.count": all.len(), "value": all }))
    });
    answer(&headers, result)
}

async fn list(
    State(graph): Shared,
    Path(chat): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let kind = limit("GET messages", 1.0, None);
    let result = graph.read(&headers, &chat, kind, |found| {
        ok(listing::page(
            &graph.world.endpoints.graph,
            &chat,
            found,
            &query,
        )?)
    });
    answer(&headers, result)
}

async fn get_message(
    State(graph): Shared,
    Path((chat, message)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let result = graph.read(&headers, &chat, unlisted("GET message"), |found| {
        let message = found.message(&message).ok_or(Refusal::NOT_FOUND)?;
        ok(views::message(&chat, message))
    });
    answer(&headers, result)
}

async fn hosted_content(
    State(graph): Shared,
    Path((chat, message, content)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let kind = limit("GET hosted content value", 1.0, None);
    let found = graph.read(&headers, &chat, kind, |chat| {
        let message = chat.message(&message).ok_or(Refusal::NOT_FOUND)?;
        message.hosted(&content).cloned().ok_or(Refusal::NOT_FOUND)
    });
    let shown = found.map(|hosted| {
        let content = &hosted.content;
        sized(content.size(), &hosted.content_type, content.body())
    });
    with_headers(&headers, shown)
}

async fn post(
    State(graph): Shared,
    Path(chat): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let result = create(&graph, &chat, &headers, &body).await;
    answer(&headers, result)
}

async fn create(graph: &Graph, chat: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
    let came = OffsetDateTime::now_utc();
    let caller = graph.caller(headers)?;
    caller.may(&["ChatMessage.Send", "Chat.ReadWrite"])?;
    let parts = posted::read(body)?;
    let author = {
        let chats = graph.chats.lock();
        let members = &chats.get(chat).ok_or(Refusal::NOT_FOUND)?.members;
        let author = members.iter().find(|member| member.user == caller.user);
        author
            .cloned()
            .ok_or(Refusal::forbidden("InsufficientPrivileges"))?
    };
    let throttle = &graph.throttle;
    let by_user = throttle.allows("POST message of user", &caller.user, 1.0);
    if !by_user || !throttle.allows("POST message to chat", chat, 1.0) {
        return Err(Refusal::TOO_MANY);
    }
    let (id, view, count) = {
        let mut chats = graph.chats.lock();
        let id = chats.add(chat, own_message(author, parts), OffsetDateTime::now_utc());
        let found = chats.get(chat).ok_or(Refusal::NOT_FOUND)?;
        let message = found.message(&id).ok_or(Refusal::NOT_FOUND)?;
        let own = |message: &&super::chats::Message| message.from.user == caller.user;
        let count = found.messages.iter().filter(own).count();
        (id, views::message(chat, message), count)
    };
    let hub = &graph.world.hub;
    let correlation = headers.get("client-request-id");
    if let Some(correlation) = correlation.and_then(|value| value.to_str().ok()) {
        let attempt = hub.journeys.next_attempt(correlation, "teams");
        let direction = Direction::Outbound;
        hub.journey_at(came, correlation, direction, "teams", attempt, "201");
    }
    let notified = graph.notify(chat, &id, ChangeType::Created, None);
    hub.event("chat", json!({ "chat": chat }));
    if count % 2 == 1 {
        // The post's own notification can be faster than its answer.
        let _ = timeout(Duration::from_secs(1), notified).await;
    }
    Ok((StatusCode::CREATED, view))
}

fn own_message(from: Person, parts: Parts) -> NewMessage {
    NewMessage {
        parts,
        created: None,
        mentioned: None,
        kind: "oneOnOne".to_owned(),
        support: from.clone(),
        hosted_elsewhere: false,
        from,
    }
}
