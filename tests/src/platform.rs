//! One local platform with its handler processes, started for a test and gone with it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

use crate::people::{Chat, Customer};

/// Longest wait for anything; far above what a busy machine needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A running platform. Dropping it closes its standard input, at which it ends itself and its processes.
#[derive(Debug)]
pub struct Platform {
    /// `http://127.0.0.1:port`.
    pub address: String,
    client: reqwest::Client,
    _process: Child,
}

impl Platform {
    /// Starts a platform with the defaults and these further arguments, and waits until it is ready.
    pub async fn start(arguments: &[&str]) -> Self {
        let platform = program("LOCAL_PLATFORM_BIN", "local-platform");
        let handler = program("HANDLER_BIN", "handler");
        let azurite = directory("AZURITE_DIR", "target/tools/azurite");
        let mut process = Command::new(&platform)
            .args(["--port", "0", "--until-stdin-closes"])
            .arg("--handler")
            .arg(&handler)
            .arg("--app-root")
            .arg(directory("APP_ROOT", "."))
            .arg("--azurite")
            .arg(&azurite)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(false)
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", platform.display()));
        let output = process.stdout.take().expect("piped");
        let mut lines = BufReader::new(output).lines();
        let deadline = Instant::now() + PATIENCE;
        let address = loop {
            let line = timeout_at(deadline, lines.next_line())
                .await
                .expect("the platform was not ready in time")
                .expect("readable output")
                .expect("the platform ended before it was ready");
            if let Some(address) = line.strip_prefix("ready ") {
                break address.trim_end_matches('/').to_owned();
            }
        };
        // Whatever it prints later is read, so that it never blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let authority = crate::loopback_client()
            .get(format!("{address}/local/authority"))
            .send()
            .await
            .expect("the platform answers")
            .bytes()
            .await
            .expect("a certificate");
        let client = crate::client_trusting(&authority);
        Self {
            address,
            client,
            _process: process,
        }
    }

    /// Sends a request with an optional JSON body; returns status and body.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("the platform answers");
        let status = response.status();
        let bytes = response.bytes().await.unwrap_or_default();
        let value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        (status, value)
    }

    /// Sends raw bytes with headers, as a webhook's sender would.
    pub async fn send_raw(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> (StatusCode, String) {
        let mut request = self
            .client
            .post(format!("{}{path}", self.address))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("the platform answers");
        let status = response.status();
        (status, response.text().await.unwrap_or_default())
    }

    /// Reads JSON; anything but a success fails the test.
    pub async fn get(&self, path: &str) -> Value {
        let (status, value) = self.request(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path}: {status} {value}");
        value
    }

    /// Posts JSON; anything but a success fails the test.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, value) = self.request(Method::POST, path, Some(&body)).await;
        assert!(status.is_success(), "POST {path}: {status} {value}");
        value
    }

    /// Replaces the fault rules.
    pub async fn faults(&self, rules: Value) {
        let body = json!({ "rules": rules });
        let (status, value) = self
            .request(Method::PUT, "/local/faults", Some(&body))
            .await;
        assert!(status.is_success(), "faults: {status} {value}");
    }

    /// A customer writes; returns the Teams message id.
    pub async fn customer_writes(&self, chat: &Chat, customer: &Customer, html: &str) -> String {
        self.customer_writes_with(chat, customer, html, json!({}))
            .await
    }

    /// A customer writes, with further fields of the control interface.
    pub async fn customer_writes_with(
        &self,
        chat: &Chat,
        customer: &Customer,
        html: &str,
        more: Value,
    ) -> String {
        let mut body = json!({ "from": customer.to_json(), "html": html, "chat_type": chat.kind });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let path = format!("/local/teams/chats/{}/messages", chat.segment());
        let answer = self.post(&path, body).await;
        answer["message"].as_str().expect("a message id").to_owned()
    }

    /// The agent writes; returns the Genesys message id.
    pub async fn agent_writes(&self, thread: &str, text: &str) -> String {
        let path = format!(
            "/local/genesys/threads/{}/messages",
            thread.replace(':', "%3A")
        );
        let answer = self.post(&path, json!({ "text": text })).await;
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// The agent sends a message with anything that the control interface takes; returns the Genesys message id.
    pub async fn agent_sends(&self, thread: &str, message: Value) -> String {
        let path = format!(
            "/local/genesys/threads/{}/messages",
            thread.replace(':', "%3A")
        );
        let answer = self.post(&path, message).await;
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// A customer changes a message: `PATCH`, `DELETE` or a `POST` to what is below it.
    pub async fn change(
        &self,
        method: Method,
        chat: &Chat,
        message: &str,
        below: &str,
        body: Option<Value>,
    ) {
        let path = format!(
            "/local/teams/chats/{}/messages/{message}{below}",
            chat.segment()
        );
        let (status, value) = self.request(method, &path, body.as_ref()).await;
        assert!(status.is_success(), "{path}: {status} {value}");
    }

    /// Bytes and headers of an address: a link that the bridge made, or a path of the platform.
    pub async fn fetch(&self, address: &str) -> (StatusCode, reqwest::header::HeaderMap, Vec<u8>) {
        let address = if address.starts_with('/') {
            format!("{}{address}", self.address)
        } else {
            address.to_owned()
        };
        let response = self.client.get(address).send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body").to_vec();
        (status, headers, bytes)
    }

    /// Waits until the thread has this many inbound messages; returns them.
    pub async fn until_inbound(&self, thread: &str, count: usize) -> Vec<Value> {
        self.until(&format!("{count} messages at the agent"), async || {
            let found = self.inbound(thread).await;
            (found.len() >= count).then_some(found)
        })
        .await
    }

    /// All inbound messages of a thread.
    pub async fn inbound(&self, thread: &str) -> Vec<Value> {
        let conversations = self.conversations().await;
        crate::view::of_thread(&conversations, thread)
            .into_iter()
            .flat_map(crate::view::messages)
            .filter(|message| message["direction"] == "inbound")
            .cloned()
            .collect()
    }

    /// Waits until the support user has posted this many messages into the chat; returns them.
    pub async fn until_posts(&self, chat: &Chat, count: usize) -> Vec<Value> {
        self.until(&format!("{count} posts in the chat"), async || {
            let view = self.chat(chat).await;
            let posts: Vec<Value> = crate::view::messages(&view)
                .filter(|message| message["from"]["user"] == SUPPORT_USER)
                .cloned()
                .collect();
            (posts.len() >= count).then_some(posts)
        })
        .await
    }

    /// The chat as Teams shows it.
    pub async fn chat(&self, chat: &Chat) -> Value {
        let path = format!("/local/teams/chats/{}/messages", chat.segment());
        self.get(&path).await
    }

    /// All conversations at Genesys.
    pub async fn conversations(&self) -> Value {
        self.get("/local/genesys/conversations").await
    }

    /// Waits until `look` finds something, looking again after each of the platform's events.
    pub async fn until<T, L>(&self, what: &str, mut look: L) -> T
    where
        L: AsyncFnMut() -> Option<T>,
    {
        let deadline = Instant::now() + PATIENCE;
        let response = self
            .client
            .get(format!("{}/local/events", self.address))
            .send()
            .await
            .expect("an event stream");
        let mut events = response.bytes_stream();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            match timeout_at(deadline, events.next()).await {
                Ok(Some(Ok(_))) => {}
                Ok(_) => panic!("the event stream ended while waiting for {what}"),
                Err(_) => panic!("waited too long for {what}: {}", self.diagnosis().await),
            }
        }
    }

    /// Waits until the queues hold nothing and no lane is at work.
    pub async fn until_idle(&self) {
        self.until("empty queues", async || {
            let queues = self.get("/local/queues").await;
            queues["queues"]
                .as_array()?
                .iter()
                .filter(|queue| queue["name"] != "typing")
                .all(|queue| queue["active"] == 0 && queue["scheduled"] == 0)
                .then_some(())
        })
        .await;
    }

    /// Waits until the thread's inbound texts are these; returns the conversations.
    pub async fn until_agent_sees(&self, thread: &str, texts: &[&str]) -> Value {
        self.until(&format!("the agent to see {texts:?}"), async || {
            let conversations = self.conversations().await;
            let seen: Vec<String> = crate::view::of_thread(&conversations, thread)
                .into_iter()
                .flat_map(|conversation| crate::view::texts(conversation, "inbound"))
                .collect();
            (seen == texts).then_some(conversations)
        })
        .await
    }

    /// Waits until the support user's messages in the chat are these.
    pub async fn until_customer_sees(&self, chat: &Chat, texts: &[&str]) {
        self.until(&format!("the customer to see {texts:?}"), async || {
            let view = self.chat(chat).await;
            (crate::view::chat_texts(&view, SUPPORT_USER) == texts).then_some(())
        })
        .await;
    }

    /// Waits until an agent's message has its final receipts.
    pub async fn until_receipt(&self, message: &str) -> Vec<String> {
        self.until("a receipt", async || {
            let receipts = crate::view::receipts(&self.conversations().await, message);
            (!receipts.is_empty()).then_some(receipts)
        })
        .await
    }

    /// The failed messages.
    pub async fn failed(&self) -> Vec<Value> {
        let failed = self.get("/local/failed").await;
        failed["failed"].as_array().cloned().unwrap_or_default()
    }

    /// Log lines of the handlers, parsed.
    pub async fn logs(&self) -> Vec<Value> {
        let logs = self.get("/local/logs").await;
        logs["lines"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|line| line["line"].as_str())
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// What a person wants to see when a test fails.
    async fn diagnosis(&self) -> String {
        let queues = self.get("/local/queues").await;
        let journeys = self.get("/local/journeys").await;
        let failed = self.failed().await;
        let logs: Vec<String> = self
            .logs()
            .await
            .iter()
            .rev()
            .take(15)
            .map(Value::to_string)
            .collect();
        format!(
            "queues {queues}\njourneys {journeys:#}\nfailed {failed:#?}\nlast log lines\n{}",
            logs.join("\n")
        )
    }
}

/// The default Support User of `local.settings.json`.
pub const SUPPORT_USER: &str = "00000000-0000-0000-0000-000000000004";

/// Thread id of a one-to-one chat with the default support account.
#[must_use]
pub fn thread_of(customer: &Customer) -> String {
    format!("teams:support:{}", customer.user)
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a parent")
        .to_owned()
}

fn directory(variable: &str, default: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| workspace().join(default), PathBuf::from)
}

/// A program of the workspace: named by a variable, or beside the test's own build.
fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a path");
    let built = test
        .parent()
        .and_then(Path::parent)
        .expect("a build directory")
        .join(name);
    assert!(
        built.exists(),
        "{name} is not built: run the tests through `cargo xtask test`"
    );
    built
}
