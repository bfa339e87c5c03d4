//! Builds what the functions share inside one process: settings, clients, rooms and caches. It only builds; memory is only a
//! cache, and nothing here is needed after a crash.

use std::sync::Arc;
use std::time::Duration;

use bridge::bot::reference::ConversationReference;
use bridge::conversation::case::TenantInformation;
use bridge::genesys::speaker::Speaker;
use bridge::ids::{ChatId, Digest, GenesysConversationId, SupportAccountName, TeamsMessageId};
use bridge::state::inbound::PostedPart;
use bridge::typing::{TAKEN_EVERY, TOLD_EVERY};
use services::blob::Blobs;
use services::bot::{Bot, BotAuthentication, BotTokens, ConnectorTokens};
use services::entra::{
    AgentUser, AgentUsers, ClientAuthentication, ClientSecretProbe, DelegatedTokens,
    OwnRegistration, Registration, SignIn, TokenValidator,
};
use services::error::{Service, ServiceError};
use services::files::{Files, Rules};
use services::genesys::Genesys;
use services::genesys::admin::GenesysAdmin;
use services::graph::Graph;
use services::graph::own_app::OwnApp;
use services::graph::subscriptions::Subscriptions;
use services::key_vault::KeyVault;
use services::managed_identity::ManagedIdentity;
use services::secrets::{Secrets, names};
use services::service_bus::ServiceBus;
use time::OffsetDateTime;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::counters::Counters;
use crate::outside::Gate;
use crate::queue::spool::Spool;
use crate::self_check;
use crate::settings::{AccountKind, Settings};
use crate::store::bounded::Bounded;
use crate::store::keys::NotificationKeys;
use crate::store::lanes::Lanes;
use crate::store::own_posts::OwnPosts;
use crate::store::threads::Threads;

/// Agents' messages that may hold pictures in memory at a time: some 10 MB each, base64 included.
const MESSAGES_WITH_PICTURES: usize = 6;

/// Blocks of 64 KiB for all large bodies of webhooks together: 12 MiB. Anybody can send to a webhook, so its memory is bounded
/// before its sender is known; what is made of a body can take three times its size again.
const LARGE_BODIES: usize = 192;

/// Customers' files that may be on their way at a time: some 12 MB each.
const TRANSFERS: usize = 8;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Settings, clients and rooms of one process.
#[derive(Debug)]
pub struct App {
    /// The checked settings.
    pub settings: Settings,
    /// Cached secrets.
    pub secrets: Arc<Secrets>,
    /// Checks of Graph's validation tokens.
    pub validator: TokenValidator,
    /// How Support Users sign in.
    pub(crate) sign_in: SignIn,
    /// Microsoft Graph.
    pub graph: Graph,
    /// The Graph app's subscriptions.
    pub(crate) subscriptions: Subscriptions,
    /// The Graph app's own registration.
    pub own_app: OwnApp,
    /// Tries client secrets of the Graph app.
    pub client_secret_probe: ClientSecretProbe,
    /// The bot, where there is one.
    pub bot: Option<Bot>,
    /// Checks of what its connector sends.
    pub connector_tokens: Option<ConnectorTokens>,
    /// Genesys Cloud, by the first of our OAuth clients.
    pub genesys: Genesys,
    /// The same by each further one.
    further_genesys: Vec<Genesys>,
    /// Who changes secrets at Genesys, where a person runs a command; else our own client does as far as it may.
    pub genesys_operator: Option<GenesysAdmin>,
    /// The data storage account.
    pub blobs: Arc<Blobs>,
    /// Files that people send, wherever they lie.
    pub files: Files,
    /// The queues.
    pub bus: ServiceBus,
    /// The way to Graph and Genesys.
    pub(crate) gate: Gate,
    /// Since when a chat's message fails; another process begins to count anew.
    pub(crate) failing_since: Bounded<Digest, Instant>,
    /// Whether a service that refused something was well besides, by account.
    pub(crate) well_besides: Bounded<(Service, Option<SupportAccountName>), bool>,
    /// Private keys of rich notifications.
    pub(crate) keys: NotificationKeys,
    /// Which chat a thread belongs to, as far as this process has seen.
    pub(crate) threads: Threads,
    /// Posts that this process made.
    pub(crate) own_posts: OwnPosts,
    /// Agents as Genesys told them lately, by conversation.
    pub(crate) speakers: Bounded<GenesysConversationId, Option<Speaker>>,
    /// The bot's conversations as typing was shown in them lately, by thread.
    pub(crate) bot_chats: Bounded<Digest, (ChatId, ConversationReference)>,
    /// Those whose typing a webhook put on its queue a moment ago.
    pub(crate) typing_taken: Bounded<Digest, ()>,
    /// When an agent was shown typing last, by thread.
    pub(crate) typing_shown: Bounded<Digest, Instant>,
    /// Chats whose customer Genesys was told to be typing a moment ago.
    pub(crate) typing_told: Bounded<Digest, ()>,
    /// Accounts for which Graph refused a subscription with the Support User's own right lately.
    pub(crate) not_delegated: Bounded<SupportAccountName, ()>,
    /// Chats whose owner was told in the log lately.
    pub(crate) owners_told: Bounded<Digest, ()>,
    /// What tenants showed of themselves lately, and that there is none.
    pub(crate) tenants: Bounded<Digest, Option<TenantInformation>>,
    /// How many customers' files may be on their way at a time.
    pub(crate) transfers: Semaphore,
    /// How many agents' messages may hold pictures in memory at a time.
    pub(crate) pictures: Semaphore,
    /// Blocks of memory for large bodies of webhooks.
    pub(crate) large_bodies: Semaphore,
    /// How many tickets for a look at the app may be looked up at a time.
    pub(crate) tickets: Semaphore,
    /// Chats and hosts whose files kept a lane waiting lately.
    pub(crate) slow_files: Bounded<Digest, ()>,
    /// The inbound lanes that this process holds.
    pub(crate) lanes: Lanes,
    /// Parts that Genesys has and no state says yet, by chat and message: a post whose note could not be written. It closes the
    /// gap while the process lives, so that a store that cannot be written does not make every attempt post again.
    pub(crate) unsaved: Bounded<(Digest, TeamsMessageId), Vec<PostedPart>>,
    /// What is known of the messages that wait in Blob for Service Bus.
    pub(crate) spool: Spool,
    /// Counts for the health route.
    pub(crate) counters: Counters,
    /// Told at each ping of the host.
    pub(crate) greeted: Notify,
}

impl App {
    /// Builds the clients; nothing is called yet.
    ///
    /// # Errors
    /// The TLS roots or the managed identity's endpoint are not usable.
    pub fn build(settings: Settings) -> Result<Self, ServiceError> {
        let client = services::http::client()?;
        let identity = ManagedIdentity::new(client.clone(), &settings.identity_client_id)?;
        Self::build_with(settings, client, Arc::new(identity))
    }

    /// The time by which secrets and subscriptions are renewed.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        self.settings.clock.now()
    }

    /// Builds everything on this HTTP client and this identity.
    ///
    /// # Errors
    /// A setting that clients need is not usable.
    pub fn build_with(
        settings: Settings,
        client: services::http::Client,
        identity: Arc<ManagedIdentity>,
    ) -> Result<Self, ServiceError> {
        let same_identity = || Arc::clone(&identity);
        let vault = KeyVault::new(client.clone(), &settings.key_vault_url, same_identity());
        let secrets = Arc::new(Secrets::new(Arc::new(vault)));
        let blobs = Arc::new(Blobs::new(
            client.clone(),
            &settings.blob_endpoint,
            same_identity(),
        )?);
        let graph_app = OwnRegistration::new(
            client.clone(),
            &settings.entra_endpoint,
            Registration {
                tenant: settings.tenant.as_str(),
                client_id: &settings.graph_client_id,
                authentication: settings.graph_client_authentication,
                secret: names::GRAPH_CLIENT,
            },
            same_identity(),
            Arc::clone(&secrets),
        );
        let delegated = DelegatedTokens::new(graph_app, agent_users(&settings));
        // The settings have at least one.
        let (first, further) = match settings.genesys_clients.split_first() {
            Some((first, further)) => (first.as_str(), further),
            None => ("", &[][..]),
        };
        let genesys = Genesys::new(
            client.clone(),
            &settings.genesys_api_endpoint,
            &settings.genesys_login_endpoint,
            &settings.genesys_integration_id,
            first,
            Arc::clone(&secrets),
        );
        let (bot, connector_tokens) = bot(&settings, &client, &identity, &secrets)?.unzip();
        let rules = Rules {
            origins: settings.file_origins.clone(),
            hosts: settings.file_hosts.clone(),
        };
        Ok(Self {
            own_app: OwnApp::new(
                client.clone(),
                &settings.graph_endpoint,
                &settings.graph_client_id,
                same_identity(),
            ),
            client_secret_probe: delegated.client_secret_probe(&settings.graph_endpoint),
            validator: TokenValidator::new(
                client.clone(),
                &settings.entra_endpoint,
                settings.tenant.as_str(),
                &settings.graph_client_id,
            ),
            subscriptions: Subscriptions::new(
                client.clone(),
                &settings.graph_endpoint,
                delegated.application(&settings.graph_endpoint),
            ),
            bot,
            connector_tokens,
            sign_in: delegated.sign_in(),
            graph: Graph::new(client.clone(), &settings.graph_endpoint, delegated),
            further_genesys: further.iter().map(|id| genesys.by_client(id)).collect(),
            genesys,
            genesys_operator: None,
            files: Files::new(client.clone(), rules),
            bus: ServiceBus::new(client, &settings.service_bus_namespace, identity),
            gate: Gate::new(
                Arc::clone(&blobs),
                &settings.genesys_clients,
                settings.genesys_calls_per_minute,
            ),
            failing_since: Bounded::new(10_000, 24 * HOUR),
            well_besides: Bounded::new(1_000, Duration::from_secs(5)),
            keys: NotificationKeys::default(),
            threads: Threads::new(Bounded::new(20_000, HOUR)),
            own_posts: OwnPosts::default(),
            speakers: Bounded::new(5_000, MINUTE),
            bot_chats: Bounded::new(10_000, 5 * MINUTE),
            typing_taken: Bounded::new(10_000, TAKEN_EVERY),
            typing_shown: Bounded::new(10_000, MINUTE),
            typing_told: Bounded::new(10_000, TOLD_EVERY),
            not_delegated: Bounded::new(1_000, 24 * HOUR),
            owners_told: Bounded::new(1_000, HOUR),
            tenants: Bounded::new(5_000, HOUR),
            transfers: Semaphore::new(TRANSFERS),
            pictures: Semaphore::new(MESSAGES_WITH_PICTURES),
            large_bodies: Semaphore::new(LARGE_BODIES),
            tickets: Semaphore::new(self_check::TICKETS),
            slow_files: Bounded::new(1_000, 15 * MINUTE),
            lanes: Lanes::default(),
            unsaved: Bounded::new(10_000, 24 * HOUR),
            spool: Spool::default(),
            counters: Counters::default(),
            greeted: Notify::new(),
            settings,
            secrets,
            blobs,
        })
    }

    /// Genesys Cloud by the OAuth client at this place of `GENESYS_CLIENT_ID`, counted from 0.
    pub fn genesys_by(&self, client: usize) -> &Genesys {
        let further = client.checked_sub(1);
        let further = further.and_then(|further| self.further_genesys.get(further));
        further.unwrap_or(&self.genesys)
    }
}

/// The bot's client and what checks its connector's tokens, where the settings name one.
fn bot(
    settings: &Settings,
    client: &services::http::Client,
    identity: &Arc<ManagedIdentity>,
    secrets: &Arc<Secrets>,
) -> Result<Option<(Bot, ConnectorTokens)>, ServiceError> {
    let Some(id) = &settings.bot_app_id else {
        return Ok(None);
    };
    let entra = &settings.entra_endpoint;
    let registration = |authentication| {
        let registration = Registration {
            tenant: settings.tenant.as_str(),
            client_id: id,
            authentication,
            secret: names::BOT_CLIENT,
        };
        let (identity, secrets) = (Arc::clone(identity), Arc::clone(secrets));
        OwnRegistration::new(client.clone(), entra, registration, identity, secrets)
    };
    let tokens = match settings.bot_authentication {
        BotAuthentication::ManagedIdentity if *id == settings.identity_client_id => {
            BotTokens::of_identity(Arc::clone(identity), entra)
        }
        BotAuthentication::ManagedIdentity => {
            let own = ManagedIdentity::new(client.clone(), id)?;
            BotTokens::of_identity(Arc::new(own), entra)
        }
        BotAuthentication::Federated => {
            BotTokens::of_registration(registration(ClientAuthentication::Federated), entra)
        }
        BotAuthentication::Secret => {
            BotTokens::of_registration(registration(ClientAuthentication::Secret), entra)
        }
    };
    let login = &settings.bot_login_endpoint;
    let checks = ConnectorTokens::new(client.clone(), login, entra, id);
    let origins = settings.bot_connector_origins.clone();
    Ok(Some((Bot::new(client.clone(), tokens, origins), checks)))
}

/// The support accounts that are agent users.
fn agent_users(settings: &Settings) -> AgentUsers {
    let accounts = settings.support_accounts.iter();
    let agents = accounts.filter_map(|account| match &account.kind {
        AccountKind::SignedIn => None,
        AccountKind::AgentUser(identity) => {
            let (identity, user) = (identity.clone(), account.user.as_str().to_owned());
            Some((
                account.name.as_str().to_owned(),
                AgentUser { identity, user },
            ))
        }
    });
    // Without a blueprint there is no agent user, as the settings see to it.
    let blueprint = settings.agent_blueprint.as_deref().unwrap_or_default();
    AgentUsers::new(blueprint, &settings.graph_endpoint, agents)
}
