//! The routes below `/v1.0`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router, middleware};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::timeout;

use super::answers::{Refusal, named};
use super::caller::READ;
use super::changes::ChangeType;
use super::state::Graph;
use super::{applications, directory, files, listing, posted, registrations, subscriptions, views};
use crate::hub::Direction;
use crate::shared::download::sized;

type Answer = Result<Json<Value>, Refusal>;
type Shared = State<Arc<Graph>>;

/// Largest request in bytes: ten hosted contents of 4 MB in base64, and the post around them.
const LARGEST_REQUEST: usize = 64 * 1024 * 1024;

/// Everything below `/v1.0`.
pub fn router(graph: &Arc<Graph>) -> Router {
    const MESSAGE: &str = "/v1.0/chats/{chat}/messages/{message}";
    Router::new()
        .route("/v1.0/me/chats", get(my_chats))
        .route("/v1.0/chats/{chat}", get(get_chat))
        .route("/v1.0/chats/{chat}/members", get(members))
        .route("/v1.0/chats/{chat}/messages", get(list).post(post))
        .route(
            "/v1.0/chats/{chat}/markChatReadForUser",
            axum::routing::post(mark_read),
        )
        .route(MESSAGE, get(get_message))
        .route(
            &format!("{MESSAGE}/hostedContents/{{content}}/$value"),
            get(hosted_content),
        )
        .route(
            "/v1.0/shares/{share}/driveItem/content",
            get(files::content),
        )
        .route(
            "/v1.0/tenantRelationships/{function}",
            get(directory::tenant),
        )
        .route("/v1.0/users", get(directory::users))
        .route("/v1.0/users/{user}", get(directory::user))
        .merge(applications::router())
        .merge(registrations::router())
        .merge(subscriptions::router())
        .fallback(async || Refusal::NOT_FOUND)
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .layer(middleware::from_fn(named))
        .with_state(Arc::clone(graph))
}

async fn my_chats(
    State(graph): Shared,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    let caller = graph.caller(&headers)?;
    caller.may(&[READ.as_slice(), &["Chat.ReadBasic"]].concat())?;
    graph.throttle.admit("GET /me/chats", &caller.user, 1.0)?;
    let chats = graph.chats.lock();
    let own = chats.values().filter(|chat| chat.has_member(&caller.user));
    let endpoint = &graph.world.endpoints.graph;
    listing::chats(endpoint, own.collect(), &query).map(Json)
}

async fn get_chat(State(graph): Shared, Path(chat): Path<String>, headers: HeaderMap) -> Answer {
    graph.read(&headers, &chat, ("GET chat", Some(5.0)), |found| {
        Ok(Json(views::chat(found)))
    })
}

async fn members(State(graph): Shared, Path(chat): Path<String>, headers: HeaderMap) -> Answer {
    let ours = &graph.world.config.tenant;
    graph.read(&headers, &chat, ("GET members", Some(1.0)), |found| {
        if found.kind != "oneOnOne" && found.tenant != *ours {
            return Err(Refusal::forbidden("The chat is owned by another tenant."));
        }
        let all: Vec<Value> = found.members.iter().map(views::member).collect();
        Ok(Json(json!({ "@odata.count": all.len(), "value": all })))
    })
}

async fn list(
    State(graph): Shared,
    Path(chat): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    let endpoint = &graph.world.endpoints.graph;
    graph.read(&headers, &chat, ("GET messages", None), |found| {
        listing::page(endpoint, found, &query).map(Json)
    })
}

async fn get_message(
    State(graph): Shared,
    Path((chat, message)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    graph.read(&headers, &chat, ("GET message", Some(1.0)), |found| {
        let message = found.message(&message).ok_or(Refusal::NOT_FOUND)?;
        Ok(Json(views::message(found, message)))
    })
}

async fn hosted_content(
    State(graph): Shared,
    Path((chat, message, content)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let kind = ("GET hosted content value", None);
    graph.read(&headers, &chat, kind, |chat| {
        let message = chat.message(&message).ok_or(Refusal::NOT_FOUND)?;
        let hosted = message.hosted(&content).ok_or(Refusal::NOT_FOUND)?;
        Ok(sized(&hosted.content, &hosted.content_type))
    })
}

/// "chat: markChatReadForUser": nobody but the user may do it.
async fn mark_read(
    State(graph): Shared,
    Path(chat): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<StatusCode, Refusal> {
    let caller = graph.caller(&headers)?;
    caller.may(&["Chat.ReadWrite"])?;
    let user = &body["user"];
    if user["id"] != caller.user || user["tenantId"] != graph.world.config.tenant {
        return Err(Refusal::forbidden("The user is not the one that asks."));
    }
    let chats = graph.chats.lock();
    let found = chats.get(&chat).ok_or(Refusal::NOT_FOUND)?;
    match found.has_member(&caller.user) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::forbidden("InsufficientPrivileges")),
    }
}

async fn post(
    State(graph): Shared,
    Path(chat): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let came = OffsetDateTime::now_utc();
    let caller = graph.caller(&headers)?;
    caller.may(&["ChatMessage.Send", "Chat.ReadWrite"])?;
    let parts = posted::read(&body)?;
    let (id, view, count) = {
        let mut chats = graph.chats.lock();
        let found = chats.get_mut(&chat).ok_or(Refusal::NOT_FOUND)?;
        let author = found.members.iter().find(|it| it.user == caller.user);
        let author = author.ok_or(Refusal::forbidden("InsufficientPrivileges"))?;
        let (author, throttle) = (author.clone(), &graph.throttle);
        throttle.admit("POST message of user", &caller.user, 1.0)?;
        throttle.admit("POST message to chat", &chat, 1.0)?;
        let id = found.add(author, parts, None, OffsetDateTime::now_utc());
        let message = found.message(&id).ok_or(Refusal::NOT_FOUND)?;
        let own = found.messages.iter();
        let count = own.filter(|it| it.from.user == caller.user).count();
        let view = views::message(found, message);
        (id, view, count)
    };
    let hub = &graph.world.hub;
    let correlation = headers.get("client-request-id");
    if let Some(correlation) = correlation.and_then(|value| value.to_str().ok()) {
        let attempt = hub.journeys.next_attempt(correlation, "teams");
        let direction = Direction::Outbound;
        hub.journey_at(came, correlation, direction, "teams", attempt, "201");
    }
    let notified = graph.notify(&chat, &id, ChangeType::Created, None);
    hub.event("chat", json!({ "chat": chat }));
    if let Some(notified) = notified.filter(|_| count % 2 == 1) {
        // The post's own notification can be faster than its answer.
        let _ = timeout(Duration::from_secs(1), notified.over()).await;
    }
    Ok((StatusCode::CREATED, Json(view)))
}
