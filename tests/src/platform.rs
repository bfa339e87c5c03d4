//! A local platform with its handler processes, as one test sees it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::blocking;
use crate::files::sha256;
use crate::people::{Chat, Customer};
use crate::running::{self, Account, Running};
use crate::view;

/// Longest wait for anything; far above what a busy machine needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// For [`Platform::shared_with`]: the other value of each setting that decides what is told to the agent, and notifications
/// without content.
pub const OTHER_POLICIES: &[&str] = &[
    "--basic-notifications",
    "--set",
    "GROUP_CHATS=all",
    "--set",
    "REPLY_CONTEXT=strip",
    "--set",
    "REACTIONS=on",
    "--set",
    "THREAD_WINDOW_POLICY=new",
];

/// For [`Platform::shared_with`]: no group chats, and a flow that answers at once.
pub const GREETED_ALONE: &[&str] = &["--genesys-greeting", "Welcome!", "--set", "GROUP_CHATS=off"];

/// For [`Platform::shared_with`]: narrow limits of files.
pub const STRICT_FILES: &[&str] = &[
    "--set",
    "ATTACHMENT_LIMIT_MB=1",
    "--set",
    "FILE_HOSTS=localhost,*.sharepoint.com",
    "--set",
    "FILE_TIMEOUT_SECONDS=5",
    "--set",
    "GENESYS_MEDIA_TYPES=image/*,text/*",
];

/// Answers to posts are soon taken for lost, and what failed comes back at once.
pub const SHORT_POSTS: &[&str] = &[
    "--set",
    "GRAPH_POST_TIMEOUT_SECONDS=1",
    "--set",
    "RETRY_FLOOR_SECONDS=0",
];

/// A running platform. It can be the test's own, or shared: then the test has a Support User of its own, and sees the
/// conversations, failed messages and lanes of its own chats only.
#[derive(Debug)]
pub struct Platform {
    /// `http://127.0.0.1:port`.
    pub address: String,
    /// The Support User that the test's customers write to.
    pub account: Account,
    client: reqwest::Client,
    used: Mutex<Used>,
    /// The id of the faults that the test has ordered.
    ordered: Mutex<Option<u64>>,
    own: Option<Running>,
}

/// The chats and threads that a test has used.
#[derive(Debug, Default)]
struct Used {
    /// As events name them.
    ids: BTreeSet<String>,
    /// As logs, lanes and failed messages name them.
    digests: BTreeSet<String>,
}

impl Used {
    fn thread(&mut self, thread: &str) {
        let digests = ["thread", "unroutable"].map(|namespace| digest(namespace, thread));
        self.ids.insert(thread.to_owned());
        self.digests.extend(digests);
    }

    fn chat(&mut self, chat: &Chat, account: &str, customer: &Customer) {
        let id = digest("chat", &chat.id);
        self.thread(&format!("teams:{account}:{}", customer.user));
        self.thread(&format!("teams-chat:{account}:{id}"));
        let notices = digest("notices", &format!("{account}\n{}", chat.id));
        self.ids.insert(chat.id.clone());
        self.digests.extend([id, notices]);
    }
}

/// The documented digest: the first half of a SHA-256 over a namespace and a text.
fn digest(namespace: &str, text: &str) -> String {
    sha256(format!("{namespace}\n{text}").as_bytes())[..32].to_owned()
}

impl Platform {
    /// Starts a platform with the defaults and these further arguments for one test alone: for what concerns all that a
    /// handler does, such as its end, its counters, or the failure of a whole service.
    pub async fn start(arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|it| (*it).to_owned()).collect();
        let start = move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            Running::start(&arguments)
        };
        let running = blocking(start).await;
        let address = running.address.clone();
        Self::connected(address, Account::default(), Some(running)).await
    }

    /// The platform that tests share which need nothing but the defaults.
    pub async fn shared() -> Self {
        Self::shared_with(&["--set", "RETRY_FLOOR_SECONDS=0"]).await
    }

    /// The platform that tests share which need the same further arguments.
    pub async fn shared_with(arguments: &'static [&'static str]) -> Self {
        let (address, account) = blocking(|| running::shared(arguments)).await;
        Self::connected(address, account, None).await
    }

    async fn connected(address: String, account: Account, own: Option<Running>) -> Self {
        let authority = crate::loopback_client()
            .get(format!("{address}/local/authority"))
            .send()
            .await
            .expect("the platform answers")
            .bytes()
            .await
            .expect("a certificate");
        Self {
            address,
            account,
            client: crate::client_trusting(&authority),
            used: Mutex::default(),
            ordered: Mutex::default(),
            own,
        }
    }

    /// Thread id of a customer's one-to-one chat.
    #[must_use]
    pub fn thread_of(&self, customer: &Customer) -> String {
        format!("teams:{}:{}", self.account.name, customer.user)
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this text names one of the test's chats or threads by its digest. On a platform of the test's own all are.
    fn concerns(&self, text: &str) -> bool {
        let digests = &self.used().digests;
        self.own.is_some() || digests.iter().any(|digest| text.contains(digest))
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

    /// Takes the customer's chat for the test's own before anybody has written there.
    pub fn expects(&self, chat: &Chat, customer: &Customer) {
        self.used().chat(chat, &self.account.name, customer);
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
        if let Some(id) = self.order(ordered) {
            let path = format!("/local/faults/{id}");
            let (status, value) = self.request(Method::DELETE, &path, None).await;
            assert!(status.is_success(), "{path}: {status} {value}");
        }
    }

    fn order(&self, id: Option<u64>) -> Option<u64> {
        let mut ordered = self.ordered.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut ordered, id)
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
        let mut body = json!({ "from": customer.to_json(), "html": html, "chat_type": chat.kind,
            "support_account": self.account.name });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let account = body["support_account"].as_str().expect("a name");
        self.used().chat(chat, account, customer);
        let path = format!("/local/teams/chats/{}/messages", chat.segment());
        let answer = self.post(&path, body).await;
        answer["message"].as_str().expect("a message id").to_owned()
    }

    /// The agent writes; returns the Genesys message id.
    pub async fn agent_writes(&self, thread: &str, text: &str) -> String {
        self.agent_sends(thread, json!({ "text": text })).await
    }

    /// The agent sends a message with anything that the control interface takes; returns the Genesys message id.
    pub async fn agent_sends(&self, thread: &str, message: Value) -> String {
        self.used().thread(thread);
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
        view::of_thread(&conversations, thread)
            .into_iter()
            .flat_map(view::messages)
            .filter(|message| message["direction"] == "inbound")
            .cloned()
            .collect()
    }

    /// Waits until the support user has posted this many messages into the chat; returns them.
    pub async fn until_posts(&self, chat: &Chat, count: usize) -> Vec<Value> {
        self.until(&format!("{count} posts in the chat"), async || {
            let view = self.chat(chat).await;
            let posts: Vec<Value> = view::messages(&view)
                .filter(|message| message["from"]["user"] == self.account.user.as_str())
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

    /// All conversations at Genesys, of a shared platform those of the test's Support User.
    pub async fn conversations(&self) -> Value {
        let threads = match &self.own {
            Some(_) => String::new(),
            None => format!("?thread=%3A{}%3A", self.account.name),
        };
        self.get(&format!("/local/genesys/conversations{threads}"))
            .await
    }

    /// Texts of the Support User's messages in the chat.
    pub async fn posts(&self, chat: &Chat) -> Vec<String> {
        view::chat_texts(&self.chat(chat).await, &self.account.user)
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
            ["journey", "chat", "conversation"]
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
            let queues = self.get("/local/queues").await;
            queues["queues"]
                .as_array()?
                .iter()
                .flat_map(|queue| queue["lanes"].as_array().cloned().unwrap_or_default())
                .all(|lane| !self.concerns(lane.as_str().unwrap_or_default()))
                .then_some(())
        })
        .await;
    }

    /// Waits until the thread's inbound texts are these; returns the conversations.
    pub async fn until_agent_sees(&self, thread: &str, texts: &[&str]) -> Value {
        self.until(&format!("the agent to see {texts:?}"), async || {
            let conversations = self.conversations().await;
            let seen: Vec<String> = view::of_thread(&conversations, thread)
                .into_iter()
                .flat_map(|conversation| view::texts(conversation, "inbound"))
                .collect();
            (seen == texts).then_some(conversations)
        })
        .await
    }

    /// Waits until the support user's messages in the chat are these.
    pub async fn until_customer_sees(&self, chat: &Chat, texts: &[&str]) {
        self.until(&format!("the customer to see {texts:?}"), async || {
            (self.posts(chat).await == texts).then_some(())
        })
        .await;
    }

    /// Waits until an agent's message has its final receipts.
    pub async fn until_receipt(&self, message: &str) -> Vec<String> {
        self.until("a receipt", async || {
            let receipts = view::receipts(&self.conversations().await, message);
            (!receipts.is_empty()).then_some(receipts)
        })
        .await
    }

    /// The failed messages of the test's chats.
    pub async fn failed(&self) -> Vec<Value> {
        let mut failed = self.get("/local/failed").await;
        let Value::Array(mut failed) = failed["failed"].take() else {
            return Vec::new();
        };
        failed.retain(|entry| self.concerns(&entry.to_string()));
        failed
    }

    /// Log lines of the handlers, parsed, as far as they name one of the test's chats.
    pub async fn logs(&self) -> Vec<Value> {
        let logs = self.get("/local/logs").await;
        logs["lines"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|line| line["line"].as_str())
            .filter(|line| self.concerns(line))
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
