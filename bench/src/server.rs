//! Starting a program under test.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::http_client::Connection;
use crate::load;
use crate::notifications::Notifications;
use crate::outside::Outside;
use crate::process::on_core;

/// Longest time until a program takes its first notification.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// A program to measure, with its environment.
pub struct Contender {
    program: String,
    environment: BTreeMap<String, String>,
}

impl Contender {
    /// The handler, with these settings and all its services at `outside`.
    pub fn handler(
        program: &Path,
        mut environment: BTreeMap<String, String>,
        outside: &Outside,
    ) -> Self {
        let url = format!("https://{}", outside.authority);
        let blobs = format!("{url}/devstoreaccount1");
        let places: [(&str, &str); 9] = [
            ("GENESYS_API_ENDPOINT", &url),
            ("GENESYS_LOGIN_ENDPOINT", &url),
            ("KEY_VAULT_URL", &url),
            ("ENTRA_ENDPOINT", &url),
            ("GRAPH_ENDPOINT", &url),
            ("BLOB_ENDPOINT", &blobs),
            ("ServiceBus__fullyQualifiedNamespace", &outside.authority),
            ("IDENTITY_ENDPOINT", &outside.identity),
            ("IDENTITY_HEADER", "bench"),
        ];
        environment.extend(places.map(|(name, place)| (name.to_owned(), place.to_owned())));
        Self::new(program, environment, outside)
    }

    /// The reference: a route that makes the same one POST and nothing else.
    pub fn bare(program: &Path, outside: &Outside) -> Self {
        let queue = format!("https://{}/inbound/messages", outside.authority);
        let environment = BTreeMap::from([("QUEUE_URL".to_owned(), queue)]);
        Self::new(program, environment, outside)
    }

    fn new(program: &Path, mut environment: BTreeMap<String, String>, outside: &Outside) -> Self {
        let roots = outside.roots.display().to_string();
        environment.insert("SSL_CERT_FILE".to_owned(), roots);
        Self {
            program: program.display().to_string(),
            environment,
        }
    }
}

/// A running program under test, killed when dropped.
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts the program on a free port, on this processor core alone when one is given.
    pub fn start(contender: &Contender, core: Option<usize>) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = match core {
            Some(core) => on_core(core, &contender.program),
            None => Command::new(&contender.program),
        };
        let mut child = command
            .env_clear()
            .envs(&contender.environment)
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", contender.program))?;
        // As the Functions host does: whatever the handler prints is read.
        if let Some(mut output) = child.stdout.take() {
            thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        }
        Ok(Self { child, port })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a notification is accepted: by then secrets and tokens are loaded.
    pub async fn ready(&self, notifications: &Notifications) -> Result<()> {
        let begun = Instant::now();
        let mut last = String::from("no answer");
        while begun.elapsed() < READY_LIMIT {
            if let Ok(mut connection) = Connection::open(self.port).await {
                match connection.send(&notifications.next()).await {
                    Ok(202) => return Ok(()),
                    Ok(status) => last = status.to_string(),
                    Err(error) => last = error.to_string(),
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!(
            "the program under test accepted no notification within {READY_LIMIT:?}; last: {last}"
        );
    }

    /// Waits until it has answered requests and is idle again.
    pub async fn until_idle(&self, notifications: &Notifications) -> Result<()> {
        self.ready(notifications).await?;
        load::open_loop(self.port, notifications, 200, |number| number < 200).await?;
        // Idle: what a runtime does after its last request is done within a moment.
        tokio::time::sleep(Duration::from_secs(2)).await;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
