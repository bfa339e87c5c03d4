//! What every instance of the host has in common.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::app::App;
use crate::service_bus::ServiceBus;
use crate::watchdog::Watchdog;
use crate::world::World;

/// The app, how its handler is started, and the world around it.
#[derive(Debug)]
pub struct Surroundings {
    /// The Functions app.
    pub app: App,
    /// The handler's executable.
    pub handler: PathBuf,
    /// App settings and the variables the platform adds.
    pub environment: BTreeMap<String, String>,
    /// The world and its hub.
    pub world: Arc<World>,
    /// The queues.
    pub bus: Arc<ServiceBus>,
    /// What ends the handlers should this process be killed.
    pub watchdog: Watchdog,
}
