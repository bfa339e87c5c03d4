//! Faults, queues, journeys, events, logs, and what can be done to the handlers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{Stream, StreamExt as _};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;

use super::reach::Control;
use crate::host::Outcome;
use crate::hub::Rules;
use crate::shared::refused::Refused;

/// A stream of events says at least this often that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

pub(super) fn router() -> Router<Arc<Control>> {
    Router::new()
        .route("/local/authority", get(authority))
        .route(
            "/local/faults",
            get(faults).put(replace_faults).post(add_faults),
        )
        .route("/local/faults/{id}", get(strikes).delete(remove_faults))
        .route("/local/queues", get(queues))
        .route("/local/failed", get(failed))
        .route("/local/journeys", get(journeys).delete(forget_journeys))
        .route("/local/journeys/times", get(times))
        .route("/local/calls", get(calls).delete(reset_calls))
        .route("/local/events", get(events))
        .route("/local/logs", get(logs))
        .route("/local/instances", get(instances))
        .route("/local/handler/kill", post(kill))
        .route("/local/timers/{function}", post(fire_timer))
}

/// The certificate that whoever follows one of the bridge's links has to trust.
async fn authority(State(control): State<Arc<Control>>) -> String {
    control.world.authority.certificate_pem().to_owned()
}

async fn faults(State(control): State<Arc<Control>>) -> Json<Rules> {
    Json(control.world.hub.faults.rules())
}

/// The rules that are ordered from now on, and nothing else.
async fn replace_faults(
    State(control): State<Arc<Control>>,
    body: Bytes,
) -> Result<Json<Rules>, Refused> {
    let faults = &control.world.hub.faults;
    faults
        .replace(ordered(&body)?)
        .map_err(Refused::bad_request)?;
    Ok(Json(faults_changed(&control)))
}

/// Rules beside those of others, which whoever ordered them takes away again by their id.
async fn add_faults(
    State(control): State<Arc<Control>>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let added = control.world.hub.faults.add(ordered(&body)?);
    let id = added.map_err(Refused::bad_request)?;
    faults_changed(&control);
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

/// How often each of these rules has struck.
async fn strikes(State(control): State<Arc<Control>>, Path(id): Path<u64>) -> Json<Value> {
    Json(json!({ "strikes": control.world.hub.faults.strikes(id) }))
}

async fn remove_faults(
    State(control): State<Arc<Control>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Refused> {
    if !control.world.hub.faults.remove(id) {
        return Err(Refused::not_found("such fault"));
    }
    faults_changed(&control);
    Ok(StatusCode::NO_CONTENT)
}

fn ordered(body: &[u8]) -> Result<Rules, Refused> {
    serde_json::from_slice(body).map_err(Refused::bad_request)
}

/// Tells of the rules as they are now.
fn faults_changed(control: &Control) -> Rules {
    let hub = &control.world.hub;
    let rules = hub.faults.rules();
    hub.event("faults", json!(rules));
    rules
}

async fn queues(State(control): State<Arc<Control>>) -> Result<Json<Value>, Refused> {
    let failed = control.blobs.failed_names("").await?.len();
    Ok(Json(
        json!({ "queues": control.bus.view(), "failed": failed }),
    ))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WantedFailed {
    /// What the blob's name begins with.
    prefix: Option<String>,
    /// What stands in the name or the content.
    contains: Option<String>,
}

async fn failed(
    State(control): State<Arc<Control>>,
    Query(wanted): Query<WantedFailed>,
) -> Result<Json<Value>, Refused> {
    let prefix = wanted.prefix.unwrap_or_default();
    let mut failed = control.blobs.failed(&prefix).await?;
    if let Some(text) = wanted.contains {
        failed.retain(|blob| blob.to_string().contains(&text));
    }
    Ok(Json(json!({ "failed": failed })))
}

async fn journeys(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(json!({ "journeys": control.world.hub.journeys.view() }))
}

async fn forget_journeys(State(control): State<Arc<Control>>) -> StatusCode {
    control.world.hub.journeys.clear();
    StatusCode::NO_CONTENT
}

/// When each message first passed each hop.
async fn times(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(json!({ "journeys": control.world.hub.journeys.times() }))
}

/// What the handlers asked of the services, every call that was answered before this one came included.
async fn calls(State(control): State<Arc<Control>>) -> Result<Json<Value>, Refused> {
    control.blobs.all_counted().await?;
    Ok(Json(control.world.hub.calls.view()))
}

async fn reset_calls(State(control): State<Arc<Control>>) -> Result<StatusCode, Refused> {
    control.blobs.all_counted().await?;
    control.world.hub.calls.reset();
    Ok(StatusCode::NO_CONTENT)
}

async fn logs(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(json!({ "lines": control.world.hub.logs.lines() }))
}

async fn instances(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(control.host.view())
}

async fn events(
    State(control): State<Arc<Control>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = BroadcastStream::new(control.world.hub.events.subscribe()).map(|event| {
        // A listener that was too slow is told to look at everything again.
        let data = event.map_or_else(
            |_| json!({ "kind": "missed" }),
            |event| json!({ "kind": event.kind, "data": event.data }),
        );
        Ok(Event::default().data(data.to_string()))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Kill {
    instance: Option<usize>,
    whole: bool,
}

async fn kill(State(control): State<Arc<Control>>, body: Bytes) -> Result<Json<Value>, Refused> {
    let kill: Kill = if body.is_empty() {
        Kill::default()
    } else {
        serde_json::from_slice(&body).map_err(Refused::bad_request)?
    };
    if !control.host.kill(kill.instance, kill.whole).await {
        return Err(Refused::not_found("such instance"));
    }
    Ok(Json(control.host.view()))
}

async fn fire_timer(
    State(control): State<Arc<Control>>,
    Path(function): Path<String>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    // As on the real host, a failure changes nothing: it is only told.
    match control.host.fire_timer(&function).await {
        None => Err(Refused::not_found("timer function of this name")),
        Some(Outcome::Success(status, _)) => {
            Ok((StatusCode::OK, Json(json!({ "outcome": status.as_str() }))))
        }
        Some(Outcome::Failure(words)) => Ok((StatusCode::OK, Json(json!({ "outcome": words })))),
    }
}
