//! A host stand-in over the test handler, with a queue to feed it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use local::host::app::App;
use local::host::{Host, Surroundings};
use local::service_bus::broker_properties::BrokerProperties;
use local::service_bus::{Draft, Queue, ServiceBus};
use local::shared::tls::CertificateAuthority;
use local::watchdog::Watchdog;
use local::world::{Config, Endpoints, World};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a test may change.
pub struct Setup {
    /// `functionTimeout`.
    pub function_timeout: &'static str,
    pub instances: usize,
    pub lock: Duration,
    /// `maxAutoLockRenewalDuration`.
    pub lock_renewal: &'static str,
    /// `maxConcurrentSessions`.
    pub sessions: usize,
    /// `--speed`.
    pub speed: u32,
    /// `schedule` of the timer function.
    pub schedule: &'static str,
    /// One more variable for the handler.
    pub variable: (&'static str, &'static str),
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            function_timeout: "00:10:00",
            instances: 1,
            lock: Duration::from_secs(60),
            lock_renewal: "-00:00:00.0010000",
            sessions: 4,
            speed: 1,
            schedule: "0 0 0 29 2 *",
            variable: ("QUEUE", "inbound"),
        }
    }
}

/// The stand-in under test.
pub struct Stand {
    pub host: Arc<Host>,
    pub world: Arc<World>,
    queue: Arc<Queue>,
    _root: TempDir,
}

impl Stand {
    /// With one instance and otherwise like this.
    pub async fn start(setup: Setup) -> Self {
        Self::try_start(setup).await.expect("the host starts")
    }

    pub async fn try_start(setup: Setup) -> anyhow::Result<Self> {
        let root = tempfile::tempdir()?;
        write_app(root.path(), &setup);
        let config = Config {
            speed: setup.speed,
            ..Config::default()
        };
        let authority = CertificateAuthority::new()?;
        let world = World::new(config, Endpoints::nowhere(), authority);
        let bus = ServiceBus::new(Arc::clone(&world), setup.lock);
        let queue = bus.queue("inbound").expect("the queue");
        let namespace = ("ServiceBus__fullyQualifiedNamespace", "127.0.0.1:9");
        let settings = [("QUEUE", "inbound"), namespace, setup.variable];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = BTreeMap::from(settings);
        let around = Surroundings {
            app: App::read(root.path(), &settings)?,
            handler: test_handler(),
            environment: settings,
            world: Arc::clone(&world),
            bus,
            watchdog: Watchdog::default(),
        };
        Ok(Self {
            host: Host::start(around, setup.instances).await?,
            world,
            queue,
            _root: root,
        })
    }

    /// Sends a message whose body tells the handler how to behave.
    pub fn send(&self, session: &str, id: &str, order: &str) {
        let broker = BrokerProperties {
            session_id: Some(session.to_owned()),
            message_id: Some(id.to_owned()),
            correlation_id: Some(format!("correlation of {id}")),
            ..BrokerProperties::default()
        };
        let draft = Draft {
            body: order.to_owned().into(),
            broker,
            ..Draft::default()
        };
        self.queue.send(vec![draft], |_, _| {});
    }

    /// What the handlers and the host printed, oldest first.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.world.hub.logs.lines();
        lines.into_iter().map(|line| line.line).collect()
    }

    /// The calls that the handler printed, oldest first.
    pub fn calls(&self) -> Vec<Value> {
        self.printed("call ")
    }

    pub fn printed(&self, start: &str) -> Vec<Value> {
        let lines = self.lines();
        let printed = lines.iter().filter_map(|line| line.strip_prefix(start));
        printed
            .filter_map(|rest| serde_json::from_str(rest).ok())
            .collect()
    }

    /// Message and attempt of each call.
    pub fn attempts(&self) -> Vec<String> {
        let attempt = |call: &Value| {
            let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
            format!("{}#{}", text("message"), text("attempt"))
        };
        self.calls().iter().map(attempt).collect()
    }

    /// Waits until the output shows it.
    pub async fn until(&self, what: &str, look: impl Fn(&Self) -> bool) {
        let mut lines = self.world.hub.logs.subscribe();
        let found = async {
            while !look(self) {
                lines.changed().await.expect("the hub lives");
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or_else(|_| panic!("waited too long for {what}: {:#?}", self.lines()));
    }

    /// Waits until the output has this line.
    pub async fn until_line(&self, line: &str) {
        self.until(line, |stand| stand.lines().iter().any(|it| it == line))
            .await;
    }

    /// Waits until so many calls were made.
    pub async fn until_calls(&self, count: usize) {
        self.until("calls", |stand| stand.calls().len() >= count)
            .await;
    }

    /// Waits until these calls were made, in this order.
    pub async fn until_attempts(&self, wanted: &[&str]) {
        self.until_calls(wanted.len()).await;
        assert_eq!(self.attempts(), wanted);
    }

    /// The process id of the first instance's handler, when it is ready.
    pub fn pid(&self) -> Option<u64> {
        self.host.view()["instances"][0]["pid"].as_u64()
    }
}

fn write_app(root: &Path, setup: &Setup) {
    let host = json!({
        "version": "2.0",
        "functionTimeout": setup.function_timeout,
        "extensionBundle": { "id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)" },
        "extensions": { "serviceBus": { "maxConcurrentSessions": setup.sessions, "sessionIdleTimeout": "00:00:00.2",
            "maxAutoLockRenewalDuration": setup.lock_renewal } },
        "customHandler": { "description": { "defaultExecutablePath": "handler" }, "enableProxyingHttpRequest": true },
    });
    let trigger = json!({ "type": "serviceBusTrigger", "direction": "in", "name": "message", "queueName": "%QUEUE%",
        "connection": "ServiceBus", "isSessionsEnabled": true, "dataType": "binary" });
    let timer = json!({ "type": "timerTrigger", "direction": "in", "name": "timer", "schedule": setup.schedule });
    let request = json!({ "type": "httpTrigger", "direction": "in", "name": "request", "methods": ["get", "post"],
        "route": "echo" });
    let response = json!({ "type": "http", "direction": "out", "name": "response" });
    std::fs::write(root.join("host.json"), host.to_string()).expect("written");
    for (name, bindings) in [
        ("work", vec![trigger]),
        ("clock", vec![timer]),
        ("echo", vec![request, response]),
    ] {
        let folder = root.join(name);
        std::fs::create_dir(&folder).expect("a directory");
        let file = json!({ "bindings": bindings }).to_string();
        std::fs::write(folder.join("function.json"), file).expect("written");
    }
}

/// Cargo builds examples beside the tests.
fn test_handler() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let built = test.ancestors().nth(2).expect("a build directory");
    let built = built.join("examples/test-handler");
    let hint = "build it first: cargo build -p local --examples";
    assert!(built.exists(), "{hint}");
    built
}
