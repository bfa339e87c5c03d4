//! Lets ordered faults strike the HTTP calls to a simulated service.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::faults::{Drop, FaultService};
use crate::world::World;

/// Largest body that a rule's `match` looks into, in bytes.
const LOOK_INSIDE_LIMIT: usize = 64 * 1024 * 1024;

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
    let faults = layer.world.hub.faults();
    let (request, description) = if faults.look_inside(layer.service) {
        match describe(request).await {
            Ok(described) => described,
            Err(answer) => return answer,
        }
    } else {
        (request, String::new())
    };
    let plan = faults.decide(layer.service, &description);
    tokio::time::sleep(plan.delay).await;
    if let Some(status) = plan.status {
        // Read to its end, or the caller could see a broken connection instead of the answer. Whether that works
        // does not matter.
        let _ = axum::body::to_bytes(request.into_body(), LOOK_INSIDE_LIMIT).await;
        return refusal(status, plan.retry_after);
    }
    if plan.drop == Some(Drop::Before) {
        return close();
    }
    let answer = next.run(request).await;
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

fn refusal(status: u16, retry_after: Option<u64>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::json!({
        "error": { "code": "orderedFault", "message": "An ordered fault." }
    });
    let mut answer = (status, axum::Json(body)).into_response();
    if let Some(seconds) = retry_after {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Reads the body so that rules can look into it, and puts it back.
async fn describe(request: Request) -> Result<(Request, String), Response> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, LOOK_INSIDE_LIMIT)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    let target = parts.uri.to_string();
    let properties = parts
        .headers
        .get("brokerproperties")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let description = format!(
        "{} {target}\n{}\n{properties}\n{}",
        parts.method,
        percent_decode_str(&target).decode_utf8_lossy(),
        String::from_utf8_lossy(&body),
    );
    Ok((Request::from_parts(parts, Body::from(body)), description))
}
