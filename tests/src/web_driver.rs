//! A headless Chromium, driven by the W3C WebDriver protocol (W3C, "WebDriver", the few commands that a test needs).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{blocking, running};

/// Longest wait in milliseconds for something in the page; shorter than anything that waits for the browser itself.
const PATIENCE_MS: u64 = 45_000;

/// The browser, which tests use one after the other. It ends with the last of those that use it or wait for it.
#[derive(Debug)]
struct Session {
    /// `http://127.0.0.1:port/session/id`.
    address: String,
    driver: Child,
    turn: Arc<Mutex<()>>,
}

static SESSION: Mutex<Weak<Session>> = Mutex::const_new(Weak::new());

/// A tab of its own in the browser.
#[derive(Debug)]
pub struct Browser {
    session: Arc<Session>,
    client: reqwest::Client,
    _turn: OwnedMutexGuard<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        // Also when a test fails.
        if let Err(error) = self.end() {
            eprintln!("the browser may be left running: {error}");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Session {
    /// The browser that runs, or a new one.
    async fn shared() -> Arc<Self> {
        let mut shared = SESSION.lock().await;
        if let Some(session) = shared.upgrade() {
            return session;
        }
        let session = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&session);
        session
    }

    /// Starts chromedriver (`CHROMEDRIVER`, or from the path) and with it the browser.
    async fn start() -> Self {
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let (driver, port) = blocking(move || {
            let mut driver = Command::new(program);
            // "ChromeDriver was started successfully on port 12345."
            running::start(driver.arg("--port=0").stderr(Stdio::null()), |line| {
                Some(
                    line.split_once("successfully on port ")?
                        .1
                        .trim_end_matches('.'),
                )
            })
        })
        .await;
        let mut session = Self {
            address: format!("http://127.0.0.1:{port}/session"),
            driver,
            turn: Arc::default(),
        };
        let mut options = json!({ "args": ["--headless=new", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--window-size=1280,900"] });
        if let Ok(binary) = std::env::var("CHROMIUM") {
            options["binary"] = json!(binary);
        }
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let wanted = json!({ "capabilities": { "alwaysMatch": wanted } });
        let begun = session.post(&crate::client([]), "", wanted).await;
        let begun = begun.expect("the browser starts");
        let id = begun["sessionId"].as_str().expect("a session id");
        session.address = format!("{}/{id}", session.address);
        session
    }

    /// Ends the session, and with it the browser's processes, which would outlive a killed driver.
    fn end(&self) -> std::io::Result<()> {
        let rest = self.address.strip_prefix("http://").unwrap_or_default();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut connection = TcpStream::connect(authority)?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        let request =
            format!("DELETE /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes())?;
        // The answer comes when the browser has ended.
        connection.read(&mut [0; 64]).map(|_| ())
    }

    /// Runs a command; returns its value, or what it was refused with.
    async fn post(
        &self,
        client: &reqwest::Client,
        command: &str,
        body: Value,
    ) -> Result<Value, Value> {
        let request = client.post(format!("{}{command}", self.address));
        let response = request.json(&body).send().await;
        let response = response.expect("chromedriver answers");
        let success = response.status().is_success();
        let bytes = response.bytes().await.unwrap_or_default();
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let value = answer["value"].take();
        if success { Ok(value) } else { Err(value) }
    }
}

impl Browser {
    /// Waits for its turn, then opens a tab with this page.
    pub async fn open(url: &str) -> Self {
        let session = Session::shared().await;
        let turn = Arc::clone(&session.turn).lock_owned().await;
        let browser = Self {
            session,
            client: crate::client([]),
            _turn: turn,
        };
        let tab = browser.post("/window/new", json!({ "type": "tab" })).await;
        let tab = json!({ "handle": tab["handle"] });
        browser.post("/window", tab).await;
        browser.post("/url", json!({ "url": url })).await;
        let patience = json!({ "script": PATIENCE_MS });
        browser.post("/timeouts", patience).await;
        browser
    }

    /// Types into the element that the CSS selector names.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.post(&format!("{element}/value"), json!({ "text": text }))
            .await;
    }

    /// Clicks the element that the CSS selector names.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.post(&format!("{element}/click"), json!({})).await;
    }

    /// Runs a script in the page and returns its value, once it is neither null nor false: the page's own changes are
    /// watched, so nothing is asked in turns.
    pub async fn wait_for(&self, what: &str, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const look = () => {{ const found = ({expression}); if (found) {{ observer.disconnect(); done(found); }} return found; }};
             const observer = new MutationObserver(look);
             observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
             look();"
        );
        let body = json!({ "script": script, "args": [] });
        let answer = self
            .session
            .post(&self.client, "/execute/async", body)
            .await;
        answer.unwrap_or_else(|error| panic!("waited too long for {what}: {error}"))
    }

    /// The path of the element that the CSS selector names.
    async fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", wanted).await;
        let id = found.as_object().and_then(|it| it.values().next());
        let id = id.and_then(Value::as_str).expect("an element");
        format!("/element/{id}")
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        let answer = self.session.post(&self.client, command, body).await;
        answer.unwrap_or_else(|error| panic!("the browser refused {command}: {error}"))
    }
}
