//! Apps for tests in process: local settings, and clients that reach nobody or a world in memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bridge::genesys::signature::sign;
use http::StatusCode;
use serde_json::{Value, json};
use services::blob::Blobs;
use services::error::Service;
use services::service_bus::ServiceBus;
use services::testing::{Sent, World};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tower::ServiceExt;

pub mod bot;

use crate::app::App;
use crate::failed::Desk;
use crate::settings::{SettingError, Settings};

/// A customer, the chat with the Support User of the local settings, and its thread.
pub const ANNA: &str = "0f0e0d0c-0000-4000-8000-00000000000a";
pub const ANNAS_CHAT: &str = "19:anna_support@unq.gbl.spaces";
pub const ANNAS_THREAD: &str = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";

/// An app with the local settings, some of them changed.
pub fn app(changed: &[(&str, &str)]) -> Arc<App> {
    Arc::new(App::build(settings(changed).expect("good settings")).expect("clients"))
}

/// An app that stands on this world, with the local settings, some of them changed.
pub fn app_in(world: &World, changed: &[(&str, &str)]) -> Arc<App> {
    let blobs = world.blob_endpoint();
    let endpoints = [
        ("GENESYS_API_ENDPOINT", world.base()),
        ("GENESYS_LOGIN_ENDPOINT", world.base()),
        ("ServiceBus__fullyQualifiedNamespace", world.authority()),
        ("BLOB_ENDPOINT", &blobs),
        ("KEY_VAULT_URL", world.base()),
        ("ENTRA_ENDPOINT", world.base()),
        ("GRAPH_ENDPOINT", world.base()),
        ("FILE_ORIGINS", world.base()),
        ("BOT_LOGIN_ENDPOINT", world.base()),
        ("BOT_CONNECTOR_ORIGINS", world.base()),
        ("BOT_AUTHENTICATION", "federated"),
    ];
    let settings = settings(&[changed, &endpoints].concat());
    let settings = settings.expect("good settings");
    let app = App::build_with(settings, world.client(), world.identity());
    Arc::new(app.expect("clients"))
}

/// A world, and an app that stands on it with the local settings.
pub async fn start() -> (World, Arc<App>) {
    let world = World::start().await;
    let app = app_in(&world, &[]);
    (world, app)
}

/// What an operator's commands reach of this world.
pub fn desk(world: &World) -> Desk {
    let blobs = Blobs::new(world.client(), &world.blob_endpoint(), world.identity());
    Desk {
        blobs: blobs.expect("a client"),
        bus: ServiceBus::new(world.client(), world.authority(), world.identity()),
        inbound_queue: "inbound".to_owned(),
        outbound_queue: "outbound".to_owned(),
    }
}

/// A value of `local.settings.json`.
pub fn local_setting(name: &str) -> Option<String> {
    let local: Value =
        serde_json::from_str(include_str!("../../local.settings.json")).expect("valid JSON");
    local["Values"][name].as_str().map(str::to_owned)
}

/// The local settings, the first of these before them; an empty value counts as absent.
pub fn settings(changed: &[(&str, &str)]) -> Result<Settings, Vec<SettingError>> {
    Settings::from_lookup(|name| {
        let changed = changed.iter().find(|(changed, _)| *changed == name);
        changed.map_or_else(|| local_setting(name), |it| Some(it.1.to_owned()))
    })
}

/// Calls a route as the Functions host does.
pub async fn call(
    app: &Arc<App>,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> (StatusCode, Bytes) {
    let mut request = Request::post(path).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.into()).expect("a request");
    let response = crate::router(Arc::clone(app)).oneshot(request).await;
    let response = response.expect("an answer");
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    (status, body.expect("a body"))
}

/// The status with which a request is answered.
pub async fn post(
    app: &Arc<App>,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> StatusCode {
    call(app, path, headers, body).await.0
}

/// Delivers a message of a queue as the host does, for so many times by now.
pub async fn deliver(app: &Arc<App>, sent: &Sent, times: u32) -> StatusCode {
    deliver_after(app, sent, times, Duration::ZERO).await
}

/// The same for a message that the queue accepted so long ago.
pub async fn deliver_after(
    app: &Arc<App>,
    sent: &Sent,
    times: u32,
    waited: Duration,
) -> StatusCode {
    let accepted = OffsetDateTime::now_utc() - waited;
    let accepted = accepted.format(&Rfc3339).expect("a time");
    let text = |value: &Option<String>| value.as_ref().map(|value| json!(value).to_string());
    let payload = json!({
        "Data": { "message": STANDARD.encode(&sent.body) },
        "Metadata": {
            "SessionId": text(&sent.session),
            "MessageId": text(&sent.message_id),
            "CorrelationId": text(&sent.correlation),
            "DeliveryCount": times.to_string(),
            "EnqueuedTime": json!(accepted).to_string(),
        },
    });
    let path = match sent.queue.as_str() {
        "inbound" => crate::deliver_to_genesys::PATH,
        "typing" => crate::deliver_typing::PATH,
        _ => crate::deliver_to_teams::PATH,
    };
    post(app, path, &[], payload.to_string()).await
}

/// Contents of the posts that Graph was sent.
pub fn posts(world: &World) -> Vec<Value> {
    let seen = world.seen(Service::Graph);
    let posts = seen.iter().filter(|seen| seen.method == "POST");
    posts
        .map(|post| post.json()["body"]["content"].clone())
        .collect()
}

/// A call of Genesys' webhook with an agent's text to Anna; `changes` go over it.
pub fn agents_message(id: &str, at: OffsetDateTime, changes: Value) -> Value {
    let at = at.format(&Rfc3339).expect("a time");
    let channel = json!({ "time": at, "to": { "id": ANNAS_THREAD } });
    let mut message = json!({ "id": id, "type": "Text", "text": "hello", "channel": channel });
    for (name, value) in changes.as_object().expect("an object") {
        message[name] = value.clone();
    }
    message
}

/// Calls Genesys' webhook, signed with this secret.
pub async fn webhook(app: &Arc<App>, body: impl Into<Bytes>, secret: &str) -> StatusCode {
    let body = body.into();
    let signature = sign(&body, &secret.into());
    let headers = [("x-hub-signature-256", signature.as_str())];
    post(app, crate::outbound_genesys::PATH, &headers, body).await
}
