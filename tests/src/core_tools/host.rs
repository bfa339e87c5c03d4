//! The processes: `func start` and the Blob Storage that it keeps its own state in; and the certainty that all of them end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::Finding;
use crate::running;
use crate::view::text;

/// How long the host may take until it runs: the first time it downloads its extensions.
const START: Duration = Duration::from_secs(300);

/// How long it may take until nothing of it is left.
const END: Duration = Duration::from_secs(15);

/// Something is looked at again after each line of the host, and this long after the last look.
const NEXT_LOOK: Duration = Duration::from_millis(500);

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(30);

/// So many of the host's last lines are kept.
const KEPT: usize = 60;

/// The account of every Azurite, and its key, both published in Azurite's README.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Ends processes with all that they started: when it is dropped, and when this process is killed. It is the local platform's.
#[derive(Debug)]
pub(super) struct Watchdog {
    process: Child,
    input: Option<ChildStdin>,
}

impl Watchdog {
    pub(super) fn start() -> Self {
        // A group of its own, so that Ctrl-C in a terminal reaches us and not it.
        let process = Command::new(running::program("LOCAL_PLATFORM_BIN", "local-platform"))
            .arg("--watchdog")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn();
        let mut process = process.expect("the local platform can be started");
        let input = process.stdin.take();
        Self { process, input }
    }

    /// Takes a process that leads a group of its own.
    fn watch(&mut self, process: &Child) {
        let input = self.input.as_mut().expect("open until the end");
        writeln!(input, "+{}", process.id()).expect("the watchdog listens");
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // At the end of its input it kills, and ends.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// Blob Storage for the host's own state, without TLS: the host reads its trusted certificates before its settings.
#[derive(Debug)]
pub(super) struct Storage(String);

impl Storage {
    pub(super) fn start(watchdog: &mut Watchdog) -> Self {
        let folder = running::directory("AZURITE_DIR", "target/tools/azurite");
        let mut azurite = Command::new("node");
        azurite
            .arg(folder.join("node_modules/azurite/dist/src/blob/main.js"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args(["--inMemoryPersistence", "--disableTelemetry"])
            .arg("--skipApiVersionCheck")
            .current_dir(std::env::temp_dir())
            .process_group(0);
        let (process, address) = running::start(&mut azurite, |line| {
            Some(line.split_once("successfully listens on ")?.1)
        });
        watchdog.watch(&process);
        Self(address.trim().trim_end_matches('/').to_owned())
    }

    pub(super) fn connection_string(&self) -> String {
        let address = &self.0;
        format!(
            "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={address}/{ACCOUNT};"
        )
    }
}

/// What `func` prints.
#[derive(Debug, Default)]
struct Output {
    lines: Mutex<VecDeque<String>>,
    ended: AtomicUsize,
    /// There is a new line, or the end.
    news: Notify,
}

impl Output {
    fn read(self: &Arc<Self>, pipe: impl Read + Send + 'static) {
        let output = Arc::clone(self);
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut lines = output.lines.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == KEPT {
                    lines.pop_front();
                }
                lines.push_back(line);
                drop(lines);
                output.news.notify_one();
            }
            output.ended.fetch_add(1, Ordering::Relaxed);
            output.news.notify_one();
        });
    }

    /// Whether both of its streams are at their end.
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed) == 2
    }
}

/// A running `func start`.
#[derive(Debug)]
pub(super) struct Host {
    port: u16,
    client: Client,
    output: Arc<Output>,
    process: Child,
    watchdog: Watchdog,
}

impl Host {
    /// Starts it in the folder of the package. Its environment has none of the settings' names, since what is there counts before
    /// the settings.
    pub(super) fn start<'a>(
        func: &Path,
        package: &Path,
        port: u16,
        settings: impl IntoIterator<Item = &'a String>,
        mut watchdog: Watchdog,
    ) -> Result<Self, String> {
        let mut command = Command::new(func);
        for name in settings {
            command.env_remove(name);
        }
        // Their own question whether there is a network gives up after two seconds; a download tries several times.
        let offline = std::env::var("FUNCTIONS_CORE_TOOLS_OFFLINE");
        let process = command
            .args(["start", "--port", &port.to_string()])
            .env(
                "FUNCTIONS_CORE_TOOLS_OFFLINE",
                offline.unwrap_or_else(|_| "false".to_owned()),
            )
            .current_dir(package)
            .env("FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT", "1")
            // The services are all here, whatever proxy leads to the extensions.
            .env("NO_PROXY", "127.0.0.1,localhost")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        let mut process = process.map_err(|error| {
            format!("{} cannot be started ({error}): install Core Tools, npm ci --prefix .github/core-tools", func.display())
        })?;
        watchdog.watch(&process);
        let output = Arc::new(Output::default());
        output.read(process.stdout.take().expect("piped"));
        output.read(process.stderr.take().expect("piped"));
        Ok(Self {
            port,
            client: crate::client([]),
            output,
            process,
            watchdog,
        })
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path)).timeout(ANSWER)
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path)).timeout(ANSWER)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// JSON that the host or the handler answers with 200; nothing where there is no such answer.
    pub(super) async fn json(&self, path: &str) -> Option<Value> {
        let answer = self.get(path).send().await.ok()?;
        let is_good = answer.status() == 200;
        let body = answer.text().await.ok().filter(|_| is_good)?;
        serde_json::from_str(&body).ok()
    }

    /// Waits until the host says that it runs, which is after the handler answered it for the first time.
    pub(super) async fn until_running(&self) -> Finding {
        let mut last = "it did not answer".to_owned();
        let running = self
            .until("running", START, async || {
                let status = self.json("/admin/host/status").await?;
                last = format!("its state was {}: {}", status["state"], status["errors"]);
                (status["state"] == "Running").then_some(status)
            })
            .await;
        let status = running.map_err(|problem| format!("{problem}; {last}"))?;
        let bundle = &status["extensionBundle"];
        Ok(format!(
            "running, version {}, extensions {}",
            text(&status, "version"),
            bundle["version"].as_str().unwrap_or("of no bundle")
        ))
    }

    /// Waits until `look` finds something. The end of the host ends the waiting.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T, String> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(found) = look().await {
                return Ok(found);
            }
            if self.output.has_ended() {
                return Err(format!("Core Tools ended before: {what}"));
            }
            if Instant::now() >= deadline {
                return Err(format!("not within {} s: {what}", limit.as_secs()));
            }
            let _ = timeout(NEXT_LOOK, self.output.news.notified()).await;
        }
    }

    /// What it printed last.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let lines = &self.output.lines;
        let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    /// Ends it, and what it started: nobody listens on its port then, and nobody writes into its output.
    pub(super) async fn end(self) -> Finding {
        let Self {
            port,
            output,
            mut process,
            watchdog,
            ..
        } = self;
        crate::blocking(move || {
            drop(watchdog);
            let _ = process.wait();
        })
        .await;
        let deadline = Instant::now() + END;
        while !output.has_ended() && Instant::now() < deadline {
            let _ = timeout(NEXT_LOOK, output.news.notified()).await;
        }
        match (
            output.has_ended(),
            TcpStream::connect(("127.0.0.1", port)).await,
        ) {
            (true, Err(_)) => Ok("nothing that was started is left".to_owned()),
            (true, Ok(_)) => Err(format!("somebody still listens on port {port}")),
            (false, _) => Err("a process that Core Tools started lives on".to_owned()),
        }
    }
}
