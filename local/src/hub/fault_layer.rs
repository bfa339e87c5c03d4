//! In front of each simulated service: counts the calls, and lets ordered faults strike them.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::{Call, Drop, FaultPlan, FaultService};
use crate::world::World;

/// Largest body that a rule looks into, in bytes.
const LOOK_INSIDE_LIMIT: usize = 64 * 1024 * 1024;

/// Media type of several messages sent to Service Bus at once.
pub const BATCH_TYPE: &str = "application/vnd.microsoft.servicebus.json";

/// Marks an answer that must not be sent: the server closes the connection instead (see `shared::serve`).
#[derive(Debug, Clone, Copy)]
pub struct CloseUnanswered;

/// The status on an answer marked [`CloseUnanswered`]; it shows only when the router is called without the server.
pub const CLOSE_UNANSWERED: StatusCode = StatusCode::BAD_GATEWAY;

/// What the middleware needs: the world's rules and the service it guards.
#[derive(Debug, Clone)]
pub struct FaultLayer {
    /// Holds the rules.
    pub world: Arc<World>,
    /// Whose calls pass here.
    pub service: FaultService,
}

/// The middleware: `router.layer(middleware::from_fn_with_state(FaultLayer { .. }, fault_layer))`.
pub async fn fault_layer(
    State(layer): State<FaultLayer>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, mut body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let batch = kind.is_some_and(|kind| kind.as_bytes().starts_with(BATCH_TYPE.as_bytes()));
    let calls = layer.world.hub.calls();
    calls.count(layer.service, &parts.method, parts.uri.path(), batch);
    let faults = layer.world.hub.faults();
    let mut seen = Bytes::new();
    if faults.look_inside(layer.service) {
        seen = match axum::body::to_bytes(body, LOOK_INSIDE_LIMIT).await {
            Ok(bytes) => bytes,
            Err(_) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        };
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
    let plan = faults.decide(layer.service, &call);
    tokio::time::sleep(plan.delay).await;
    if let Some(status) = plan.status {
        // Read to its end, or the caller could see a broken connection instead of the answer. Whether that works
        // does not matter.
        let _ = axum::body::to_bytes(body, LOOK_INSIDE_LIMIT).await;
        return refusal(layer.service, status, &plan);
    }
    if plan.drop == Some(Drop::Before) {
        return close();
    }
    let answer = next.run(Request::from_parts(parts, body)).await;
    if plan.drop == Some(Drop::After) {
        return close();
    }
    answer
}

fn close() -> Response {
    let mut answer = CLOSE_UNANSWERED.into_response();
    answer.extensions_mut().insert(CloseUnanswered);
    answer
}

fn refusal(service: FaultService, status: u16, plan: &FaultPlan) -> Response {
    let code = plan.code.as_deref().unwrap_or("ordered.fault");
    let body = error_body(service, status, code);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = (status, axum::Json(body)).into_response();
    if let Some(seconds) = plan.retry_after {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
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
