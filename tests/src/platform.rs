//! A local platform with its handler processes, as one test sees it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::running::{self, Account, Running};
use crate::view::{digest, list, text};
use crate::{PATIENCE, Talk, blocking};

/// For [`Platform::shared_with`]: the other value of each setting that decides what is told to the agent, and notifications
/// without content.
pub const OTHER_POLICIES: &[&str] = &[
    "--basic-notifications",
    "--set=GROUP_CHATS=all",
    "--set=REPLY_CONTEXT=strip",
    "--set=REACTIONS=on",
    "--set=THREAD_WINDOW_POLICY=new",
];

/// For [`Platform::shared_with`]: narrow limits of files.
pub const STRICT_FILES: &[&str] = &[
    "--set=ATTACHMENT_LIMIT_MB=1",
    "--set=FILE_HOSTS=localhost,*.sharepoint.com",
    "--set=FILE_TIMEOUT_SECONDS=5",
    "--set=GENESYS_MEDIA_TYPES=image/*,text/*",
];

/// What failed comes back at once, and answers to posts and threads to appear are not waited for long.
pub const IMPATIENT: &[&str] = &[
    "--set=GRAPH_POST_TIMEOUT_SECONDS=1",
    "--set=RETRY_FLOOR_SECONDS=0",
    "--set=UNKNOWN_THREAD_SECONDS=1",
];

/// For [`Platform::shared_with`]: the log tells what is routine, too.
pub const TALKATIVE: &[&str] = &["--set=LOG_LEVEL=debug", "--set=RETRY_FLOOR_SECONDS=0"];

/// Secrets of the vault that every platform has.
const SECRETS: [&str; 6] = [
    "graph-client-state",
    "graph-notification-key",
    "graph-client-secret",
    "genesys-client-secret",
    "genesys-webhook-secret",
    "genesys-ended-secret",
];

/// A running platform. It can be the test's own, or shared: then the test has a Support User of its own, and sees the
/// conversations, failed messages and lanes of its own chats only.
#[derive(Debug)]
pub struct Platform {
    /// `http://127.0.0.1:port`.
    pub address: String,
    /// The Support User that the test's customers write to.
    pub account: Account,
    client: Client,
    used: Mutex<Used>,
    own: Option<Running>,
}

/// What a test has used.
#[derive(Debug, Default)]
struct Used {
    /// Its chats and threads as events name them.
    ids: BTreeSet<String>,
    /// The same as logs, lanes and failed messages name them.
    digests: BTreeSet<String>,
    /// Its threads with the app.
    apps: BTreeSet<String>,
    /// Its customers' names.
    names: BTreeSet<String>,
    /// The id of the faults that it has ordered.
    faults: Option<u64>,
}

impl Platform {
    /// Starts a platform with the defaults and these further arguments for one test alone: for what concerns all that a
    /// handler does, such as its end, its counters, or the failure of a whole service.
    pub async fn start(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let running = blocking(move || Running::start(&arguments)).await;
        let address = running.address.clone();
        Self::connected(address, Account::number(0), Some(running)).await
    }

    /// The platform that tests share which need nothing but the defaults.
    pub async fn shared() -> Self {
        Self::shared_with(&["--set=RETRY_FLOOR_SECONDS=0"]).await
    }

    /// The platform that tests share which need the same further arguments.
    pub async fn shared_with(arguments: &'static [&'static str]) -> Self {
        let (address, account) = blocking(|| running::shared(arguments)).await;
        Self::connected(address, account, None).await
    }

    async fn connected(address: String, account: Account, own: Option<Running>) -> Self {
        let url = format!("{address}/local/authority");
        let answer = crate::client([]).get(url).send().await;
        let authority = answer.expect("the platform answers").bytes().await;
        let authority = reqwest::Certificate::from_pem(&authority.expect("a certificate"));
        Self {
            address,
            account,
            client: crate::client(authority),
            used: Mutex::default(),
            own,
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a chat and its thread for the test's own.
    pub(crate) fn expects(&self, talk: &Talk) {
        let notices = format!("{}\n{}", talk.account.name, talk.chat);
        let mut used = self.used();
        used.ids.extend([talk.chat.clone(), talk.thread.clone()]);
        if talk.is_app() {
            used.apps.insert(talk.thread.clone());
        }
        used.names.insert(talk.customer.name.clone());
        used.digests.extend([
            digest("chat", &talk.chat),
            digest("notices", &notices),
            digest("thread", &talk.thread),
            digest("unroutable", &talk.thread),
        ]);
    }

    /// Whether this text names one of the test's chats or threads by its digest. On a platform of the test's own all are.
    fn concerns(&self, text: &str) -> bool {
        let digests = &self.used().digests;
        self.own.is_some() || digests.iter().any(|digest| text.contains(digest))
    }

    /// Asks the control interface or a route for something, with an optional JSON body; anything but a success fails the test.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let what = format!("{method} {path}");
        let mut request = self.client.request(method, self.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the platform answers");
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{what}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A client that trusts the platform's certificates.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Runs one of the handler's commands with the app's settings, and returns what it printed; a failure fails the test.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let body = json!({ "arguments": arguments });
        let ended = self.post("/local/handler/commands", body).await;
        assert_eq!(ended["code"], 0, "{ended}");
        text(&ended, "stdout").to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Reads JSON; anything but a success fails the test.
    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    /// Posts JSON; anything but a success fails the test.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(&body)).await
    }

    /// Sends JSON, or what should be, to a webhook; returns status and answer.
    pub async fn send(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        self.send_with(path, None, body).await
    }

    /// The same, with a header more.
    pub async fn send_with(
        &self,
        path: &str,
        header: Option<(&str, &str)>,
        body: impl Into<reqwest::Body>,
    ) -> (u16, String) {
        let mut request = self.client.post(self.url(path));
        request = request.header("content-type", "application/json");
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await;
        let answer = answer.expect("the platform answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap_or_default())
    }

    /// Sends a notification as Graph does; returns the status.
    pub async fn notify(&self, notification: &Value) -> u16 {
        let body = notification.to_string();
        self.send("/api/graph/notifications", body).await.0
    }

    /// Bytes and headers of an address: a link that the bridge made, or a path of the platform.
    pub async fn fetch(&self, address: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
        let address = match address.starts_with('/') {
            true => self.url(address),
            false => address.to_owned(),
        };
        let answer = self.client.get(address).send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.expect("a body").to_vec();
        (status, headers, bytes)
    }

    /// Replaces the test's fault rules. On a shared platform each must name a chat or thread of the test.
    pub async fn faults(&self, rules: Value) {
        let all = rules.as_array().expect("a list of rules");
        for rule in all.iter().map(Value::to_string) {
            let scoped = self.own.is_some() || self.used().ids.iter().any(|id| rule.contains(id));
            assert!(scoped, "this would strike other tests: {rule}");
        }
        let mut ordered = None;
        if !all.is_empty() {
            let answer = self.post("/local/faults", json!({ "rules": rules })).await;
            ordered = answer["id"].as_u64();
        }
        // The old rules go last, so that nothing slips through between them and the new ones.
        let before = std::mem::replace(&mut self.used().faults, ordered);
        if let Some(id) = before {
            let path = format!("/local/faults/{id}");
            self.call(Method::DELETE, &path, None).await;
        }
    }

    /// Kills the handler, which the host then starts again.
    pub async fn kill_handler(&self) {
        self.post("/local/handler/kill", json!({})).await;
    }

    /// A figure among those that the handler shows of itself.
    pub async fn counter(&self, name: &str) -> u64 {
        let health = self.get("/api/health").await;
        health["counters"][name].as_u64().expect("a counter")
    }

    /// All conversations at Genesys, of a shared platform those of the test's Support User and of its chats with the app.
    pub async fn conversations(&self) -> Vec<Value> {
        const PATH: &str = "/local/genesys/conversations";
        if self.own.is_some() {
            return list(self.get(PATH).await, "conversations");
        }
        let mut wanted = vec![format!(":{}:", self.account.name)];
        wanted.extend(self.used().apps.iter().cloned());
        let mut all = Vec::new();
        for thread in wanted {
            let path = format!("{PATH}?thread={}", thread.replace(':', "%3A"));
            all.extend(list(self.get(&path).await, "conversations"));
        }
        all
    }

    /// The messages of all conversations, each with its thread.
    async fn messages(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for conversation in self.conversations().await {
            let thread = conversation["thread"].clone();
            for mut message in list(conversation, "messages") {
                message["thread"] = thread.clone();
                all.push(message);
            }
        }
        all
    }

    /// Those of them that came from customers.
    pub async fn inbound(&self) -> Vec<Value> {
        let mut messages = self.messages().await;
        messages.retain(|message| message["direction"] == "inbound");
        messages
    }

    /// Waits until `look` finds something, looking again after each of the platform's events.
    pub async fn until<T, L>(&self, what: &str, mut look: L) -> T
    where
        L: AsyncFnMut() -> Option<T>,
    {
        let deadline = Instant::now() + PATIENCE;
        let events = self.client.get(self.url("/local/events")).send().await;
        let mut events = events.expect("an event stream").bytes_stream();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            loop {
                match timeout_at(deadline, events.next()).await {
                    Ok(Some(Ok(event))) if self.may_matter(&event) => break,
                    Ok(Some(Ok(_))) => {}
                    Ok(_) => panic!("the event stream ended while waiting for {what}"),
                    Err(_) => panic!("waited too long for {what}: {}", self.diagnosis().await),
                }
            }
        }
    }

    /// Whether these events can be a reason to look again. On a shared platform most are about the chats of other tests.
    fn may_matter(&self, events: &[u8]) -> bool {
        let of_one_chat = |line: &str| {
            ["journey", "chat", "conversation", "bot"]
                .iter()
                .any(|kind| line.contains(&format!("\"kind\":\"{kind}\"")))
        };
        let ids = &self.used().ids;
        String::from_utf8_lossy(events)
            .lines()
            .filter(|line| !line.is_empty())
            .any(|line| {
                self.own.is_some() || !of_one_chat(line) || ids.iter().any(|id| line.contains(id))
            })
    }

    /// Waits until the test's lanes hold nothing and none of them is at work.
    pub async fn until_idle(&self) {
        self.until("empty queues", async || {
            let queues = list(self.get("/local/queues").await, "queues");
            let lanes = queues.into_iter().flat_map(|queue| list(queue, "lanes"));
            let mut lanes = lanes.filter(|lane| self.concerns(lane.as_str().unwrap_or_default()));
            lanes.next().is_none().then_some(())
        })
        .await;
    }

    /// Waits until an agent's message has its final receipts: status, and reason where there is one.
    pub async fn until_receipt(&self, message: &str) -> Vec<String> {
        self.until("a receipt", async || {
            let messages = self.messages().await.into_iter();
            let receipts: Vec<String> = messages
                .filter(|candidate| candidate["id"] == message)
                .flat_map(|message| list(message, "receipts"))
                .map(|receipt| match receipt["reason"].as_str() {
                    Some(reason) => format!("{}:{reason}", text(&receipt, "status")),
                    None => text(&receipt, "status").to_owned(),
                })
                .collect();
            (!receipts.is_empty()).then_some(receipts)
        })
        .await
    }

    /// The failed messages of the test's chats.
    pub async fn failed(&self) -> Vec<Value> {
        let mut failed = list(self.get("/local/failed").await, "failed");
        failed.retain(|entry| self.concerns(&entry.to_string()));
        failed
    }

    /// Waits until there are so many failed messages; returns the kinds of their failures, sorted.
    pub async fn until_failed(&self, count: usize) -> Vec<String> {
        self.until(&format!("{count} failed messages"), async || {
            let failed = self.failed().await;
            let kinds = failed.iter().map(|entry| text(&entry["body"], "kind"));
            let mut kinds: Vec<String> = kinds.map(str::to_owned).collect();
            kinds.sort();
            (kinds.len() >= count).then_some(kinds)
        })
        .await
    }

    /// Fails the test when a message of it failed, or a handler's log tells what is nobody's business.
    pub async fn assert_nothing_failed(&self) {
        assert_eq!(self.failed().await, [Value::Null; 0]);
        self.assert_logs_are_discreet().await;
    }

    /// No secret of the vault, no id of a chat or person, and no address of a person is in the log.
    pub async fn assert_logs_are_discreet(&self) {
        let mut hidden = {
            let used = self.used();
            Vec::from_iter(used.ids.union(&used.names).cloned())
        };
        let refresh_token = format!("graph-refresh-token-{}", self.account.name);
        for name in SECRETS.into_iter().chain([refresh_token.as_str()]) {
            let path = format!("/local/key-vault/secrets/{name}");
            let secret = self.get(&path).await;
            // Of a key in PEM no line.
            let lines = text(&secret, "value")
                .lines()
                .filter(|it| !it.starts_with("---"));
            hidden.extend(lines.filter(|it| it.len() > 8).map(str::to_owned));
        }
        let lines = list(self.get("/local/logs").await, "lines");
        for line in lines.iter().map(|line| text(line, "line")) {
            let shown = hidden.iter().find(|it| line.contains(it.as_str()));
            assert_eq!(shown, None, "in the log: {line}");
            let is_part = |it: Option<char>| it.is_some_and(char::is_alphanumeric);
            let mut addresses = line.match_indices('@').filter(|(at, _)| {
                is_part(line[..*at].chars().next_back()) && is_part(line[at + 1..].chars().next())
            });
            assert_eq!(addresses.next(), None, "an address in the log: {line}");
        }
    }

    /// Log lines of the handlers, parsed, as far as they name one of the test's chats.
    pub async fn logs(&self) -> Vec<Value> {
        let lines = list(self.get("/local/logs").await, "lines");
        let lines = lines.iter().map(|line| text(line, "line"));
        lines
            .filter(|line| self.concerns(line))
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// [`Self::logs`], where each message that was seen is found by its correlation in all functions that it came through: those
    /// from Teams from this webhook on.
    pub async fn logs_of_journeys(&self, webhook: &str) -> Vec<Value> {
        let logs = self.logs().await;
        for journey in list(self.get("/local/journeys").await, "journeys") {
            let is_inbound = text(&journey, "direction") == "inbound";
            // A greeting comes from nobody.
            if !is_inbound && !journey.to_string().contains("\"hop\":\"webhook\"") {
                continue;
            }
            let functions = match is_inbound {
                true => [webhook, "deliver-to-genesys"],
                false => ["outbound-genesys", "deliver-to-teams"],
            };
            for function in functions {
                let mut told = logs.iter().filter(|line| line["function"] == function);
                assert!(
                    told.any(|line| line["correlation"] == journey["correlation"]),
                    "{function} is missing for {journey}"
                );
            }
        }
        logs
    }

    /// Waits until so many of them hold this value in this field; returns them.
    pub async fn until_logged(&self, field: &str, value: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} log lines with {field} {value:?}");
        self.until(&what, async || {
            let mut lines = self.logs().await;
            lines.retain(|line| line[field] == value);
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// What a person wants to see when a test fails.
    async fn diagnosis(&self) -> String {
        let queues = self.get("/local/queues").await;
        let journeys = self.get("/local/journeys").await;
        let failed = self.failed().await;
        let logs = self.logs().await;
        let last = logs.iter().rev().take(15).map(Value::to_string);
        let last = Vec::from_iter(last).join("\n");
        format!(
            "queues {queues}\njourneys {journeys:#}\nfailed {failed:#?}\nlast log lines\n{last}"
        )
    }
}
