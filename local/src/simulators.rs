//! The simulated services other than Service Bus: how they hang together, and what is in them from the start.

use std::sync::Arc;

use axum::Router;

use crate::bot::Bot;
use crate::entra::{self, Entra};
use crate::genesys::{self, Genesys};
use crate::graph::{self, Graph};
use crate::key_vault::{self, KeyVault};
use crate::resource_manager::{self, ResourceManager};
use crate::shared::random_text;
use crate::teams_app;
use crate::world::World;

/// What a deployment puts in the place of a secret that does not exist yet.
const NONE: &str = "none";

/// The state of each simulator.
#[derive(Clone)]
pub struct Simulators {
    /// Entra ID and the managed-identity endpoint.
    pub entra: Arc<Entra>,
    /// Key Vault.
    pub key_vault: Arc<KeyVault>,
    /// Resource Manager.
    pub resource_manager: Arc<ResourceManager>,
    /// Microsoft Graph.
    pub graph: Arc<Graph>,
    /// The Bot connector.
    pub bot: Arc<Bot>,
    /// Genesys Cloud.
    pub genesys: Arc<Genesys>,
}

impl Simulators {
    /// Simulators of this world that know each other's secrets, with the vault filled as an operator and the timers
    /// of a running Function App would have left it.
    pub fn new(world: &Arc<World>) -> Self {
        let entra = Entra::new(Arc::clone(world));
        let graph = Graph::new(Arc::clone(world), Arc::clone(&entra));
        let simulators = Self {
            key_vault: KeyVault::new(Arc::clone(world), Arc::clone(&entra)),
            resource_manager: ResourceManager::new(Arc::clone(world), Arc::clone(&entra)),
            bot: Bot::new(Arc::clone(world), Arc::clone(&entra), Arc::clone(&graph)),
            graph,
            genesys: Genesys::new(Arc::clone(world)),
            entra,
        };
        simulators.fill_vault(world);
        simulators
    }

    fn fill_vault(&self, world: &World) {
        let place = |name: &str, value: &dyn Fn() -> String| {
            let absent = world.config.no_secrets.iter().any(|it| it == name);
            let value = if absent { String::new() } else { value() };
            let value = if value.is_empty() {
                NONE.to_owned()
            } else {
                value
            };
            let placed = self.key_vault.place(name, &value);
            placed.expect("nothing is deleted yet");
        };
        place("graph-client-state", &|| self.graph.client_state_secret());
        place("graph-notification-key", &|| {
            self.graph.notification_key_pem()
        });
        place("graph-client-secret", &|| self.entra.graph_client_secret());
        place("bot-client-secret", &|| self.entra.bot_client_secret());
        place("genesys-client-secret", &|| self.genesys.client_secret());
        for id in world.config.genesys_client_ids.iter().skip(1) {
            place(&format!("genesys-client-secret-{id}"), &|| {
                self.genesys.client_secret_of(id)
            });
        }
        place("genesys-webhook-secret", &|| self.genesys.webhook_secret());
        // What the data action of Genesys' workflow presents is made by whoever sets it up.
        place("genesys-ended-secret", &random_text);
        let accounts = world.config.support_accounts.iter();
        for account in accounts.filter(|it| it.agent_identity.is_none()) {
            let name = &account.name;
            place(&format!("graph-refresh-token-{name}"), &|| {
                self.entra.refresh_token_for(name)
            });
        }
    }

    /// The simulators' part of the control interface.
    pub fn control(&self) -> Router {
        Router::new()
            .merge(entra::control(&self.entra))
            .merge(key_vault::control(&self.key_vault))
            .merge(resource_manager::control(&self.resource_manager))
            .merge(graph::control(&self.graph))
            .merge(teams_app::control(&self.bot))
            .merge(genesys::control(&self.genesys))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::testing::{ask, world};
    use crate::world::Config;

    #[tokio::test]
    async fn a_secret_that_shall_not_be_there_is_none() {
        let config = Config {
            no_secrets: vec!["graph-client-state".to_owned()],
            ..Config::default()
        };
        let simulators = Simulators::new(&world(config, "http://127.0.0.1:9"));
        let secret = async |name: &str| {
            let path = format!("/local/key-vault/secrets/{name}");
            let answer = ask(simulators.control(), "GET", &path, "", Value::Null).await;
            answer.text("value")
        };
        assert_eq!(secret("graph-client-state").await, "none");
        let key = secret("graph-notification-key").await;
        assert!(key.contains("PRIVATE KEY") && key.contains("CERTIFICATE"));
        assert!(secret("graph-refresh-token-support").await.len() > 20);
    }
}
