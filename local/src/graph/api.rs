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

use super::answers::{Refusal, answer};
use super::caller::{Limit, READ, unlisted};
use super::changes::ChangeType;
use super::chats::{NewMessage, Person};
use super::parts::Parts;
use super::{Graph, files, hosted, listing, posted, views};
use crate::hub::Direction;

type Answer = Result<(StatusCode, Value), Refusal>;

/// Largest request in bytes: ten hosted contents of 4 MB in base64, and the post around them.
const LARGEST_REQUEST: usize = 64 * 1024 * 1024;

pub fn router(graph: Arc<Graph>) -> Router {
    Router::new()
        .route("/v1.0/me/chats", get(my_chats))
        .route("/v1.0/chats/{chat}", get(get_chat))
        .route("/v1.0/chats/{chat}/members", get(members))
        .route("/v1.0/chats/{chat}/messages", get(list).post(post))
        .route("/v1.0/chats/{chat}/messages/{message}", get(get_message))
        .merge(hosted::router())
        .merge(files::router())
        .fallback(async |headers: HeaderMap, _: Uri| answer(&headers, Err(Refusal::NotFound)))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(graph)
}

const GET_CHAT: Limit = Limit {
    call: "GET chat",
    per_chat: 1.0,
    per_user: Some(5.0),
};

const LIST_MESSAGES: Limit = Limit {
    call: "GET messages",
    per_chat: 1.0,
    per_user: None,
};

async fn my_chats(State(graph): State<Arc<Graph>>, headers: HeaderMap) -> Response {
    let result = (|| {
        let caller = graph.caller(&headers)?;
        caller
            .may(&READ)
            .or_else(|_| caller.may(&["Chat.ReadBasic"]))?;
        if !graph.throttle.allows("GET /me/chats", &caller.user, 1.0) {
            return Err(Refusal::TooMany);
        }
        let chats = graph.chats();
        let own: Vec<Value> = chats
            .iter()
            .filter(|(_, chat)| chat.has_member(&caller.user))
            .map(|(id, chat)| views::chat(id, chat))
            .collect();
        Ok((StatusCode::OK, json!({ "value": own })))
    })();
    answer(&headers, result)
}

async fn get_chat(
    State(graph): State<Arc<Graph>>,
    Path(chat): Path<String>,
    headers: HeaderMap,
) -> Response {
    let result = graph.read(&headers, &chat, GET_CHAT, |_, found| {
        Ok((StatusCode::OK, views::chat(&chat, found)))
    });
    answer(&headers, result)
}

async fn members(
    State(graph): State<Arc<Graph>>,
    Path(chat): Path<String>,
    headers: HeaderMap,
) -> Response {
    let result = graph.read(&headers, &chat, unlisted("GET members"), |_, found| {
        if found.kind != "oneOnOne" && found.tenant != graph.world.config.tenant {
            return Err(Refusal::Forbidden("The chat is owned by another tenant."));
        }
        let all: Vec<Value> = found.members.iter().map(views::member).collect();
        Ok((
            StatusCode::OK,
            json!({ "@odata.count": all.len(), "value": all }),
        ))
    });
    answer(&headers, result)
}

async fn list(
    State(graph): State<Arc<Graph>>,
    Path(chat): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let result = graph.read(&headers, &chat, LIST_MESSAGES, |_, found| {
        listing::page(&graph.world.endpoints.graph, &chat, found, &query)
            .map(|page| (StatusCode::OK, page))
    });
    answer(&headers, result)
}

async fn get_message(
    State(graph): State<Arc<Graph>>,
    Path((chat, message)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let result = graph.read(&headers, &chat, unlisted("GET message"), |_, found| {
        let message = found.message(&message).ok_or(Refusal::NotFound)?;
        Ok((StatusCode::OK, views::message(&chat, message)))
    });
    answer(&headers, result)
}

async fn post(
    State(graph): State<Arc<Graph>>,
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
        let chats = graph.chats();
        let found = chats.get(chat).ok_or(Refusal::NotFound)?;
        let author = found
            .members
            .iter()
            .find(|member| member.user == caller.user);
        author
            .cloned()
            .ok_or(Refusal::Forbidden("InsufficientPrivileges"))?
    };
    let by_user = graph
        .throttle
        .allows("POST message of user", &caller.user, 1.0);
    if !by_user || !graph.throttle.allows("POST message to chat", chat, 1.0) {
        return Err(Refusal::TooMany);
    }
    let (id, view, count) = {
        let mut chats = graph.chats();
        let id = chats.add(chat, own_message(author, parts), OffsetDateTime::now_utc());
        let found = chats.get(chat).ok_or(Refusal::NotFound)?;
        let view = found
            .message(&id)
            .map(|message| views::message(chat, message))
            .unwrap_or_default();
        let count = found
            .messages
            .iter()
            .filter(|message| message.from.user == caller.user)
            .count();
        (id, view, count)
    };
    if let Some(correlation) = headers
        .get("client-request-id")
        .and_then(|value| value.to_str().ok())
    {
        let attempt = graph.world.hub.next_attempt(correlation, "teams");
        graph.world.hub.journey_at(
            came,
            correlation,
            Direction::Outbound,
            "teams",
            attempt,
            "201",
        );
    }
    let notified = graph.notify(chat, &id, ChangeType::Created, None);
    graph.world.hub.event("chat", json!({ "chat": chat }));
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
