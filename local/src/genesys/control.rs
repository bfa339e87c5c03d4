//! The control interface about Genesys: what the agent does and sees.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::agent::{Attachment, Written};
use super::conversations::Place;
use super::login::Client;
use super::organisation::Helper;
use super::profile::ContentProfile;
use super::state::Genesys;
use super::{raw, typing};
use crate::crm::Record;
use crate::shared::correlation;
use crate::shared::download::{Behaviour, Download, harmless};
use crate::shared::refused::Refused;

type Shared = State<Arc<Genesys>>;
/// What the answer to an order for a message says.
pub type Created = Result<(StatusCode, Json<Value>), Refused>;

#[derive(Deserialize)]
struct Secret {
    value: String,
}

/// A secret must be longer than this many characters (Platform API, model `OpenIntegrationRequest`).
pub(super) const SHORT_SECRET: usize = 15;

/// Largest request in bytes: a file of 25 MB in base64, and what stands around it.
const LARGEST_REQUEST: usize = 40 * 1024 * 1024;

/// The control interface's routes about Genesys.
pub fn router(genesys: &Arc<Genesys>) -> Router {
    Router::new()
        .route("/local/genesys/threads/{thread}/messages", post(write))
        .route("/local/genesys/threads/{thread}/raw", post(raw::write))
        .route(
            "/local/genesys/threads/{thread}/typing",
            post(typing::agent_types),
        )
        .route("/local/genesys/typing", put(typing::set))
        .route("/local/genesys/conversations", get(conversations))
        .route("/local/genesys/webhook-secret", put(webhook_secret))
        .route(
            "/local/genesys/clients",
            get(clients).put(set_clients).post(add_helper),
        )
        .route(
            "/local/genesys/organisation",
            get(organisation).post(make_installation),
        )
        .route("/local/genesys/integration", get(integration))
        .route(
            "/local/genesys/content-profile",
            get(content_profile).put(set_content_profile),
        )
        .route("/local/crm/{object}/{id}", put(set_record))
        .route("/local/genesys/media", post(host))
        .route("/local/genesys/media/{message}", get(media))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::clone(genesys))
}

async fn write(
    State(genesys): Shared,
    Path(thread): Path<String>,
    Json(written): Json<Written>,
) -> Created {
    let outgoing = genesys.outgoing(written).await;
    let outgoing = outgoing.map_err(Refused::bad_request)?;
    let id = genesys.agent_writes(&thread, &outgoing);
    let correlation = correlation::of_genesys_message(&id);
    let told = json!({ "id": id, "correlation": correlation });
    Ok((StatusCode::CREATED, Json(told)))
}

/// Keeps a file without sending it, so that a structured message can name its address.
async fn host(State(genesys): Shared, Json(attachment): Json<Attachment>) -> Created {
    let hosted = genesys.host(attachment).await;
    let (_, mut item) = hosted.map_err(Refused::bad_request)?;
    Ok((StatusCode::CREATED, Json(item["attachment"].take())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedConversations {
    /// What stands in the thread's id.
    #[serde(default)]
    thread: String,
}

async fn conversations(
    State(genesys): Shared,
    Query(wanted): Query<WantedConversations>,
) -> Json<Value> {
    Json(genesys.conversations.lock().view(&wanted.thread))
}

/// What a colleague notes in the CRM; `object` is `Account` or `Contact`.
async fn set_record(
    State(genesys): Shared,
    Path((object, id)): Path<(String, String)>,
    Json(record): Json<Record>,
) -> Result<StatusCode, Refused> {
    let done = genesys.crm.put(&object, &id, record);
    done.map_err(Refused::bad_request)?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an administrator does when the webhook's secret is rotated.
async fn webhook_secret(
    State(genesys): Shared,
    Json(secret): Json<Secret>,
) -> Result<StatusCode, Refused> {
    if secret.value.chars().count() <= SHORT_SECRET {
        let why = "the secret must be longer than 15 characters";
        return Err(Refused::bad_request(why));
    }
    *genesys.webhooks.secret.lock() = secret.value;
    Ok(StatusCode::NO_CONTENT)
}

/// The administrator's client, with which a person would run a command, and how much each client was used.
async fn clients(State(genesys): Shared) -> Json<Value> {
    let login = &genesys.login;
    let view = |client: &Client| json!({ "id": client.id, "secret": client.secret });
    let administrator = login.named("administrator", view);
    let requests = login.all(|client| {
        json!({ "id": client.id, "name": client.name, "passed": client.passed, "refused": client.refused, "permissions": client.used })
    });
    Json(json!({ "administrator": administrator, "all": login.all(view), "requests": requests }))
}

/// What an administrator has made besides.
async fn organisation(State(genesys): Shared) -> Json<Value> {
    Json(genesys.organisation_view())
}

/// As if Terraform had been applied: tells its outputs.
async fn make_installation(State(genesys): Shared) -> Created {
    let made = genesys.make_installation();
    let made = made.map_err(|refusal| Refused::bad_request(refusal.message))?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Somebody who sets things up: a person or an OAuth client.
async fn add_helper(State(genesys): Shared, Json(helper): Json<Helper>) -> Created {
    let added = genesys.add_helper(&helper).map_err(Refused::bad_request)?;
    Ok((StatusCode::CREATED, Json(added)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clients {
    /// Whether the bridge's role may replace its secrets.
    let_bridge_rotate: Option<bool>,
    /// Whether the bridge's role may take customers out of conversations.
    let_customers_end: Option<bool>,
    /// How long a new secret is not known yet.
    propagation_seconds: Option<u64>,
}

/// What an administrator does with the bridge's role, and how slow Genesys is.
async fn set_clients(State(genesys): Shared, Json(wanted): Json<Clients>) -> StatusCode {
    if let Some(is_allowed) = wanted.let_bridge_rotate {
        genesys.login.let_bridge_rotate(is_allowed);
    }
    if let Some(is_allowed) = wanted.let_customers_end {
        genesys.login.let_customers_end(is_allowed);
    }
    if let Some(seconds) = wanted.propagation_seconds {
        genesys.login.set_propagation(Duration::from_secs(seconds));
    }
    StatusCode::NO_CONTENT
}

/// What the integration is set to, but for its secret.
async fn integration(State(genesys): Shared) -> Json<Value> {
    Json(Value::Object(genesys.integration.lock().clone()))
}

async fn content_profile(State(genesys): Shared) -> Json<ContentProfile> {
    Json(genesys.profile.lock().clone())
}

/// What an administrator does with the content profile of the integration.
async fn set_content_profile(
    State(genesys): Shared,
    Json(profile): Json<ContentProfile>,
) -> Result<StatusCode, Refused> {
    if !profile.is_well_formed() {
        return Err(Refused::bad_request("an entry is no media type"));
    }
    *genesys.profile.lock() = profile;
    Ok(StatusCode::NO_CONTENT)
}

/// The file of a message, as the agent would look at it now.
async fn media(State(genesys): Shared, Path(message): Path<String>) -> Result<Response, Refused> {
    let place = genesys.conversations.lock().file_of(&message);
    let no_file = || Refused::not_found("such file");
    match place.ok_or_else(no_file)? {
        Place::Media(id) => {
            let file = genesys.media.get(&id).ok_or_else(no_file)?;
            let file = Download {
                behaviour: Behaviour::Ok,
                ..file.download.clone()
            };
            Ok(harmless(file.answer().await))
        }
        Place::Address(url) => {
            let answer = genesys.pass_on(&url).await;
            let why = "the address serves no file".to_owned();
            let why = Refused(StatusCode::BAD_GATEWAY, why);
            answer.map(harmless).ok_or(why)
        }
    }
}
