//! The simulated services other than Service Bus, and where they are served.

use std::sync::Arc;

use axum::{Router, middleware};

use crate::hub::{FaultLayer, FaultService, fault_layer};
use crate::world::World;

/// The state of each simulator.
#[derive(Debug, Clone)]
pub struct Simulators {}

impl Simulators {
    /// Simulators of this world, with nothing in them.
    #[must_use]
    pub fn new(_world: &Arc<World>) -> Self {
        Self {}
    }

    /// The routes of graph.
    pub fn graph(&self) -> Router {
        Router::new()
    }
    /// The routes of genesys.
    pub fn genesys(&self) -> Router {
        Router::new()
    }
    /// The routes of entra.
    pub fn entra(&self) -> Router {
        Router::new()
    }
    /// The routes of key_vault.
    pub fn key_vault(&self) -> Router {
        Router::new()
    }
    /// The routes of identity.
    pub fn identity(&self) -> Router {
        Router::new()
    }
    /// What Service Bus asks of a token.
    pub fn service_bus_token_check(&self) -> Box<crate::service_bus::TokenCheck> {
        Box::new(|_| Err("no Entra ID yet".to_owned()))
    }
    /// Puts in what must be there from the start.
    ///
    /// # Errors
    /// When something cannot be made.
    pub async fn seed(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The router with the faults ordered for its service in front of it.
pub fn with_faults(router: Router, world: &Arc<World>, service: FaultService) -> Router {
    let layer = FaultLayer {
        world: Arc::clone(world),
        service,
    };
    router.layer(middleware::from_fn_with_state(layer, fault_layer))
}
