//! The Azure Functions of the bridge. Each function's code lies beside its `function.json`; what they share lies here.

#![warn(missing_docs)]

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};

pub mod app;
pub mod clock;
mod counters;
mod doors;
pub mod events;
pub mod failed;
pub mod failure;
mod files;
pub mod forget;
mod log;
mod outside;
pub mod own_secrets;
mod queue;
pub mod settings;
pub mod start;
pub mod status;
mod store;
pub mod timer;
mod webhook;

#[path = "../catch-up/mod.rs"]
mod catch_up;
#[path = "../conversation-ended/mod.rs"]
mod conversation_ended;
#[path = "../deliver-to-genesys/mod.rs"]
mod deliver_to_genesys;
#[path = "../deliver-to-teams/mod.rs"]
mod deliver_to_teams;
#[path = "../deliver-typing/mod.rs"]
mod deliver_typing;
#[path = "../health/mod.rs"]
mod health;
#[path = "../inbound-bot/mod.rs"]
mod inbound_bot;
#[path = "../inbound-graph/mod.rs"]
mod inbound_graph;
#[path = "../lifecycle-graph/mod.rs"]
mod lifecycle_graph;
#[path = "../outbound-genesys/mod.rs"]
mod outbound_genesys;
#[path = "../secret-rotation/mod.rs"]
pub mod secret_rotation;
#[path = "../self-check/mod.rs"]
pub mod self_check;
#[path = "../sign-in/mod.rs"]
mod sign_in;
#[path = "../spool-forwarding/mod.rs"]
mod spool_forwarding;
#[path = "../subscription-renewal/mod.rs"]
mod subscription_renewal;

pub use sign_in::offer as offer_sign_in;

use app::App;

/// Every function with the method and path at which the Functions host calls it: the original route for HTTP functions
/// (`enableProxyingHttpRequest`), `POST /{function}` for the others (azure-functions-host, `DefaultHttpWorkerService`).
pub const ROUTES: &[(&str, &str, &str)] = &[
    (inbound_graph::NAME, "POST", inbound_graph::PATH),
    (lifecycle_graph::NAME, "POST", lifecycle_graph::PATH),
    (inbound_bot::NAME, "POST", inbound_bot::PATH),
    (conversation_ended::NAME, "POST", conversation_ended::PATH),
    (outbound_genesys::NAME, "POST", outbound_genesys::PATH),
    (health::NAME, "GET", health::PATH),
    (sign_in::NAME, "GET", sign_in::PATH),
    (self_check::NAME, "POST", self_check::PATH),
    (deliver_to_genesys::NAME, "POST", deliver_to_genesys::PATH),
    (deliver_to_teams::NAME, "POST", deliver_to_teams::PATH),
    (deliver_typing::NAME, "POST", deliver_typing::PATH),
    (catch_up::NAME, "POST", catch_up::PATH),
    (secret_rotation::NAME, "POST", secret_rotation::PATH),
    (spool_forwarding::NAME, "POST", spool_forwarding::PATH),
    (
        subscription_renewal::NAME,
        "POST",
        subscription_renewal::PATH,
    ),
];

/// The router of the custom handler: one route a function, and the host's readiness ping.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(ready))
        .route(inbound_graph::PATH, post(inbound_graph::handle))
        .route(lifecycle_graph::PATH, post(lifecycle_graph::handle))
        .route(
            inbound_bot::PATH,
            post(inbound_bot::handle).head(inbound_bot::look),
        )
        .route(outbound_genesys::PATH, post(outbound_genesys::handle))
        .route(conversation_ended::PATH, post(conversation_ended::handle))
        .route(health::PATH, get(health::handle))
        .route(sign_in::PATH, get(sign_in::handle))
        .route(self_check::PATH, post(self_check::handle))
        .route(deliver_to_genesys::PATH, post(deliver_to_genesys::handle))
        .route(deliver_to_teams::PATH, post(deliver_to_teams::handle))
        .route(deliver_typing::PATH, post(deliver_typing::handle))
        .route(catch_up::PATH, post(catch_up::handle))
        .route(secret_rotation::PATH, post(secret_rotation::handle))
        .route(spool_forwarding::PATH, post(spool_forwarding::handle))
        .route(
            subscription_renewal::PATH,
            post(subscription_renewal::handle),
        )
        .with_state(app)
}

/// The host's readiness ping.
async fn ready(State(app): State<Arc<App>>) -> &'static str {
    app.greeted.notify_one();
    "ready"
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
