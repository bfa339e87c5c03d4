//! What every instance of the host has in common.

use std::sync::Arc;

use super::app::App;
use super::process::ProcessSettings;
use crate::service_bus::ServiceBus;
use crate::watchdog::Watchdog;
use crate::world::World;

/// The app, how its handler is started, and the world around it.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) app: App,
    pub(super) process: ProcessSettings,
    pub(super) world: Arc<World>,
    pub(super) bus: Arc<ServiceBus>,
    pub(super) watchdog: Watchdog,
}
