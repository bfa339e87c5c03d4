//! The local platform with real handlers, for measures of the whole way.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

use crate::Arguments;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// A running local platform, which ends when its standard input closes.
pub struct Platform {
    child: Child,
    address: String,
    client: reqwest::Client,
}

/// A customer with a chat of its own.
pub struct Customer(pub u32);

impl Customer {
    fn user(&self) -> String {
        format!("0f0e0d0c-0000-4000-8000-{:012x}", self.0)
    }

    /// Path of the messages in the chat.
    pub fn chat(&self) -> String {
        let user = self.user();
        format!("/local/teams/chats/19%3A{user}_support%40unq.gbl.spaces/messages")
    }

    /// Path of the messages that an agent writes to this customer.
    pub fn thread(&self) -> String {
        let user = self.user();
        format!("/local/genesys/threads/teams%3Asupport%3A{user}/messages")
    }

    /// A message of this customer, with these fields beside the sender.
    pub fn message(&self, mut fields: Value) -> Value {
        fields["from"] = json!({
            "user": self.user(),
            "name": "Anna",
            "tenant": "be9c1b6e-0000-4000-8000-c0ffee000002",
            "upn": "anna@customer.example",
        });
        fields
    }
}

impl Platform {
    /// Starts it on free ports with these further arguments, and waits until it is ready.
    pub fn start(programs: &Arguments, further: &[&str]) -> Result<Self> {
        let mut child = Command::new(&programs.local_platform)
            .args(["--port", "0", "--until-stdin-closes"])
            .arg("--handler")
            .arg(&programs.handler)
            .arg("--app-root")
            .arg(&programs.app_root)
            .arg("--azurite")
            .arg(&programs.azurite)
            .args(further)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the local platform")?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = loop {
            let line = lines.next().context("the platform ended")??;
            if let Some(address) = line.strip_prefix("ready ") {
                break address.trim_end_matches('/').to_owned();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::Client::builder()
            .tls_certs_only(std::iter::empty())
            .no_proxy()
            .build()?;
        Ok(Self {
            child,
            address,
            client,
        })
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Reads what the control interface shows.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, &Value::Null).await
    }

    /// Asks the control interface for something; `Null` where its answer has no body.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let request = self.client.request(method, self.url(path)).json(body);
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    /// Waits until `look` finds something.
    pub async fn until<T>(
        &self,
        what: &str,
        mut look: impl AsyncFnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if Instant::now() > deadline {
                bail!("waited too long for {what}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until nothing lies in a queue.
    pub async fn until_idle(&self) -> Result<()> {
        self.until("empty queues", async || {
            let view = self.get("/local/queues").await?;
            let queues = view["queues"].as_array().context("no queues")?;
            Ok(queues
                .iter()
                .all(|queue| queue["active"] == 0 && queue["scheduled"] == 0)
                .then_some(()))
        })
        .await
    }

    /// Process id of the first handler.
    pub async fn handler(&self) -> Result<u32> {
        let view = self.get("/local/instances").await?;
        let process = view["instances"][0]["pid"].as_u64();
        Ok(process.context("the handler's process id")?.try_into()?)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
