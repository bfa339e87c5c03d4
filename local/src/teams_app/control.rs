//! The control interface about the bot: what somebody does in a chat with the app, activities as they are, and what the bot did.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::deeds::Deed;
use crate::bot::{Bot, Chat, Message, Signing, another_key};
use crate::graph::Person;
use crate::hub::Direction;
use crate::shared::correlation;
use crate::shared::download::{harmless, sized};
use crate::shared::refused::Refused;
use crate::shared::serve::loopback_client;

type Shared = State<Arc<Bot>>;
type Answer = Result<Json<Value>, Refused>;

/// Largest request in bytes: a file of 25 MB in base64, and what stands around it.
const LARGEST_REQUEST: usize = 40 * 1024 * 1024;

/// The routes, with their full paths.
pub fn router(bot: &Arc<Bot>) -> Router {
    Router::new()
        .route("/local/bot/keys/rotate", post(rotate))
        .route("/local/bot/keys/unendorsed", post(add_unendorsed))
        .route("/local/bot/deliveries", put(set_deliveries))
        .route("/local/bot/pictures/{id}", get(picture))
        .route("/local/bot/chats", get(chats))
        .route("/local/bot/chats/{chat}", get(chat).post(act))
        .route("/local/bot/chats/{chat}/raw", post(raw))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::clone(bot))
}

async fn rotate(State(bot): Shared) -> Json<Value> {
    Json(json!({ "kid": bot.keys.rotate() }))
}

/// Publishes one more key, without an endorsement for Teams.
async fn add_unendorsed(State(bot): Shared) -> Json<Value> {
    *bot.unendorsed.lock() = Some(another_key());
    Json(bot.published_keys())
}

#[derive(Deserialize)]
struct Refusals {
    lose_refused: bool,
}

/// Whether an activity that was answered with 4xx or 5xx is lost; from the start it is delivered again.
async fn set_deliveries(State(bot): Shared, Json(wanted): Json<Refusals>) -> StatusCode {
    bot.loses_refused
        .store(wanted.lose_refused, Ordering::Relaxed);
    StatusCode::NO_CONTENT
}

async fn picture(State(bot): Shared, Path(id): Path<String>) -> Result<Response, Refused> {
    let pictures = bot.pictures.lock();
    let found = pictures.get(&id);
    let (kind, content) = found.ok_or_else(|| Refused::not_found("such picture"))?;
    Ok(harmless(sized(content, kind)))
}

async fn chats(State(bot): Shared) -> Json<Value> {
    let chats = bot.chats.lock();
    let all: Vec<Value> = chats.values().map(Chat::view).collect();
    Json(json!({ "chats": all }))
}

/// A chat with what is shown now, and with all that the bot wrote.
async fn chat(State(bot): Shared, Path(chat): Path<String>) -> Answer {
    let chats = bot.chats.lock();
    let found = chats.get(&chat).ok_or_else(no_chat)?;
    let mut view = found.view();
    view["messages"] = found.messages.iter().map(Message::view).collect();
    view["posted"] = json!(found.posted);
    Ok(Json(view))
}

#[derive(Deserialize)]
struct Act {
    /// Who does it; the chat's first member when it is not said.
    from: Option<Person>,
    #[serde(flatten)]
    deed: Deed,
}

/// Somebody does something in a chat, which begins when the app is installed there.
async fn act(State(bot): Shared, Path(chat): Path<String>, Json(mut act): Json<Act>) -> Answer {
    let from = {
        let mut chats = bot.chats.lock();
        if let (Deed::Install, Some(from)) = (&act.deed, &act.from) {
            let begin = || Chat::new(&chat, from);
            chats.entry(chat.clone()).or_insert_with(begin);
        }
        let found = chats.get_mut(&chat).ok_or_else(no_chat)?;
        let from = act.from.unwrap_or_else(|| found.members[0].clone());
        found.join(&from);
        from
    };
    let attachments = match &mut act.deed {
        Deed::Say(said) => bot.attachments(&chat, &from, said).await,
        _ => Ok(Vec::new()),
    };
    let attachments = attachments.map_err(Refused::bad_request)?;
    // Held until the activities stand in the chat's line, so that the line has the chat's order.
    let mut chats = bot.chats.lock();
    let found = chats.get_mut(&chat).ok_or_else(no_chat)?;
    let (activities, outcome) = bot.perform(found, &from, act.deed, attachments)?;
    let message = activities.first().map(|it| it["id"].clone());
    let mut told = json!({ "message": message });
    for (activity, outcome) in activities.iter().zip(std::iter::repeat(outcome)) {
        let id = activity["id"].as_str().unwrap_or_default();
        let correlation = outcome.map(|outcome| {
            let correlation = correlation::of_teams_message(&chat, id);
            let hub = &bot.world.hub;
            let attempt = hub.journeys.next_attempt(&correlation, "teams");
            hub.journey(&correlation, Direction::Inbound, "teams", attempt, outcome);
            correlation
        });
        told["correlation"] = json!(correlation);
        bot.deliver(&chat, activity, correlation);
    }
    bot.changed(&chat);
    Ok(Json(told))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    /// Its fields stand in the place of those of a genuine message of the chat; a null takes one away.
    activity: Map<String, Value>,
    #[serde(default)]
    signing: Signing,
}

/// Delivers an activity once, whatever it is, and tells how it was answered.
async fn raw(State(bot): Shared, Path(chat): Path<String>, Json(raw): Json<Raw>) -> Answer {
    let mut activity = {
        let chats = bot.chats.lock();
        let found = chats.get(&chat).ok_or_else(no_chat)?;
        bot.activity(found, &found.members[0], "message", json!({}))
    };
    for (name, value) in raw.activity {
        activity[name] = value;
    }
    if let Value::Object(fields) = &mut activity {
        fields.retain(|_, value| !value.is_null());
    }
    let client = loopback_client().build().map_err(anyhow::Error::from)?;
    let request = bot.request(&client, &activity, raw.signing);
    let sent = request.json(&activity).send().await;
    let answer = sent.map_err(anyhow::Error::from)?;
    let status = answer.status().as_u16();
    let body = answer.text().await.unwrap_or_default();
    Ok(Json(json!({ "status": status, "body": body })))
}

fn no_chat() -> Refused {
    Refused::not_found("such chat: nobody has installed the app there")
}
