//! Faults, queues, journeys, events, logs, and what can be done to the handlers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{Stream, StreamExt as _};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;

use super::Control;
use super::answers::Refusal;
use crate::host::Outcome;
use crate::hub::Rules;

/// A stream of events says at least this often that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(1);

pub(super) fn router() -> Router<Arc<Control>> {
    Router::new()
        .route("/local/authority", get(authority))
        .route("/local/faults", get(faults).put(order_faults))
        .route("/local/queues", get(queues))
        .route("/local/failed", get(failed))
        .route("/local/journeys", get(journeys))
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
    Json(control.world.hub.faults().rules())
}

async fn order_faults(
    State(control): State<Arc<Control>>,
    body: Bytes,
) -> Result<Json<Rules>, Refusal> {
    let rules: Rules = serde_json::from_slice(&body).map_err(Refusal::bad_request)?;
    for rule in &rules.rules {
        if rule
            .share
            .is_some_and(|share| !(0.0..=1.0).contains(&share))
        {
            return Err(Refusal::bad_request("share lies between 0 and 1"));
        }
        if rule
            .status
            .is_some_and(|status| !(400..=599).contains(&status))
        {
            return Err(Refusal::bad_request("status lies between 400 and 599"));
        }
    }
    control.world.hub.faults().replace(rules);
    let rules = control.world.hub.faults().rules();
    control.world.hub.event("faults", json!(rules));
    Ok(Json(rules))
}

async fn queues(State(control): State<Arc<Control>>) -> Result<Json<Value>, Refusal> {
    let failed = control.blobs.failed_names().await?.len();
    Ok(Json(
        json!({ "queues": control.bus.view(), "failed": failed }),
    ))
}

async fn failed(State(control): State<Arc<Control>>) -> Result<Json<Value>, Refusal> {
    Ok(Json(json!({ "failed": control.blobs.failed().await? })))
}

async fn journeys(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(control.world.hub.journeys_view())
}

async fn logs(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(json!({ "lines": control.world.hub.logs().lines() }))
}

async fn instances(State(control): State<Arc<Control>>) -> Json<Value> {
    Json(control.host.view())
}

async fn events(
    State(control): State<Arc<Control>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = BroadcastStream::new(control.world.hub.events().subscribe()).map(|event| {
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

async fn kill(State(control): State<Arc<Control>>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let kill: Kill = if body.is_empty() {
        Kill::default()
    } else {
        serde_json::from_slice(&body).map_err(Refusal::bad_request)?
    };
    if !control.host.kill(kill.instance, kill.whole).await {
        return Err(Refusal::not_found("such instance"));
    }
    Ok(Json(control.host.view()))
}

async fn fire_timer(
    State(control): State<Arc<Control>>,
    Path(function): Path<String>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    // As on the real host, a failure changes nothing: it is only told.
    match control.host.fire_timer(&function).await {
        None => Err(Refusal::not_found("timer function of this name")),
        Some(Outcome::Success(status, _)) => {
            Ok((StatusCode::OK, Json(json!({ "outcome": status.as_str() }))))
        }
        Some(Outcome::Failure(words)) => Ok((StatusCode::OK, Json(json!({ "outcome": words })))),
    }
}
