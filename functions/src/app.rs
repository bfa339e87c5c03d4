//! Builds what the functions share inside one process: settings, clients, rooms and caches. It only builds; memory is only a
//! cache, and nothing here is needed after a crash.

use std::sync::Arc;
use std::time::Duration;

use bridge::ids::{Digest, TeamsMessageId};
use bridge::state::inbound::PostedPart;
use services::blob::Blobs;
use services::entra::{ClientAuthentication, DelegatedTokens, TokenValidator};
use services::error::ServiceError;
use services::files::{Files, Rules};
use services::genesys::Genesys;
use services::graph::Graph;
use services::key_vault::KeyVault;
use services::managed_identity::ManagedIdentity;
use services::secrets::{Secrets, names};
use services::service_bus::ServiceBus;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::counters::Counters;
use crate::doors;
use crate::outside::{Gate, Question};
use crate::queue::delivery::Times;
use crate::queue::enqueue::Queues;
use crate::queue::keep_trying::Persistence;
use crate::queue::settlement::Settlement;
use crate::settings::{GraphClientAuthentication, Settings};
use crate::store::bounded::Bounded;
use crate::store::keys::NotificationKeys;
use crate::store::lanes::Lanes;
use crate::store::own_posts::OwnPosts;
use crate::store::threads::Threads;

/// Longest wait for the host's first ping; it pings every 25 ms (azure-functions-host, `HttpFunctionInvocationDispatcher`).
const FIRST_PING: Duration = Duration::from_millis(100);

/// Agents' messages that may hold pictures in memory at a time: some 10 MB each, base64 included.
const MESSAGES_WITH_PICTURES: usize = 6;

/// Customers' files that may be on their way at a time: some 12 MB each.
const TRANSFERS: usize = 8;

/// How many times its own time limit a file may hold its message, when Graph fails for it.
const FILE_PATIENCE: u32 = 4;

/// Chats and hosts whose files kept a lane waiting, and how long that is remembered.
const SLOW_FILES: usize = 1_000;
const SLOW_FILES_FOR: Duration = Duration::from_secs(15 * 60);

/// Messages with parts that no state knows, and how long they are remembered.
const UNSAVED: usize = 10_000;
const UNSAVED_FOR: Duration = Duration::from_secs(24 * 3600);

/// Settings, clients and rooms of one process.
#[derive(Debug)]
pub struct App {
    /// The checked settings.
    pub settings: Settings,
    /// Cached secrets.
    pub secrets: Arc<Secrets>,
    /// Checks of Graph's validation tokens.
    pub validator: TokenValidator,
    /// Microsoft Graph.
    pub graph: Arc<Graph>,
    /// Genesys Cloud.
    pub genesys: Arc<Genesys>,
    /// The data storage account.
    pub blobs: Arc<Blobs>,
    /// Files that people send, wherever they lie.
    pub files: Arc<Files>,
    /// The queues.
    pub queues: Queues,
    /// The way to Graph and Genesys.
    pub(crate) gate: Arc<Gate>,
    /// The way into a chat.
    pub(crate) door: doors::Graph,
    /// Limits of an invocation's time.
    pub(crate) times: Times,
    /// Settles queue messages.
    pub(crate) settlement: Settlement,
    /// Private keys of rich notifications.
    pub(crate) keys: NotificationKeys,
    /// Which chat a thread belongs to.
    pub(crate) threads: Threads,
    /// Posts that this process made.
    pub(crate) own_posts: OwnPosts,
    /// How many customers' files may be on their way at a time.
    pub(crate) transfers: Semaphore,
    /// How many agents' messages may hold pictures in memory at a time.
    pub(crate) pictures: Semaphore,
    /// Chats and hosts whose files kept a lane waiting lately.
    pub(crate) slow_files: Bounded<Digest, ()>,
    /// The inbound lanes that this process holds.
    pub(crate) lanes: Lanes,
    /// Parts that Genesys has and no state says yet, by chat and message: a post whose note could not be written. It closes the
    /// gap while the process lives, so that a store that cannot be written does not make every attempt post again.
    pub(crate) unsaved: Bounded<(Digest, TeamsMessageId), Vec<PostedPart>>,
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

    /// Builds everything on this HTTP client and this identity.
    ///
    /// # Errors
    /// A setting that clients need is not usable.
    pub fn build_with(
        settings: Settings,
        client: services::http::Client,
        identity: Arc<ManagedIdentity>,
    ) -> Result<Self, ServiceError> {
        let key_vault = KeyVault::new(
            client.clone(),
            &settings.key_vault_url,
            Arc::clone(&identity),
        );
        let secrets = Arc::new(Secrets::new(Arc::new(key_vault)));
        let tenant = settings.tenant.as_str();
        let delegated = DelegatedTokens::new(
            client.clone(),
            &settings.entra_endpoint,
            tenant,
            &settings.graph_client_id,
            match settings.graph_client_authentication {
                GraphClientAuthentication::Federated => ClientAuthentication::Federated,
                GraphClientAuthentication::Secret => ClientAuthentication::Secret,
            },
            Arc::clone(&identity),
            Arc::clone(&secrets),
        );
        let graph = Arc::new(Graph::new(
            client.clone(),
            &settings.graph_endpoint,
            delegated,
        ));
        let genesys = Arc::new(Genesys::new(
            client.clone(),
            &settings.genesys_api_endpoint,
            &settings.genesys_login_endpoint,
            &settings.genesys_integration_id,
            &settings.genesys_client_id,
            Arc::clone(&secrets),
        ));
        let rules = Rules {
            origins: settings.file_origins.clone(),
            hosts: settings.file_hosts.clone(),
        };
        let files = Arc::new(Files::new(client.clone(), rules));
        let blobs = Blobs::new(
            client.clone(),
            &settings.blob_endpoint,
            Arc::clone(&identity),
        )?;
        let blobs = Arc::new(blobs);
        let gate = Arc::new(Gate::new(Arc::clone(&blobs)));
        let question = Question::new(Arc::clone(&gate), Arc::clone(&graph), Arc::clone(&genesys));
        let times = Times {
            attempt_deadline: settings.attempt_deadline,
            retry_floor: settings.retry_floor,
            not_yet: settings.unknown_thread,
            file: settings.file_timeout * FILE_PATIENCE,
        };
        Ok(Self {
            validator: TokenValidator::new(
                client.clone(),
                &settings.entra_endpoint,
                tenant,
                &settings.graph_client_id,
            ),
            queues: Queues::new(
                ServiceBus::new(client, &settings.service_bus_namespace, identity),
                Arc::clone(&blobs),
                &settings,
            ),
            door: doors::Graph::new(Arc::clone(&graph), Arc::clone(&gate), Arc::clone(&files)),
            settlement: Settlement::new(
                Arc::clone(&blobs),
                Persistence::new(Arc::clone(&gate), question, times),
            ),
            keys: NotificationKeys::new(Arc::clone(&secrets)),
            threads: Threads::new(Arc::clone(&blobs)),
            own_posts: OwnPosts::default(),
            transfers: Semaphore::new(TRANSFERS),
            pictures: Semaphore::new(MESSAGES_WITH_PICTURES),
            slow_files: Bounded::new(SLOW_FILES, SLOW_FILES_FOR),
            lanes: Lanes::default(),
            unsaved: Bounded::new(UNSAVED, UNSAVED_FOR),
            greeted: Notify::new(),
            times,
            settings,
            secrets,
            graph,
            genesys,
            blobs,
            files,
            gate,
            counters: Counters::default(),
        })
    }

    /// Reads in the background what the webhooks need for their verdicts, until it is there, while the handler already
    /// listens: the first requests after a cold start wait for it instead of starting it.
    pub fn warm_up(self: &Arc<Self>) {
        let app = Arc::clone(self);
        tokio::spawn(async move {
            // The host calls nobody before its first ping is answered, so that answer comes first.
            let _ = timeout(FIRST_PING, app.greeted.notified()).await;
            tokio::join!(
                until_done(|| app.secrets.accepted(names::GRAPH_CLIENT_STATE)),
                until_done(|| app.secrets.accepted(names::GENESYS_WEBHOOK)),
                until_done(|| app.validator.warm_up()),
                until_done(|| app.queues.warm_up()),
            );
            tracing::info!(event = "warmed_up", "secrets and signing keys are loaded");
        });
    }
}

async fn until_done<F, T>(mut load: impl FnMut() -> F)
where
    F: Future<Output = Result<T, ServiceError>>,
{
    let mut wait = Duration::from_millis(200);
    while let Err(error) = load().await {
        let (service, kind) = (error.service.label(), error.kind.label());
        tracing::warn!(event = "warm_up_failed", service, kind);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}
