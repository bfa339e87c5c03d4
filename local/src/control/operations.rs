//! Faults, queues, journeys, events, logs, and what can be done to the handlers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{MethodRouter, delete, get, post};
use axum::{Json, Router};
use futures::{Stream, StreamExt as _};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;

use super::passing;
use crate::blobs::Blobs;
use crate::host::{Host, Outcome};
use crate::service_bus::ServiceBus;
use crate::shared::refused::Refused;
use crate::simulators::Simulators;
use crate::world::World;

/// A stream of events says at least this often that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

/// What the control interface reaches.
pub struct Control {
    /// The world and its hub.
    pub world: Arc<World>,
    /// The host stand-in.
    pub host: Arc<Host>,
    /// Its address with TLS, without a closing slash.
    pub secure: String,
    /// The queues.
    pub bus: Arc<ServiceBus>,
    /// The blobs.
    pub blobs: Blobs,
    /// The other simulated services.
    pub simulators: Simulators,
}

type Reach = State<Arc<Control>>;
type Answer = Result<Json<Value>, Refused>;

pub(super) fn router() -> Router<Arc<Control>> {
    let faults = show(|it| json!(it.world.hub.faults.rules()));
    let journeys = show(|it| json!({ "journeys": it.world.hub.journeys.view() }));
    let times = show(|it| json!({ "journeys": it.world.hub.journeys.times() }));
    let logs = show(|it| json!({ "lines": it.world.hub.logs.lines() }));
    Router::new()
        .route("/local/authority", get(authority))
        .route("/local/faults", faults.put(replace_faults).post(add_faults))
        .route("/local/faults/{id}", get(strikes).delete(remove_faults))
        .route("/local/queues", get(queues))
        .route("/local/queues/{queue}/lanes/{lane}/outlive", post(outlive))
        .route("/local/failed", get(failed))
        .route("/local/journeys", journeys.delete(forget_journeys))
        .route("/local/journeys/times", times)
        .route("/local/calls", get(calls).delete(reset_calls))
        .route("/local/events", get(events))
        .route("/local/logs", logs)
        .route("/local/instances", show(|it| it.host.view()))
        .route("/local/settings", show(settings))
        .route("/local/handler/kill", post(kill))
        .route("/local/handler/commands", post(run).delete(kill_commands))
        .route("/local/blobs", get(blobs))
        .route("/local/blobs/{*path}", delete(forget))
        .route("/local/timers", show(|it| it.host.timers_view()))
        .route("/local/timers/{function}", post(fire_timer))
        .route("/local/time", post(passing::pass))
}

/// What can be seen without asking anyone.
fn show(view: fn(&Control) -> Value) -> MethodRouter<Arc<Control>> {
    get(move |State(control): Reach| async move { Json(view(&control)) })
}

/// What an app that another host runs needs, and where this one's functions are to be had with TLS.
fn settings(control: &Control) -> Value {
    json!({ "settings": control.host.settings(), "https": control.secure })
}

/// The certificate that whoever follows one of the bridge's links has to trust.
async fn authority(State(control): Reach) -> String {
    control.world.authority.certificate_pem().to_owned()
}

/// The rules that are ordered from now on, and nothing else.
async fn replace_faults(State(control): Reach, body: Bytes) -> Answer {
    let replaced = control.world.hub.faults.replace(read(&body)?);
    replaced.map_err(Refused::bad_request)?;
    Ok(Json(faults_changed(&control)))
}

/// Rules beside those of others, which whoever ordered them takes away again by their id.
async fn add_faults(
    State(control): Reach,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let added = control.world.hub.faults.add(read(&body)?);
    let id = added.map_err(Refused::bad_request)?;
    faults_changed(&control);
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// How often each of these rules has struck.
async fn strikes(State(control): Reach, Path(id): Path<u64>) -> Json<Value> {
    Json(json!({ "strikes": control.world.hub.faults.strikes(id) }))
}

async fn remove_faults(State(control): Reach, Path(id): Path<u64>) -> Result<StatusCode, Refused> {
    if !control.world.hub.faults.remove(id) {
        return Err(Refused::not_found("such fault"));
    }
    faults_changed(&control);
    Ok(StatusCode::NO_CONTENT)
}

fn read<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(Refused::bad_request)
}

/// Tells of the rules as they are now.
fn faults_changed(control: &Control) -> Value {
    let hub = &control.world.hub;
    let rules = json!(hub.faults.rules());
    hub.event("faults", rules.clone());
    rules
}

async fn queues(State(control): Reach) -> Answer {
    let failed = control.blobs.failed_names().await?.len();
    let queues = control.bus.view();
    Ok(Json(json!({ "queues": queues, "failed": failed })))
}

/// The messages that wait in a lane outlive their time, but for the one under way.
async fn outlive(State(control): Reach, Path((queue, lane)): Path<(String, String)>) -> Answer {
    let queue = control.bus.queue(&queue);
    let queue = queue.ok_or_else(|| Refused::not_found("such queue"))?;
    let outlived = queue.outlive(&lane);
    control.bus.touch();
    Ok(Json(json!({ "outlived": outlived })))
}

async fn failed(State(control): Reach) -> Answer {
    let failed = control.blobs.failed().await?;
    Ok(Json(json!({ "failed": failed })))
}

async fn forget_journeys(State(control): Reach) -> StatusCode {
    control.world.hub.journeys.clear();
    StatusCode::NO_CONTENT
}

/// What the handlers asked of the services, every call that was answered before this one came included.
async fn calls(State(control): Reach) -> Answer {
    control.blobs.all_counted().await?;
    Ok(Json(control.world.hub.calls.view()))
}

async fn reset_calls(State(control): Reach) -> Result<StatusCode, Refused> {
    control.blobs.all_counted().await?;
    control.world.hub.calls.reset();
    Ok(StatusCode::NO_CONTENT)
}

async fn events(State(control): Reach) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = BroadcastStream::new(control.world.hub.events()).map(|event| {
        // A listener that was too slow is told to look at everything again.
        let event = event.unwrap_or_else(|_| json!({ "kind": "missed" }));
        Ok(Event::default().data(event.to_string()))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Kill {
    instance: Option<usize>,
    whole: bool,
}

async fn kill(State(control): Reach, body: Bytes) -> Answer {
    let kill: Kill = if body.is_empty() {
        Kill::default()
    } else {
        read(&body)?
    };
    if !control.host.kill(kill.instance, kill.whole).await {
        return Err(Refused::not_found("such instance"));
    }
    Ok(Json(control.host.view()))
}

#[derive(Deserialize)]
struct Run {
    arguments: Vec<String>,
    /// Variables besides the app's settings.
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// One of the handler's commands, with the app's settings.
async fn run(State(control): Reach, body: Bytes) -> Answer {
    let run: Run = read(&body)?;
    let ended = control.host.run(&run.arguments, &run.environment).await;
    Ok(Json(ended?))
}

/// Kills the commands that run now, as `kill -9` does.
async fn kill_commands(State(control): Reach) -> StatusCode {
    control.host.kill_commands();
    StatusCode::NO_CONTENT
}

/// Everything that is stored.
async fn blobs(State(control): Reach) -> Answer {
    Ok(Json(json!({ "blobs": control.blobs.all().await? })))
}

/// Takes a blob away: a lease or a claim in it then keeps nobody out, as when it had run out.
async fn forget(State(control): Reach, Path(path): Path<String>) -> Result<StatusCode, Refused> {
    control.blobs.delete(&path).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn fire_timer(State(control): Reach, Path(function): Path<String>) -> Answer {
    let outcome = control.host.fire_timer(&function).await;
    // As on the real host, a failure changes nothing: it is only told.
    let told = match outcome.ok_or_else(|| Refused::not_found("timer function of this name"))? {
        Outcome::Success(status, _) => status.as_str().to_owned(),
        Outcome::Failure(words) => words,
    };
    Ok(Json(json!({ "outcome": told })))
}
