//! What the bot calls: the connector below `/amer/`, and the keys of its tokens.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::state::{Bot, Chat};
use crate::entra::BOT_AUDIENCE;
use crate::graph::{Person, UserType};
use crate::hub::Direction;
use crate::shared::activity::{self, Kind, Place};
use crate::shared::download::sized;
use crate::shared::limits::Table;
use crate::shared::time_text;

type Shared = State<Arc<Bot>>;
type Answer = Result<Json<Value>, Refusal>;

/// A write takes this long, and another one to the same chat must not begin meanwhile.
const WORK: Duration = Duration::from_millis(10);
/// Largest request in bytes: a picture in base64 and what stands around it.
const LARGEST_REQUEST: usize = 4 * 1024 * 1024;

/// Writes to one chat, and beginning it.
const SEND: Table = &[(7, 1), (8, 2), (60, 30), (1_800, 3_600)];
/// Reading one chat.
const READ: Table = &[(14, 1), (16, 2), (120, 30), (3_600, 3_600)];
/// Everything in one tenant.
const TENANT: Table = &[(50, 1)];

/// Why a request is refused: status, code, message, and when to come back.
#[derive(Debug)]
pub struct Refusal(u16, &'static str, String, Option<u64>);

impl Refusal {
    pub const TOO_LARGE: Self = Self(413, "MessageSizeTooBig", String::new(), None);
    const UNAUTHORIZED: Self = Self(401, "BotNotRegistered", String::new(), None);
    const NO_CHAT: Self = Self(404, "ConversationNotFound", String::new(), None);
    const NO_ACTIVITY: Self = Self(404, "ActivityNotFoundInConversation", String::new(), None);
    const NO_MEMBER: Self = Self(404, "MemberNotFoundInConversation", String::new(), None);
    const NOT_IN_ROSTER: Self = Self(403, "BotNotInConversationRoster", String::new(), None);
    const BLOCKED: Self = Self(403, "ConversationBlockedByUser", String::new(), None);
    const ANOTHERS: Self = Self(403, "NotEnoughPermissions", String::new(), None);
    const OVERLAPS: Self = Self(412, "PreconditionFailed", String::new(), None);

    /// 400: nothing in it can be mended by trying again.
    pub fn bad_syntax(why: impl Into<String>) -> Self {
        Self(400, "BadSyntax", why.into(), None)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message, retry_after) = self;
        let message = Some(message).filter(|it| !it.is_empty());
        let message = message.unwrap_or_else(|| code.to_owned());
        let body = Json(json!({ "error": { "code": code, "message": message } }));
        let status = StatusCode::from_u16(status).expect("each of them is a status");
        let wait = retry_after.map(|seconds| (header::RETRY_AFTER, seconds.into()));
        (status, wait.into_iter().collect::<HeaderMap>(), body).into_response()
    }
}

/// The routes at [`crate::world::Endpoints::bot`].
pub fn router(bot: &Arc<Bot>) -> Router {
    const CHAT: &str = "/amer/v3/conversations/{chat}";
    Router::new()
        .route("/v1/.well-known/openidconfiguration", get(metadata))
        .route("/v1/.well-known/keys", get(keys))
        .route("/amer/v3/conversations", post(begin))
        .route(&format!("{CHAT}/activities"), post(write))
        .route(
            &format!("{CHAT}/activities/{{activity}}"),
            post(write).put(write).delete(write),
        )
        .route(&format!("{CHAT}/members/{{member}}"), get(member))
        .route(&format!("{CHAT}/pagedmembers"), get(members))
        .route(
            "/amer/{tenant}/v3/attachments/{id}/views/original",
            get(picture),
        )
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::clone(bot))
}

async fn metadata(State(bot): Shared) -> Json<Value> {
    Json(json!({
        "issuer": BOT_AUDIENCE,
        "authorization_endpoint": "https://invalid.botframework.com",
        "jwks_uri": format!("{}/v1/.well-known/keys", bot.world.endpoints.bot),
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }))
}

async fn keys(State(bot): Shared) -> Json<Value> {
    Json(bot.published_keys())
}

/// `activities` (POST) and `activities/{activity}` (POST, PUT, DELETE).
async fn write(
    State(bot): Shared,
    Path(mut place): Path<HashMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    bot.authorised(&headers)?;
    let is_delete = method == Method::DELETE;
    let write = Write {
        activity: (!is_delete).then(|| read(&body)).transpose()?,
        place: place.remove("activity"),
        method,
    };
    let chat = place.remove("chat").unwrap_or_default();
    bot.write(&headers, &chat, write).await
}

fn read(body: &[u8]) -> Result<Value, Refusal> {
    let activity: Value =
        serde_json::from_slice(body).map_err(|it| Refusal::bad_syntax(it.to_string()))?;
    match activity::is_too_large(&activity) {
        true => Err(Refusal::TOO_LARGE),
        false => Ok(activity),
    }
}

/// Begins a chat with somebody who has the app, which is the chat that is there already.
async fn begin(
    State(bot): Shared,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    bot.authorised(&headers)?;
    let asked = read(&body)?;
    let member = asked["members"].as_array().filter(|all| all.len() == 1);
    let member = member.and_then(|all| all[0]["id"].as_str());
    let tenant = asked["channelData"]["tenant"]["id"]
        .as_str()
        .or(asked["tenantId"].as_str());
    let (Some(member), Some(tenant)) = (member, tenant) else {
        return Err(Refusal::bad_syntax("one member and its tenant are needed"));
    };
    if asked["bot"]["id"] != bot.own_id().as_str() || asked["isGroup"] == true {
        return Err(Refusal::bad_syntax("another bot, or a group, is named"));
    }
    let id = {
        let chats = bot.chats.lock();
        let mut own = chats
            .values()
            .filter(|it| !it.is_group && it.tenant == tenant);
        // By its sign-in name nobody can be written to.
        let found = own.find(|it| !member.contains('@') && bot.find(it, member).is_some());
        let found = found.filter(|it| it.is_installed);
        found.ok_or(Refusal::NOT_IN_ROSTER)?.id.clone()
    };
    bot.admit(SEND, &format!("begin {id}"), 1)?;
    let mut told = json!({ "id": id });
    if !asked["activity"].is_null() {
        let write = Write {
            method: Method::POST,
            place: None,
            activity: Some(asked["activity"].clone()),
        };
        let answer = bot.write(&headers, &id, write).await?;
        let body = axum::body::to_bytes(answer.into_body(), LARGEST_REQUEST).await;
        let body: Value = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
        told["activityId"] = body["id"].clone();
    }
    Ok((StatusCode::CREATED, Json(told)))
}

async fn member(
    State(bot): Shared,
    Path((chat, member)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    bot.reading(&headers, &chat, |chat| {
        let found = bot.find(chat, &member).ok_or(Refusal::NO_MEMBER)?;
        Ok(bot.member(found))
    })
}

async fn members(
    State(bot): Shared,
    Path(chat): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Answer {
    bot.reading(&headers, &chat, |chat| {
        let number =
            |name: &str, default| query.get(name).map_or(Some(default), |it| it.parse().ok());
        let size = number("pageSize", 200).filter(|size| (50..=500).contains(size));
        let (Some(size), Some(start)) = (size, number("continuationToken", 0)) else {
            return Err(Refusal::bad_syntax("pageSize is 50 to 500"));
        };
        let page = chat.members.iter().skip(start).take(size);
        let mut answer = json!({ "members": page.map(|it| bot.member(it)).collect::<Vec<_>>() });
        if start + size < chat.members.len() {
            answer["continuationToken"] = json!((start + size).to_string());
        }
        Ok(answer)
    })
}

async fn picture(
    State(bot): Shared,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    bot.authorised(&headers)?;
    let pictures = bot.pictures.lock();
    let (kind, content) = pictures.get(&id).ok_or(Refusal::NO_ACTIVITY)?;
    Ok(sized(content, kind))
}

impl Bot {
    /// Refuses whoever has no token of the bot for the connector.
    fn authorised(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
        let claims = self
            .entra
            .verify(token.ok_or(Refusal::UNAUTHORIZED)?, &[BOT_AUDIENCE]);
        let claims = claims.map_err(|_| Refusal::UNAUTHORIZED)?;
        let app = &self.world.config.bot_app;
        let is_bot = !app.is_empty() && claims["appid"] == app.as_str() && claims["idtyp"] == "app";
        is_bot.then_some(()).ok_or(Refusal::UNAUTHORIZED)
    }

    fn admit(&self, table: Table, subject: &str, count: usize) -> Result<(), Refusal> {
        let admitted = self.limits.admit(table, subject, count);
        admitted.map_err(|seconds| Refusal(429, "Throttled", String::new(), Some(seconds.max(1))))
    }

    /// Reads a chat in which the app is.
    fn reading(
        &self,
        headers: &HeaderMap,
        chat: &str,
        look: impl FnOnce(&Chat) -> Result<Value, Refusal>,
    ) -> Answer {
        self.authorised(headers)?;
        let chats = self.chats.lock();
        let found = chats.get(chat).ok_or(Refusal::NO_CHAT)?;
        if !found.is_installed {
            return Err(Refusal::NOT_IN_ROSTER);
        }
        self.admit(TENANT, &found.tenant, 1)?;
        self.admit(READ, chat, 1)?;
        look(found).map(Json)
    }

    /// A member as `GET …/members/{id}` shows it.
    fn member(&self, person: &Person) -> Value {
        let is_user = person.user_type == UserType::AadUser;
        let mut member = self.account(person);
        member["tenantId"] = json!(person.tenant);
        member["userRole"] = json!(if is_user { "user" } else { "anonymous" });
        let (given, surname) = person.name.split_once(' ').unwrap_or((&person.name, ""));
        if let (true, Some(upn)) = (is_user, &person.upn) {
            for (name, value) in [
                ("email", upn.as_str()),
                ("userPrincipalName", upn),
                ("givenName", given),
                ("surname", surname),
            ] {
                member[name] = json!(value);
            }
        }
        member
    }

    /// Does a write, which is done even when its answer is not waited for.
    async fn write(
        self: &Arc<Self>,
        headers: &HeaderMap,
        chat: &str,
        write: Write,
    ) -> Result<Response, Refusal> {
        let came = OffsetDateTime::now_utc();
        let activity = write.activity.as_ref();
        let is_typing = activity.is_some_and(|it| it["type"] == "typing");
        let (status, id) = {
            let mut chats = self.chats.lock();
            let found = chats.get_mut(chat).ok_or(Refusal::NO_CHAT)?;
            self.apply(found, write)?
        };
        let _turn = Turn(Arc::clone(self), chat.to_owned());
        let correlation = headers.get("client-request-id");
        let correlation = correlation.and_then(|it| it.to_str().ok());
        if let Some(correlation) = correlation.filter(|_| !is_typing) {
            let (hub, outcome) = (&self.world.hub, status.as_str());
            let attempt = hub.journeys.next_attempt(correlation, "teams");
            hub.journey_at(
                came,
                correlation,
                Direction::Outbound,
                "teams",
                attempt,
                outcome,
            );
        }
        self.changed(chat);
        tokio::time::sleep(WORK).await;
        Ok(match id {
            Some(id) => (status, Json(json!({ "id": id }))).into_response(),
            None => status.into_response(),
        })
    }

    /// The status of the answer, and the id of the message where it is told.
    fn apply(
        &self,
        chat: &mut Chat,
        write: Write,
    ) -> Result<(StatusCode, Option<String>), Refusal> {
        let Write {
            method,
            place,
            activity,
        } = write;
        let here = Place {
            bot: &self.own_id(),
            chat: &chat.id,
            is_group: chat.is_group,
        };
        let kind = activity.as_ref().map(|it| activity::check(it, &here));
        let kind = kind.transpose().map_err(Refusal::bad_syntax)?;
        if !chat.is_installed {
            return Err(Refusal::NOT_IN_ROSTER);
        }
        if chat.is_blocked {
            return Err(Refusal::BLOCKED);
        }
        self.admit(TENANT, &chat.tenant, 1)?;
        let count = if kind == Some(Kind::Split) { 2 } else { 1 };
        self.admit(SEND, &chat.id, count)?;
        if chat.is_busy {
            return Err(Refusal::OVERLAPS);
        }
        let own = match &place {
            None => None,
            Some(place) => {
                let found = chat.message_mut(place).filter(|it| it.deleted.is_none());
                let found = found.ok_or(Refusal::NO_ACTIVITY)?;
                (method != Method::POST).then_some(found)
            }
        };
        let now = OffsetDateTime::now_utc();
        let mut posted =
            json!({ "method": method.as_str(), "at": time_text(now), "activity": activity });
        let (status, id) = match (own, activity, kind) {
            (Some(message), ..) if message.from.is_some() => return Err(Refusal::ANOTHERS),
            (Some(message), Some(activity), Some(Kind::Message)) => {
                (message.activity, message.edited) = (activity, Some(now));
                (StatusCode::OK, place.clone())
            }
            (Some(message), None, _) => {
                message.deleted = Some(now);
                (StatusCode::OK, None)
            }
            (None, Some(activity), Some(Kind::Message)) => {
                (StatusCode::CREATED, Some(chat.add(None, activity)))
            }
            // Each becomes a message, and nobody tells their ids.
            (None, Some(activity), Some(Kind::Split)) => {
                for other in ["attachments", "text"] {
                    let mut half = activity.clone();
                    half[other].take();
                    chat.add(None, half);
                }
                (StatusCode::ACCEPTED, None)
            }
            (None, _, Some(Kind::Typing)) => (StatusCode::ACCEPTED, None),
            _ => return Err(Refusal::bad_syntax("a message can only become one message")),
        };
        posted["id"] = json!(id.clone().or(place));
        chat.posted.push(posted);
        chat.is_busy = true;
        Ok((status, id))
    }
}

/// A write of the bot, with the activity that it replies to, replaces or deletes.
struct Write {
    method: Method,
    place: Option<String>,
    activity: Option<Value>,
}

/// A write under way; the chat is free again when it is over.
struct Turn(Arc<Bot>, String);

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(chat) = self.0.chats.lock().get_mut(&self.1) {
            chat.is_busy = false;
        }
    }
}
