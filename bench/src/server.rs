//! Starting a program under test.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http_client::Connection;
use crate::notifications::Notifications;
use crate::outside::Outside;

/// Longest time until a program takes its first notification.
const READY_LIMIT: Duration = Duration::from_secs(20);

/// A program to measure, with its environment.
pub struct Contender {
    program: String,
    environment: BTreeMap<String, String>,
}

impl Contender {
    /// The handler, with the local settings and all its services at `outside`.
    pub fn handler(program: &Path, app_root: &Path, outside: &Outside) -> Result<Self> {
        let file = app_root.join("local.settings.json");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let settings: Value = serde_json::from_str(&text).context("local.settings.json")?;
        let values = settings["Values"]
            .as_object()
            .context("local.settings.json holds no Values")?;
        let mut environment: BTreeMap<String, String> = values
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect();
        let url = format!("https://{}", outside.authority);
        for name in [
            "GENESYS_API_ENDPOINT",
            "GENESYS_LOGIN_ENDPOINT",
            "KEY_VAULT_URL",
            "ENTRA_ENDPOINT",
            "GRAPH_ENDPOINT",
        ] {
            environment.insert(name.to_owned(), url.clone());
        }
        environment.insert(
            "BLOB_ENDPOINT".to_owned(),
            format!("{url}/devstoreaccount1"),
        );
        environment.insert(
            "ServiceBus__fullyQualifiedNamespace".to_owned(),
            outside.authority.clone(),
        );
        environment.insert("IDENTITY_ENDPOINT".to_owned(), outside.identity.clone());
        environment.insert("IDENTITY_HEADER".to_owned(), "bench".to_owned());
        Ok(Self::new(program, environment, outside))
    }

    /// The reference: a route that makes the same one POST and nothing else.
    pub fn bare(program: &Path, outside: &Outside) -> Self {
        let queue = format!("https://{}/inbound/messages", outside.authority);
        Self::new(
            program,
            BTreeMap::from([("QUEUE_URL".to_owned(), queue)]),
            outside,
        )
    }

    fn new(program: &Path, mut environment: BTreeMap<String, String>, outside: &Outside) -> Self {
        environment.insert(
            "SSL_CERT_FILE".to_owned(),
            outside.roots.display().to_string(),
        );
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
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", &core.to_string(), &contender.program]);
                command
            }
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
            thread::spawn(move || drain(&mut output));
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
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drain(output: &mut impl Read) {
    let _ = io::copy(output, &mut io::sink());
}
