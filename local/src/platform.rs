//! Puts the local platform together, and takes it apart again.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::azure_cli;
use crate::azurite::Azurite;
use crate::blob_front;
use crate::blobs::Blobs;
use crate::bot;
use crate::control::{self, Control};
use crate::entra;
use crate::front::with_faults;
use crate::genesys;
use crate::graph;
use crate::host::app::App;
use crate::host::{self, Host, Outcome, Surroundings};
use crate::hub::FaultService;
use crate::key_vault;
use crate::options::Options;
use crate::resource_manager;
use crate::service_bus::{self, ServiceBus};
use crate::settings;
use crate::shared::clock;
use crate::shared::serve;
use crate::shared::tls::CertificateAuthority;
use crate::simulators::Simulators;
use crate::watchdog::{Guarded, Watchdog};
use crate::world::{Config, Endpoints, World};

/// Changes of the queues within this time are told as one.
const QUEUE_EVENT_PAUSE: Duration = Duration::from_millis(50);

/// The running platform.
#[derive(Debug)]
pub struct Platform {
    /// The address of the page, the function routes and the control interface, without a closing slash.
    pub address: String,
    host: Arc<Host>,
    azurite: Guarded,
    tasks: Vec<JoinHandle<()>>,
    _files: TempDir,
}

/// A port of this machine, and its address. All are bound before anything is told about them.
fn listen(scheme: &str, port: u16) -> anyhow::Result<(TcpListener, String)> {
    let listener = serve::bind(port).with_context(|| format!("port {port} is taken"))?;
    let address = format!("{scheme}://127.0.0.1:{}", serve::port(&listener)?);
    Ok((listener, address))
}

impl Platform {
    /// Starts everything; returns when every handler answers and all is seeded.
    ///
    /// # Errors
    /// A line that says what could not be started and why. Nothing is left running then.
    pub async fn start(options: &Options) -> anyhow::Result<Self> {
        options.check()?;
        let watchdog =
            Watchdog::start(options.watchdog.as_deref()).context("cannot start the watchdog")?;
        // For this user only. Other processes read certificates from it.
        let files = tempfile::Builder::new()
            .prefix("graph-to-open-")
            .tempdir()?;
        watchdog.guard_directory(files.path());
        let (public, address) = listen("http", options.port)?;
        let (identity_port, identity) = listen("http", 0)?;
        let (graph_port, graph) = listen("https", 0)?;
        let (files_port, files_address) = listen("https", 0)?;
        let (genesys_port, genesys) = listen("https", 0)?;
        let (media_port, genesys_downloads) = listen("https", 0)?;
        let (bot_port, bot) = listen("https", 0)?;
        let (entra_port, entra) = listen("https", 0)?;
        let (vault_port, key_vault) = listen("https", 0)?;
        let (manager_port, resource_manager) = listen("https", 0)?;
        let (bus_port, service_bus) = listen("https", 0)?;
        let (secure_port, secure) = listen("https", 0)?;
        let authority = CertificateAuthority::new()?;
        let authority_file = files.path().join("authority.pem");
        std::fs::write(&authority_file, authority.certificate_pem())?;
        let mut azurite = Azurite::start(&options.azurite, &authority, files.path(), &watchdog)?;
        let endpoints = Endpoints {
            functions: options.functions.clone().unwrap_or(address.clone()),
            secure_functions: secure.clone(),
            graph,
            files: files_address,
            genesys,
            genesys_downloads,
            bot,
            entra,
            key_vault,
            resource_manager,
            service_bus,
            identity: format!("{identity}/msi/token"),
            identity_header: Uuid::new_v4().simple().to_string(),
        };

        let mut settings = settings::read(&options.app_root)?;
        settings::point_at(&mut settings, &endpoints);
        settings.extend(options.settings.iter().cloned());
        let app = App::read(&options.app_root, &settings)?;
        let config = Config {
            crm: options.crm,
            basic_notifications: options.basic_notifications,
            no_secrets: options.no_secrets.clone(),
            genesys_rate_limit: options.genesys_rate_limit,
            genesys_greeting: options.genesys_greeting.clone(),
            speed: options.speed,
            ..Config::from_settings(&settings)?
        };

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
        let mut serve_tls = |listener, service, router| {
            let router = with_faults(router, &world, service);
            let task = serve::serve_tls(listener, router, Arc::clone(&certificate));
            task.map(|task| tasks.push(task))
        };
        let Simulators {
            entra,
            key_vault,
            resource_manager,
            graph,
            bot,
            genesys,
        } = &simulators;
        serve_tls(graph_port, FaultService::Graph, graph::router(graph))?;
        serve_tls(files_port, FaultService::Files, graph::downloads(graph))?;
        serve_tls(bot_port, FaultService::Bot, bot::router(bot))?;
        serve_tls(
            genesys_port,
            FaultService::Genesys,
            genesys::router(genesys),
        )?;
        serve_tls(
            media_port,
            FaultService::GenesysMedia,
            genesys::downloads(genesys),
        )?;
        serve_tls(entra_port, FaultService::Entra, entra::router(entra))?;
        serve_tls(
            vault_port,
            FaultService::KeyVault,
            key_vault::router(key_vault),
        )?;
        serve_tls(
            manager_port,
            FaultService::ResourceManager,
            resource_manager::router(resource_manager),
        )?;
        serve_tls(
            bus_port,
            FaultService::ServiceBus,
            service_bus::router(&bus, entra),
        )?;
        let blob = match options.blob_faults {
            true => {
                let (port, front) = listen("https", 0)?;
                let (origin, account) = blob.rsplit_once('/').context("no account of Azurite")?;
                let router = blob_front::router(world.authority.client()?, origin);
                serve_tls(port, FaultService::Blob, router)?;
                format!("{front}/{account}")
            }
            false => blob,
        };
        let identity = entra::identity_router(entra);
        let identity = with_faults(identity, &world, FaultService::Identity);
        tasks.push(serve::serve_plain(identity_port, identity)?);

        settings.insert("BLOB_ENDPOINT".to_owned(), blob);
        settings.extend(options.settings.iter().cloned());
        resource_manager.deploy(&settings, app.names());
        let programs = azure_cli::install(files.path(), entra)?;
        let path = std::env::var("PATH").unwrap_or_default();
        for (name, value) in [
            ("PATH", format!("{}:{path}", programs.display())),
            (
                "RESOURCE_MANAGER_ENDPOINT",
                world.endpoints.resource_manager.clone(),
            ),
            ("IDENTITY_ENDPOINT", world.endpoints.identity.clone()),
            ("IDENTITY_HEADER", world.endpoints.identity_header.clone()),
            ("SSL_CERT_FILE", authority_file.display().to_string()),
        ] {
            settings.insert(name.to_owned(), value);
        }
        // Host and port, as Core Tools have it; another host tells its own.
        if options.functions.is_none() {
            let own = address.replace("http://", "");
            settings.insert("WEBSITE_HOSTNAME".to_owned(), own);
        }
        let clock = world.clock.variable();
        settings.extend(clock.map(|it| (clock::VARIABLE.to_owned(), it)));
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
        let instances = match options.functions {
            Some(_) => 0,
            None => usize::from(options.instances),
        };
        let host = Host::start(around, instances);
        let ((), host) = tokio::try_join!(blobs.create_containers(), host)?;
        // As Azure has it: what asks from outside insists on it.
        let functions = host::router(Arc::clone(&host));
        let task = serve::serve_tls(secure_port, functions, certificate);
        tasks.push(task?);
        let control = Arc::new(Control {
            world: Arc::clone(&world),
            secure,
            host: Arc::clone(&host),
            bus: Arc::clone(&bus),
            blobs,
            simulators: simulators.clone(),
        });
        let page = control::router(control, serve::port(&public)?, &options.azurite);
        let page = page.fallback_service(host::router(Arc::clone(&host)));
        tasks.push(serve::serve_plain(public, page)?);
        tasks.push(tokio::spawn(tell_queues(world, bus)));
        // Only now: Graph asks the handler for a validation token first.
        let subscribed = match options.subscribe {
            true => subscribe(&host, &simulators).await,
            false => Ok(()),
        };
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

/// Has the app subscribe as its timer would do it some minutes later; for an app without that timer the platform does it.
async fn subscribe(host: &Host, simulators: &Simulators) -> anyhow::Result<()> {
    match host.fire_timer("subscription-renewal").await {
        Some(Outcome::Success(..)) => Ok(()),
        Some(Outcome::Failure(words)) => {
            anyhow::bail!("subscription-renewal did not succeed: {words}")
        }
        None => simulators.graph.subscribe().await,
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
