//! The control interface under `/local`, and the console page: for people, scripts and tests.

mod guard;
mod operations;
mod page;

use std::sync::Arc;

use axum::{Router, middleware};

use self::guard::{Guard, guard};
use crate::blobs::Blobs;
use crate::host::Host;
use crate::service_bus::ServiceBus;
use crate::simulators::Simulators;
use crate::world::World;

/// What the control interface reaches.
#[derive(Debug)]
pub struct Control {
    /// The world and its hub.
    pub world: Arc<World>,
    /// The host stand-in.
    pub host: Arc<Host>,
    /// The queues.
    pub bus: Arc<ServiceBus>,
    /// The blobs.
    pub blobs: Blobs,
    /// The other simulated services.
    pub simulators: Simulators,
}

/// The control interface and the page, served on this port only to callers that name this machine.
pub fn router(control: Arc<Control>, port: u16) -> Router {
    let simulators = control.simulators.control();
    Router::new()
        .merge(operations::router())
        .merge(page::router())
        .with_state(control)
        .merge(simulators)
        .layer(middleware::from_fn_with_state(Guard::new(port), guard))
}
