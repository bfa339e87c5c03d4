//! `lifecycle-graph`: what Graph tells of the subscriptions themselves. Verify, enqueue, answer; [`LifecycleWork`] is what
//! `deliver-to-genesys` does about it, since it reads the queue.
//!
//! Rules: Microsoft Learn, "Reduce missing subscriptions and change notifications".

mod work;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

pub(crate) use self::work::LifecycleWork;
use crate::app::App;
use crate::inbound_graph;
use crate::webhook::Function;

/// Name of the function.
pub const NAME: &str = "lifecycle-graph";

/// Path at which the host calls it.
pub const PATH: &str = "/api/graph/lifecycle";

/// What Graph sends here has the shape, the proof and the time limits of any notification.
const FUNCTION: Function = Function {
    name: NAME,
    ..inbound_graph::FUNCTION
};

/// Answers a validation handshake, or takes lifecycle notifications.
pub async fn handle(State(app): State<Arc<App>>, request: Request) -> Response {
    inbound_graph::answer(&app, &FUNCTION, request).await
}

#[cfg(test)]
mod tests;
