//! Puts the local platform together, and takes it apart again.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use serde_json::json;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::azurite::Azurite;
use crate::blobs::Blobs;
use crate::control::{self, Control};
use crate::entra;
use crate::front::with_faults;
use crate::genesys;
use crate::graph;
use crate::host::app::App;
use crate::host::{self, Host, Surroundings};
use crate::hub::FaultService;
use crate::key_vault;
use crate::options::Options;
use crate::service_bus::{self, ServiceBus};
use crate::settings;
use crate::shared::serve;
use crate::shared::tls::CertificateAuthority;
use crate::simulators::Simulators;
use crate::watchdog::{Guarded, Watchdog};
use crate::work_directory::WorkDirectory;
use crate::world::{Config, Endpoints, World};

/// Changes of the queues within this time are told as one.
const QUEUE_EVENT_PAUSE: Duration = Duration::from_millis(50);

/// The running platform.
#[derive(Debug)]
pub struct Platform {
    address: String,
    host: Arc<Host>,
    azurite: Guarded,
    tasks: Vec<JoinHandle<()>>,
    _files: WorkDirectory,
}

/// The services that are simulated over TLS.
const TLS: [FaultService; 7] = [
    FaultService::Graph,
    FaultService::Files,
    FaultService::Genesys,
    FaultService::GenesysMedia,
    FaultService::Entra,
    FaultService::KeyVault,
    FaultService::ServiceBus,
];

/// The ports of a run, bound before anything is told about them.
struct Listeners {
    public: TcpListener,
    identity: TcpListener,
    /// In the order of [`TLS`].
    tls: Vec<TcpListener>,
}

impl Listeners {
    fn bind(port: u16) -> anyhow::Result<Self> {
        let tls: std::io::Result<_> = TLS.iter().map(|_| serve::bind(0)).collect();
        Ok(Self {
            public: serve::bind(port).with_context(|| format!("port {port} is taken"))?,
            identity: serve::bind(0)?,
            tls: tls?,
        })
    }

    fn endpoints(&self) -> std::io::Result<Endpoints> {
        let at = |service| {
            let listeners = TLS.iter().zip(&self.tls);
            let mut found = listeners.filter(|(it, _)| **it == service);
            let (_, listener) = found.next().ok_or(std::io::ErrorKind::NotFound)?;
            Ok::<_, std::io::Error>(format!("https://127.0.0.1:{}", serve::port(listener)?))
        };
        let identity = serve::port(&self.identity)?;
        Ok(Endpoints {
            functions: format!("http://127.0.0.1:{}", serve::port(&self.public)?),
            graph: at(FaultService::Graph)?,
            files: at(FaultService::Files)?,
            genesys: at(FaultService::Genesys)?,
            genesys_downloads: at(FaultService::GenesysMedia)?,
            entra: at(FaultService::Entra)?,
            key_vault: at(FaultService::KeyVault)?,
            service_bus: at(FaultService::ServiceBus)?,
            identity: format!("http://127.0.0.1:{identity}/msi/token"),
            identity_header: Uuid::new_v4().simple().to_string(),
        })
    }
}

impl Platform {
    /// Starts everything; returns when every handler answers and all is seeded.
    ///
    /// # Errors
    /// A line that says what could not be started and why. Nothing is left running then.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        let watchdog =
            Watchdog::start(options.watchdog.as_deref()).context("cannot start the watchdog")?;
        let files = WorkDirectory::new(&watchdog)?;
        let listeners = Listeners::bind(options.port)?;
        let authority = CertificateAuthority::new()?;
        let authority_file = files.write("authority.pem", authority.certificate_pem())?;
        let mut azurite = Azurite::start(&options.azurite, &authority, &files, &watchdog)?;
        let endpoints = listeners.endpoints()?;

        let mut settings = settings::read(&options.app_root)?;
        settings::point_at(&mut settings, &endpoints);
        settings.extend(options.settings.iter().cloned());
        let app = App::read(&options.app_root, &settings)?;
        let config = Config {
            basic_notifications: options.basic_notifications,
            genesys_rate_limit: options.genesys_rate_limit,
            genesys_greeting: options.genesys_greeting.clone(),
            ..Config::from_settings(&settings)?
        };

        let port = serve::port(&listeners.public)?;
        let address = endpoints.functions.clone();
        let world = World::new(config, endpoints, authority);
        // Their keys are made while Azurite loads.
        let simulators = tokio::task::spawn_blocking({
            let world = Arc::clone(&world);
            move || Simulators::new(&world)
        });
        let blob = azurite.endpoint().await?;
        let simulators = simulators.await?;
        let azurite = azurite.count_requests(Arc::clone(&world));
        let blobs = Blobs::new(&world, &blob)?;
        let lock = Duration::from_secs(options.lock_seconds);
        let bus = ServiceBus::new(Arc::clone(&world), lock);
        let certificate = world.authority.issue()?.server_config()?;
        let mut tasks = Vec::new();
        for (service, listener) in TLS.into_iter().zip(listeners.tls) {
            let router = with_faults(routes(service, &simulators, &bus), &world, service);
            let certificate = Arc::clone(&certificate);
            tasks.push(serve::serve_tls(listener, router, certificate)?);
        }
        let identity = entra::identity_router(&simulators.entra);
        let identity = with_faults(identity, &world, FaultService::Identity);
        tasks.push(serve::serve_plain(listeners.identity, identity)?);

        settings.insert("BLOB_ENDPOINT".to_owned(), blob);
        settings.extend(options.settings.iter().cloned());
        for (name, value) in [
            ("IDENTITY_ENDPOINT", world.endpoints.identity.clone()),
            ("IDENTITY_HEADER", world.endpoints.identity_header.clone()),
            ("SSL_CERT_FILE", authority_file.display().to_string()),
        ] {
            settings.insert(name.to_owned(), value);
        }
        let handler = options.handler.canonicalize();
        let handler =
            handler.with_context(|| format!("cannot find {}", options.handler.display()))?;
        let around = Surroundings {
            app,
            handler,
            environment: settings,
            world: Arc::clone(&world),
            bus: Arc::clone(&bus),
            watchdog,
        };
        let host = Host::start(around, usize::from(options.instances));
        let ((), host) = tokio::try_join!(blobs.create_containers(), host)?;
        let control = Arc::new(Control {
            world: Arc::clone(&world),
            host: Arc::clone(&host),
            bus: Arc::clone(&bus),
            blobs,
            simulators: simulators.clone(),
        });
        let page = control::router(control, port);
        let page = page.fallback_service(host::router(Arc::clone(&host)));
        tasks.push(serve::serve_plain(listeners.public, page)?);
        tasks.push(tokio::spawn(tell_queues(world, bus)));
        // Only now: Graph asks the handler for a validation token first.
        let subscribed = simulators.graph.subscribe().await;
        let platform = Self {
            address,
            host,
            azurite,
            tasks,
            _files: files,
        };
        if let Err(error) = subscribed {
            platform.stop().await;
            return Err(error.context("Graph could not subscribe"));
        }
        Ok(platform)
    }

    /// The address of the page, the function routes and the control interface, without a closing slash.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until the platform cannot go on, and says why.
    pub async fn broken(&mut self) -> String {
        tokio::select! {
            reason = self.host.stopped() => format!("the host stopped: {reason}"),
            _ = self.azurite.child.wait() => "Azurite ended".to_owned(),
        }
    }

    /// Stops everything and waits until all processes are gone.
    pub async fn stop(self) {
        self.host.stop().await;
        for task in &self.tasks {
            task.abort();
        }
        self.azurite.kill().await;
    }
}

/// The routes of a service.
fn routes(service: FaultService, simulators: &Simulators, bus: &Arc<ServiceBus>) -> Router {
    match service {
        FaultService::Graph => graph::router(&simulators.graph),
        FaultService::Files => graph::downloads(&simulators.graph),
        FaultService::Genesys => genesys::router(&simulators.genesys),
        FaultService::GenesysMedia => genesys::downloads(&simulators.genesys),
        FaultService::Entra => entra::router(&simulators.entra),
        FaultService::KeyVault => key_vault::router(&simulators.key_vault),
        FaultService::ServiceBus => service_bus::router(bus, &simulators.entra),
        FaultService::Identity | FaultService::GraphNotification | FaultService::GenesysWebhook => {
            Router::new()
        }
    }
}

/// Tells about the queues whenever they change.
async fn tell_queues(world: Arc<World>, bus: Arc<ServiceBus>) {
    loop {
        bus.touched().await;
        tokio::time::sleep(QUEUE_EVENT_PAUSE).await;
        world.hub.event("queues", json!({ "queues": bus.view() }));
    }
}
