//! In front of each simulated service: counts the calls, and lets ordered faults strike them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::hub::{Call, Drop, FaultPlan, FaultService};
use crate::service_bus::BATCH_TYPE;
use crate::shared::serve::CloseUnanswered;
use crate::world::World;

/// Largest body that a rule looks into, in bytes.
const LOOK_INSIDE_LIMIT: usize = 64 * 1024 * 1024;

/// The router with the counter of its service and the faults ordered for it in front of it.
pub fn with_faults(router: Router, world: &Arc<World>, service: FaultService) -> Router {
    let state = (Arc::clone(world), service);
    router.layer(middleware::from_fn_with_state(state, front))
}

/// A call that waits for so long is held, so that its caller can be killed meanwhile.
const HELD: Duration = Duration::from_secs(60);

async fn front(
    State((world, service)): State<(Arc<World>, FaultService)>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let batch = kind.is_some_and(|kind| kind.as_bytes().starts_with(BATCH_TYPE.as_bytes()));
    let calls = &world.hub.calls;
    calls.count(service, &parts.method, parts.uri.path(), batch);
    let faults = &world.hub.faults;
    let mut seen = Bytes::new();
    if faults.look_inside(service) {
        let Ok(bytes) = axum::body::to_bytes(body, LOOK_INSIDE_LIMIT).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        seen = bytes;
        body = Body::from(seen.clone());
    }
    let properties = parts.headers.get("brokerproperties");
    let properties = properties.and_then(|value| value.to_str().ok());
    let call = Call {
        method: &parts.method,
        target: &parts.uri.to_string(),
        properties: properties.unwrap_or_default(),
        body: &seen,
    };
    let plan = faults.decide(service, &call);
    if plan.delay >= HELD {
        // Whoever ordered it waits for the call to be here.
        world.hub.event("held", json!(service));
    }
    tokio::time::sleep(plan.delay).await;
    if let Some(status) = plan.status {
        // Read to its end, or the caller could see a broken connection instead of the answer. Whether that works
        // does not matter.
        let _ = axum::body::to_bytes(body, LOOK_INSIDE_LIMIT).await;
        return refusal(service, status, &plan);
    }
    if plan.drop != Some(Drop::Before) {
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let answer = next.run(Request::from_parts(parts, body)).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            calls.count_throttled(service);
        }
        if plan.drop.is_none() {
            return answer;
        }
        if answer.status().is_success() {
            calls.count_lost(service, &method, &path);
        }
    }
    // The status shows only when the router is called without the server.
    (StatusCode::BAD_GATEWAY, Extension(CloseUnanswered)).into_response()
}

fn refusal(service: FaultService, status: u16, plan: &FaultPlan) -> Response {
    let code = plan.code.as_deref().unwrap_or("ordered.fault");
    let body = axum::Json(error_body(service, status, code));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let seconds = plan.retry_after.map(HeaderValue::from);
    let retry_after = seconds.map(|seconds| (header::RETRY_AFTER, seconds));
    let headers: HeaderMap = retry_after.into_iter().collect();
    (status, headers, body).into_response()
}

/// An error as the service would tell it.
fn error_body(service: FaultService, status: u16, code: &str) -> Value {
    const MESSAGE: &str = "An ordered fault.";
    match service {
        FaultService::Genesys => json!({
            "message": MESSAGE, "code": code, "status": status, "contextId": Uuid::new_v4().to_string(),
            "details": [], "errors": [],
        }),
        FaultService::Entra => json!({ "error": code, "error_description": MESSAGE }),
        _ => json!({ "error": { "code": code, "message": MESSAGE } }),
    }
}
