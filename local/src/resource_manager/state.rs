//! What was deployed, and what whoever is logged in may do with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::entra::Entra;
use crate::shared::locked::Locked;
use crate::shared::random_text;
use crate::world::World;

/// The only subscription.
pub(super) const SUBSCRIPTION: &str = "00000000-0000-4000-8000-0000000000b1";

/// The environment, after which the resource group is named.
pub(super) const ENVIRONMENT: &str = "local";

/// The only resource group.
pub(super) const GROUP: &str = "rg-local";

/// The only deployment to it.
pub(super) const DEPLOYMENT: &str = "graph-to-open";

/// The only app in it.
pub(super) const APP: &str = "func-local";

/// The simulated Resource Manager of one resource group.
pub struct ResourceManager {
    pub(super) world: Arc<World>,
    pub(super) entra: Arc<Entra>,
    pub(super) deployed: Locked<Deployed>,
    pub(super) rights: Locked<Rights>,
}

/// What is there.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Deployed {
    /// How the deployment ended; nothing when there was none.
    pub(super) state: Option<String>,
    /// What it was given, by the names of the templates' parameters.
    pub(super) parameters: Map<String, Value>,
    /// Its outputs by name.
    pub(super) outputs: Map<String, Value>,
    /// The app's settings.
    pub(super) settings: BTreeMap<String, String>,
    /// The key of each function.
    pub(super) keys: BTreeMap<String, String>,
    /// How often the settings were written.
    pub(super) writes: usize,
    /// Whether the resource group was deleted.
    pub(super) is_gone: bool,
}

/// What whoever is logged in may do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rights {
    /// Read the resource group, as Reader.
    pub(super) read: bool,
    /// List the app's settings, as Website Contributor.
    pub(super) list_settings: bool,
    /// Write them, as Website Contributor.
    pub(super) write_settings: bool,
    /// List the functions' keys, as Website Contributor.
    pub(super) list_keys: bool,
    /// Delete the resource group, as Contributor.
    pub(super) delete_group: bool,
}

impl Default for Rights {
    fn default() -> Self {
        Self {
            read: true,
            list_settings: true,
            write_settings: true,
            list_keys: true,
            delete_group: true,
        }
    }
}

impl ResourceManager {
    /// A Resource Manager to which nothing was deployed yet.
    #[must_use]
    pub fn new(world: Arc<World>, entra: Arc<Entra>) -> Arc<Self> {
        Arc::new(Self {
            world,
            entra,
            deployed: Locked::default(),
            rights: Locked::default(),
        })
    }

    /// What the templates leave behind them, and who published the app: the outputs, and the app with these settings and functions.
    pub fn deploy<'a>(
        &self,
        settings: &BTreeMap<String, String>,
        functions: impl Iterator<Item = &'a str>,
    ) {
        let endpoints = &self.world.endpoints;
        let (_, host) = endpoints
            .secure_functions
            .split_once("://")
            .unwrap_or_default();
        let setting = |name: &str| settings.get(name).cloned().unwrap_or_default();
        let mut outputs = Map::new();
        for (name, value) in [
            ("resourceGroupName", GROUP.to_owned()),
            ("functionAppName", APP.to_owned()),
            ("functionAppHostName", host.to_owned()),
            (
                "genesysWebhookUrl",
                format!("https://{host}/api/genesys/webhook"),
            ),
            ("keyVaultUrl", setting("KEY_VAULT_URL")),
            ("blobEndpoint", setting("BLOB_ENDPOINT")),
            (
                "serviceBusNamespace",
                setting("ServiceBus__fullyQualifiedNamespace"),
            ),
            (
                "managedIdentityClientId",
                self.world.config.managed_identity_client_id.clone(),
            ),
            (
                "managedIdentityPrincipalId",
                self.entra.managed_identity_principal(),
            ),
        ] {
            outputs.insert(name.to_owned(), json!(value));
        }
        // As the file names them that [`Self::installation`] shows.
        let parameters = [
            ("environmentName", ENVIRONMENT.to_owned()),
            ("location", "local".to_owned()),
        ];
        let parameters = parameters.into_iter();
        let parameters = parameters.map(|(name, value)| (name.to_owned(), json!(value)));
        *self.deployed.lock() = Deployed {
            state: Some("Succeeded".to_owned()),
            parameters: parameters.collect(),
            outputs,
            settings: settings.clone(),
            keys: functions
                .map(|name| (name.to_owned(), random_text()))
                .collect(),
            writes: 0,
            is_gone: false,
        };
    }

    /// The first half of `graph-to-open.toml`, as the person who deployed this filled it in.
    pub(super) fn installation(&self) -> String {
        let config = &self.world.config;
        let accounts = config.support_accounts.iter().map(|account| {
            let identity = account.agent_identity.iter();
            let identity: String = identity.map(|it| format!("@{it}")).collect();
            format!("{}={}{identity}", account.name, account.user)
        });
        let accounts: Vec<String> = accounts.collect();
        let domain = self.deployed.lock().settings.get("GENESYS_DOMAIN").cloned();
        let mut text = String::from("# The installation on the local platform.\n");
        for (key, value) in [
            ("environment", json!(ENVIRONMENT)),
            ("location", json!("local")),
            ("tenant_id", json!(config.tenant)),
            ("subscription_id", json!(SUBSCRIPTION)),
            ("support_accounts", json!(accounts)),
            ("alert_email", json!("alerts@local.example")),
            ("genesys_domain", json!(domain.unwrap_or_default())),
        ] {
            text.push_str(&format!("{key} = {value}\n"));
        }
        text
    }
}
