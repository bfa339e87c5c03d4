//! What every simulator knows: who exists in this world, where each service listens, and the hub.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use uuid::Uuid;

use crate::crm;
use crate::hub::Hub;
use crate::shared::clock::Clock;
use crate::shared::tls::CertificateAuthority;

/// The simulated world, shared by the simulators, the host stand-in and the control interface.
#[derive(Debug)]
pub struct World {
    /// Tenants, applications and accounts that exist.
    pub config: Config,
    /// Where each service listens. All ports are bound before the world is made, so these never change.
    pub endpoints: Endpoints,
    /// The time of what is renewed.
    pub clock: Clock,
    /// Journeys, events, faults and logs.
    pub hub: Hub,
    /// The throw-away authority that signed every service's certificate.
    pub authority: CertificateAuthority,
}

impl World {
    /// A world of these parts, with an empty hub.
    pub fn new(config: Config, endpoints: Endpoints, authority: CertificateAuthority) -> Arc<Self> {
        Arc::new(Self {
            clock: Clock::new(config.speed),
            config,
            endpoints,
            hub: Hub::default(),
            authority,
        })
    }

    /// A world for tests of one simulator: default configuration, addresses on which nobody listens.
    ///
    /// # Panics
    /// When no certificate can be made, which only a broken build does.
    pub fn for_tests() -> Arc<Self> {
        let authority = CertificateAuthority::new().expect("a certificate authority can be made");
        Self::new(Config::default(), Endpoints::nowhere(), authority)
    }
}

/// Who exists in this world. Read from `local.settings.json` and `--set`, so that the handler and the simulators
/// agree on every id.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our tenant (`TENANT_ID`), lowercase GUID.
    pub tenant: String,
    /// Client id of the Function App's user-assigned managed identity (`AZURE_CLIENT_ID`).
    pub managed_identity_client_id: String,
    /// The application that reads and posts through Graph (`GRAPH_CLIENT_ID`).
    pub graph_client_id: String,
    /// `federated` or `secret` (`GRAPH_CLIENT_AUTHENTICATION`).
    pub graph_client_authentication: String,
    /// The agent identity blueprint (`AGENT_BLUEPRINT_CLIENT_ID`).
    pub agent_blueprint: String,
    /// The bot's application (`BOT_APP_ID`); nothing when there is no bot.
    pub bot_app: String,
    /// `managed-identity`, `federated` or `secret` (`BOT_AUTHENTICATION`).
    pub bot_authentication: String,
    /// The Support Users (`SUPPORT_ACCOUNTS`), in the order of the setting.
    pub support_accounts: Vec<SupportAccount>,
    /// The Open Messaging integration (`GENESYS_INTEGRATION_ID`).
    pub genesys_integration_id: String,
    /// The OAuth clients that Genesys knows us by (`GENESYS_CLIENT_ID`), in the order of the setting.
    pub genesys_client_ids: Vec<String>,
    /// The other client of the pair, where there is one (`GENESYS_SPARE_CLIENT_ID`).
    pub genesys_spare_client_id: Option<String>,
    /// Names of the queues (`INBOUND_QUEUE`, `OUTBOUND_QUEUE`, `TYPING_QUEUE`).
    pub queues: QueueNames,
    /// `--crm`: what the flow's data actions ask.
    pub crm: crm::Kind,
    /// `--basic-notifications`: Graph's notifications carry no encrypted content.
    pub basic_notifications: bool,
    /// `--no-secret`: what the vault has no value of at the start.
    pub no_secrets: Vec<String>,
    /// `--genesys-greeting`: what the message flow answers at once to the first message of a conversation.
    pub genesys_greeting: Option<String>,
    /// `--genesys-rate-limit`: requests of each of our clients that Genesys takes in any minute.
    pub genesys_rate_limit: usize,
    /// `--speed`: how many times as fast as usual time passes for what is renewed.
    pub speed: u32,
}

/// The names of the three queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueNames {
    /// Teams → Genesys, with sessions.
    pub inbound: String,
    /// Genesys → Teams, with sessions.
    pub outbound: String,
    /// Typing indicators both ways, without sessions.
    pub typing: String,
}

/// One Support User.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportAccount {
    /// Its short configured name, as in `SUPPORT_ACCOUNTS=name=user id`.
    pub name: String,
    /// Its Entra user id, lowercase GUID.
    pub user: String,
    /// Client id of its agent identity, where it is an agent user (`name=user id@client id`).
    pub agent_identity: Option<String>,
}

impl Config {
    /// Reads the configuration out of the handler's settings; what is absent keeps the default.
    ///
    /// # Errors
    /// A line that names the setting and what is wrong with it.
    pub fn from_settings(settings: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let mut config = Self::default();
        for (name, target) in [
            ("TENANT_ID", &mut config.tenant),
            ("AZURE_CLIENT_ID", &mut config.managed_identity_client_id),
            ("GRAPH_CLIENT_ID", &mut config.graph_client_id),
            ("GENESYS_INTEGRATION_ID", &mut config.genesys_integration_id),
        ] {
            if let Some(value) = settings.get(name) {
                *target = guid(name, value)?;
            }
        }
        if let Some(value) = settings.get("GENESYS_CLIENT_ID") {
            let ids = value.split(',').map(|id| guid("GENESYS_CLIENT_ID", id));
            config.genesys_client_ids = ids.collect::<anyhow::Result<_>>()?;
        }
        if let Some(value) = settings.get("GENESYS_SPARE_CLIENT_ID") {
            let id = Some(value).filter(|value| !value.is_empty());
            let id = id.map(|value| guid("GENESYS_SPARE_CLIENT_ID", value));
            config.genesys_spare_client_id = id.transpose()?;
        }
        // Nothing stands for no blueprint.
        let blueprint = settings.get("AGENT_BLUEPRINT_CLIENT_ID");
        if let Some(value) = blueprint.filter(|value| !value.trim().is_empty()) {
            config.agent_blueprint = guid("AGENT_BLUEPRINT_CLIENT_ID", value)?;
        }
        // Nothing stands for no bot.
        if let Some(value) = settings.get("BOT_APP_ID") {
            let id = Some(value.trim()).filter(|value| !value.is_empty());
            let id = id.map(|value| guid("BOT_APP_ID", value)).transpose()?;
            config.bot_app = id.unwrap_or_default();
        }
        let authentication = &mut config.graph_client_authentication;
        let queues = &mut config.queues;
        for (name, target) in [
            ("GRAPH_CLIENT_AUTHENTICATION", authentication),
            ("BOT_AUTHENTICATION", &mut config.bot_authentication),
            ("INBOUND_QUEUE", &mut queues.inbound),
            ("OUTBOUND_QUEUE", &mut queues.outbound),
            ("TYPING_QUEUE", &mut queues.typing),
        ] {
            if let Some(value) = settings.get(name) {
                target.clone_from(value);
            }
        }
        if let Some(value) = settings.get("SUPPORT_ACCOUNTS") {
            config.support_accounts = support_accounts(value)?;
        }
        Ok(config)
    }

    /// The Support User with this configured name.
    pub fn support_account(&self, name: &str) -> Option<&SupportAccount> {
        self.support_accounts
            .iter()
            .find(|account| account.name == name)
    }
}

fn guid(name: &str, value: &str) -> anyhow::Result<String> {
    let id = Uuid::parse_str(value.trim()).with_context(|| format!("{name} is not a GUID"))?;
    Ok(id.to_string())
}

fn support_accounts(value: &str) -> anyhow::Result<Vec<SupportAccount>> {
    const FORM: &str = "SUPPORT_ACCOUNTS must read name=user id,name=user id@client id";
    let entries = value.split(',').map(str::trim);
    entries
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let (name, user) = entry.split_once('=').context(FORM)?;
            let (user, identity) = match user.split_once('@') {
                Some((user, identity)) => (user, Some(identity)),
                None => (user, None),
            };
            let what = |id: &str| format!("SUPPORT_ACCOUNTS: the {id} of {name}");
            let identity = identity.map(|it| guid(&what("agent identity"), it));
            Ok(SupportAccount {
                name: name.trim().to_owned(),
                user: guid(&what("user id"), user)?,
                agent_identity: identity.transpose()?,
            })
        })
        .collect()
}

impl Default for Config {
    fn default() -> Self {
        let id = |last: u128| Uuid::from_u128(last).to_string();
        Self {
            managed_identity_client_id: id(1),
            tenant: id(2),
            graph_client_id: id(3),
            graph_client_authentication: "federated".to_owned(),
            agent_blueprint: id(7),
            bot_app: id(8),
            bot_authentication: "managed-identity".to_owned(),
            support_accounts: vec![SupportAccount {
                name: "support".to_owned(),
                user: id(4),
                agent_identity: None,
            }],
            genesys_integration_id: id(5),
            genesys_client_ids: vec![id(6)],
            genesys_spare_client_id: Some(id(7)),
            queues: QueueNames {
                inbound: "inbound".to_owned(),
                outbound: "outbound".to_owned(),
                typing: "typing".to_owned(),
            },
            crm: crm::Kind::default(),
            basic_notifications: false,
            no_secrets: Vec::new(),
            genesys_greeting: None,
            genesys_rate_limit: 300,
            speed: 1,
        }
    }
}

/// Base addresses without a closing slash, e.g. `https://127.0.0.1:41234`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The Functions app as the outside sees it (plain HTTP), e.g. `{functions}/api/graph/notifications`.
    pub functions: String,
    /// The same with TLS, as Azure has it.
    pub secure_functions: String,
    /// Microsoft Graph.
    pub graph: String,
    /// The host of OneDrive's downloads, to which Graph redirects.
    pub files: String,
    /// Genesys Cloud, API and login alike.
    pub genesys: String,
    /// Genesys' host for downloads of agents' files.
    pub genesys_downloads: String,
    /// The Bot connector, and the metadata of its keys.
    pub bot: String,
    /// Entra ID.
    pub entra: String,
    /// Key Vault.
    pub key_vault: String,
    /// Resource Manager.
    pub resource_manager: String,
    /// Service Bus.
    pub service_bus: String,
    /// The managed-identity endpoint (plain HTTP, as on Azure): the value of `IDENTITY_ENDPOINT`.
    pub identity: String,
    /// The value of `IDENTITY_HEADER`, which callers of the managed-identity endpoint must send.
    pub identity_header: String,
}

impl Endpoints {
    /// Addresses on the discard port, for tests that call no other service.
    pub fn nowhere() -> Self {
        let [http, https] = ["http", "https"].map(|scheme| format!("{scheme}://127.0.0.1:9"));
        Self {
            identity: format!("{http}/msi/token"),
            functions: http,
            secure_functions: https.clone(),
            graph: https.clone(),
            files: https.clone(),
            genesys: https.clone(),
            genesys_downloads: https.clone(),
            bot: https.clone(),
            entra: https.clone(),
            key_vault: https.clone(),
            resource_manager: https.clone(),
            service_bus: https,
            identity_header: "identity-header".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_decide_who_exists_and_a_wrong_one_is_named() {
        let setting = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let [first, second] = [7, 8].map(|last| Uuid::from_u128(last).to_string());
        let accounts = format!("a={first}, b={second}@{first}");
        let mut settings = BTreeMap::from([
            setting("TENANT_ID", "AAAAAAAA-0000-0000-0000-000000000002"),
            setting("SUPPORT_ACCOUNTS", &accounts),
            setting("BOT_APP_ID", ""),
        ]);
        let config = Config::from_settings(&settings).expect("valid");
        assert_eq!(config.tenant, "aaaaaaaa-0000-0000-0000-000000000002");
        assert_eq!(config.support_accounts.len(), 2);
        assert_eq!(config.bot_app, "", "there is no bot");
        let account = config.support_account("b").expect("the second");
        assert_eq!(account.user, second);
        assert_eq!(account.agent_identity.as_deref(), Some(first.as_str()));

        settings.extend([setting("TENANT_ID", "contoso")]);
        let problem = Config::from_settings(&settings).expect_err("no GUID");
        assert_eq!(problem.to_string(), "TENANT_ID is not a GUID");
    }
}
