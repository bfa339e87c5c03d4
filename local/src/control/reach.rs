//! What the control interface reaches.

use std::sync::Arc;

use crate::blobs::Blobs;
use crate::host::Host;
use crate::service_bus::ServiceBus;
use crate::simulators::Simulators;
use crate::world::World;

/// What the control interface reaches.
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
