//! The simulated services other than Service Bus: how they hang together, and what is in them from the start.

use std::sync::Arc;

use axum::Router;

use crate::entra::{self, Entra};
use crate::genesys::{self, Genesys};
use crate::graph::{self, Graph};
use crate::key_vault::{self, KeyVault};
use crate::world::World;

/// The state of each simulator.
#[derive(Clone)]
pub struct Simulators {
    /// Entra ID and the managed-identity endpoint.
    pub entra: Arc<Entra>,
    /// Key Vault.
    pub key_vault: Arc<KeyVault>,
    /// Microsoft Graph.
    pub graph: Arc<Graph>,
    /// Genesys Cloud.
    pub genesys: Arc<Genesys>,
}

impl Simulators {
    /// Simulators of this world that know each other's secrets, with the vault filled as an operator and the timers
    /// of a running Function App would have left it.
    pub fn new(world: &Arc<World>) -> Self {
        let entra = Entra::new(Arc::clone(world));
        let simulators = Self {
            key_vault: KeyVault::new(Arc::clone(world), Arc::clone(&entra)),
            graph: Graph::new(Arc::clone(world), Arc::clone(&entra)),
            genesys: Genesys::new(Arc::clone(world)),
            entra,
        };
        simulators.fill_vault(world);
        simulators
    }

    fn fill_vault(&self, world: &World) {
        let vault = &self.key_vault;
        vault.set("graph-client-state", &self.graph.client_state_secret());
        vault.set("graph-notification-key", &self.graph.notification_key_pem());
        vault.set("graph-client-secret", &self.entra.graph_client_secret());
        vault.set("genesys-client-secret", &self.genesys.client_secret());
        vault.set("genesys-webhook-secret", &self.genesys.webhook_secret());
        let accounts = world.config.support_accounts.iter();
        for account in accounts.filter(|it| it.agent_identity.is_none()) {
            let name = &account.name;
            let token = self.entra.refresh_token_for(name);
            vault.set(&format!("graph-refresh-token-{name}"), &token);
        }
    }

    /// The simulators' part of the control interface.
    pub fn control(&self) -> Router {
        Router::new()
            .merge(entra::control(&self.entra))
            .merge(key_vault::control(&self.key_vault))
            .merge(graph::control(&self.graph))
            .merge(genesys::control(&self.genesys))
    }
}
