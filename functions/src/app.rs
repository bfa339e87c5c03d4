//! Everything the functions share inside one process: settings, clients and caches.

use std::sync::Arc;
use std::time::Duration;

use bridge::ids::Digest;
use services::blob::Blobs;
use services::entra::{ClientAuthentication, DelegatedTokens, TokenValidator};
use services::error::{ErrorKind, Service, ServiceError};
use services::files::{Files, Rules};
use services::genesys::Genesys;
use services::graph::Graph;
use services::key_vault::KeyVault;
use services::managed_identity::ManagedIdentity;
use services::secrets::Secrets;
use services::service_bus::ServiceBus;

use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::counters::Counters;
use crate::failure::{Failure, Rejection, receipt_code};
use crate::keys::NotificationKeys;
use crate::lately::Lately;
use crate::outage::Outages;
use crate::pauses::{Pauses, Rate};
use crate::persistence::Work;
use crate::settings::{GraphClientAuthentication, Settings};
use crate::successes::Latest;
use crate::threads::ThreadCache;
use crate::unsaved::Unsaved;

/// Longest wait for the host's first ping; it pings every 25 ms (azure-functions-host, `HttpFunctionInvocationDispatcher`).
const FIRST_PING: Duration = Duration::from_millis(100);

/// Agents' messages that may hold pictures in memory at a time: some 10 MB each, base64 included.
const MESSAGES_WITH_PICTURES: usize = 6;

/// Customers' files that may be on their way at a time: some 12 MB each.
const TRANSFERS: usize = 8;

/// Pause after a 429 that names none.
pub const DEFAULT_PAUSE: Duration = Duration::from_secs(2);

/// Name of the Key Vault secret that signs `clientState`.
pub const CLIENT_STATE_SECRET: &str = "graph-client-state";

/// Name of the Key Vault secret with which Genesys signs webhooks.
pub const WEBHOOK_SECRET: &str = "genesys-webhook-secret";

/// Settings, clients and caches of one process. Memory is only a cache: nothing here is needed after a crash.
#[derive(Debug)]
pub struct App {
    /// The checked settings.
    pub settings: Settings,
    /// Tokens of the Function App's own identity.
    pub identity: Arc<ManagedIdentity>,
    /// The vault, for writing.
    pub key_vault: Arc<KeyVault>,
    /// Cached secrets.
    pub secrets: Arc<Secrets>,
    /// Checks of Graph's validation tokens.
    pub validator: TokenValidator,
    /// Tokens of the Support Users.
    pub delegated: DelegatedTokens,
    /// Microsoft Graph.
    pub graph: Graph,
    /// Genesys Cloud.
    pub genesys: Genesys,
    /// The queues.
    pub bus: ServiceBus,
    /// The data storage account.
    pub blobs: Blobs,
    /// Files that people send, wherever they lie.
    pub files: Files,
    /// How many customers' files may be on their way at a time.
    pub transfers: Semaphore,
    /// How many agents' messages may hold pictures in memory at a time.
    pub pictures: Semaphore,
    /// Private keys of rich notifications.
    pub keys: NotificationKeys,
    /// Threads known to exist.
    pub threads: ThreadCache,
    /// Pace and pauses by throttle key.
    pub pauses: Pauses,
    /// Services that are down.
    pub outages: Outages,
    /// Whom the services served lately.
    pub successes: Latest,
    /// Whom they failed lately.
    pub failures: Latest,
    /// Chats whose files kept their lane waiting lately.
    pub slow_files: Lately,
    /// Chats that were given up on lately.
    pub failing_chats: Lately,
    /// Posts to Genesys that no state knows yet.
    pub unsaved: Unsaved,
    /// Counts for the health route.
    pub counters: Counters,
    /// Told at each ping of the host.
    pub greeted: Notify,
}

impl App {
    /// Builds the clients; nothing is called yet.
    ///
    /// # Errors
    /// The TLS roots or the managed identity's endpoint are not usable.
    pub fn build(settings: Settings) -> Result<Self, ServiceError> {
        let client = services::http::client()?;
        let identity = Arc::new(ManagedIdentity::new(
            client.clone(),
            &settings.identity_client_id,
        )?);
        let key_vault = Arc::new(KeyVault::new(
            client.clone(),
            &settings.key_vault_url,
            Arc::clone(&identity),
        ));
        let secrets = Arc::new(Secrets::new(Arc::clone(&key_vault)));
        let authentication = match settings.graph_client_authentication {
            GraphClientAuthentication::Federated => ClientAuthentication::Federated,
            GraphClientAuthentication::Secret => ClientAuthentication::Secret,
        };
        let tenant = settings.tenant.as_str();
        Ok(Self {
            validator: TokenValidator::new(
                client.clone(),
                &settings.entra_endpoint,
                tenant,
                &settings.graph_client_id,
            ),
            delegated: DelegatedTokens::new(
                client.clone(),
                &settings.entra_endpoint,
                tenant,
                &settings.graph_client_id,
                authentication,
                Arc::clone(&identity),
                Arc::clone(&secrets),
            ),
            graph: Graph::new(client.clone(), &settings.graph_endpoint),
            genesys: Genesys::new(
                client.clone(),
                &settings.genesys_api_endpoint,
                &settings.genesys_login_endpoint,
                &settings.genesys_integration_id,
                &settings.genesys_client_id,
                Arc::clone(&secrets),
            ),
            bus: ServiceBus::new(
                client.clone(),
                &settings.service_bus_namespace,
                Arc::clone(&identity),
            ),
            files: Files::new(
                client.clone(),
                Rules {
                    origins: settings.file_origins.clone(),
                    hosts: settings.file_hosts.clone(),
                },
            )?,
            transfers: Semaphore::new(TRANSFERS),
            pictures: Semaphore::new(MESSAGES_WITH_PICTURES),
            slow_files: Lately::default(),
            blobs: Blobs::new(client, &settings.blob_endpoint, Arc::clone(&identity))?,
            keys: NotificationKeys::new(Arc::clone(&secrets)),
            threads: ThreadCache::default(),
            pauses: Pauses::default(),
            outages: Outages::default(),
            successes: Latest::default(),
            failures: Latest::default(),
            failing_chats: Lately::default(),
            unsaved: Unsaved::default(),
            counters: Counters::default(),
            greeted: Notify::new(),
            identity,
            key_vault,
            secrets,
            settings,
        })
    }

    /// Notes that a service did its part for a message of this subject.
    pub fn served(&self, work: Work, service: Service, subject: &Digest) {
        self.outages.succeeded(service);
        self.successes.note((work, service), subject);
        self.failures.forget((work, service), subject);
    }

    /// Decides whether another attempt can help after an error of Graph or Genesys, and passes on a wish to be left alone.
    pub async fn judge(&self, error: ServiceError, key: &str, rate: Rate) -> Failure {
        match error.kind {
            ErrorKind::Throttled => {
                let pause = error.retry_after.unwrap_or(DEFAULT_PAUSE);
                self.pauses.pause(&self.blobs, key, rate, pause).await;
                Failure::Retriable(error)
            }
            ErrorKind::Rejected | ErrorKind::TooLarge
                if matches!(error.service, Service::Graph | Service::Genesys) =>
            {
                let explanation = format!("{} refused the message", error.service);
                let code = receipt_code(&error.kind);
                Failure::Permanent(Rejection::of_service("refused", explanation, code, &error))
            }
            _ => Failure::Retriable(error),
        }
    }

    /// Reads in the background what the webhooks need for their verdicts, until it is there, while the handler already
    /// listens: the first requests after a cold start wait for it instead of starting it.
    pub fn warm_up(self: &Arc<Self>) {
        let app = Arc::clone(self);
        tokio::spawn(async move {
            // The host calls nobody before its first ping is answered, so that answer comes first.
            let _ = timeout(FIRST_PING, app.greeted.notified()).await;
            tokio::join!(
                until_done(|| app.secrets.pair(CLIENT_STATE_SECRET)),
                until_done(|| app.secrets.pair(WEBHOOK_SECRET)),
                until_done(|| app.validator.warm_up()),
                until_done(|| app.bus.warm_up()),
            );
            tracing::info!(event = "warmed_up", "secrets and signing keys are loaded");
        });
    }
}

/// Throttle key of a Support User's posts.
pub fn graph_key(account: &str) -> String {
    format!("graph-user-{account}")
}

/// Throttle key of our Genesys client.
pub const GENESYS_KEY: &str = "genesys-client";

async fn until_done<F, T>(mut load: impl FnMut() -> F)
where
    F: Future<Output = Result<T, ServiceError>>,
{
    let mut wait = Duration::from_millis(200);
    while let Err(error) = load().await {
        let service = error.service.to_string();
        tracing::warn!(
            event = "warm_up_failed",
            service,
            kind = error.kind.label(),
            "will be tried again"
        );
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(15));
    }
}
