//! A headless Chromium, driven by the W3C WebDriver protocol (W3C, "WebDriver", the few commands that a test needs).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::blocking;
use crate::platform::PATIENCE;

/// Size of the window.
const WIDTH: u32 = 1280;
const HEIGHT: u32 = 900;

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

    /// Starts chromedriver and with it the browser.
    async fn start() -> Self {
        let (driver, port) = blocking(start_driver).await;
        let mut session = Self {
            address: format!("http://127.0.0.1:{port}/session"),
            driver,
            turn: Arc::default(),
        };
        let mut options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     format!("--window-size={WIDTH},{HEIGHT}")],
        });
        if let Ok(binary) = std::env::var("CHROMIUM") {
            options["binary"] = json!(binary);
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options } } });
        let client = crate::loopback_client();
        let (success, begun) = session.send(&client, Method::POST, "", Some(&wanted)).await;
        assert!(success, "the browser cannot be started: {begun}");
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

    async fn send(
        &self,
        client: &reqwest::Client,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> (bool, Value) {
        let mut request = client.request(method, format!("{}{path}", self.address));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("chromedriver answers");
        let success = response.status().is_success();
        let bytes = response.bytes().await.unwrap_or_default();
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        (success, answer["value"].take())
    }
}

/// Starts chromedriver (`CHROMEDRIVER`, or from the path); the process and its port.
fn start_driver() -> (Child, String) {
    let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
    let mut driver = Command::new(&program)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "{program} cannot be started ({error}): run the tests through `cargo xtask test`"
            )
        });
    let output = BufReader::new(driver.stdout.take().expect("piped"));
    let (ready, port) = mpsc::channel();
    std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            // "ChromeDriver was started successfully on port 12345."
            if let Some((_, port)) = line.split_once("successfully on port ") {
                let _ = ready.send(port.trim_end_matches('.').to_owned());
            }
        }
    });
    let port = port
        .recv_timeout(PATIENCE)
        .expect("chromedriver ended before it was ready, or was not ready in time");
    (driver, port)
}

impl Browser {
    /// Waits for its turn, then opens a tab with this page.
    pub async fn open(url: &str) -> Self {
        let session = Session::shared().await;
        let turn = Arc::clone(&session.turn).lock_owned().await;
        let browser = Self {
            session,
            client: crate::loopback_client(),
            _turn: turn,
        };
        let tab = browser
            .call(Method::POST, "/window/new", Some(&json!({ "type": "tab" })))
            .await;
        browser
            .call(
                Method::POST,
                "/window",
                Some(&json!({ "handle": tab["handle"] })),
            )
            .await;
        browser
            .call(Method::POST, "/url", Some(&json!({ "url": url })))
            .await;
        browser
    }

    /// Types into the element that the CSS selector names.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.call(
            Method::POST,
            &format!("/element/{element}/value"),
            Some(&json!({ "text": text })),
        )
        .await;
    }

    /// Clicks the element that the CSS selector names.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.call(
            Method::POST,
            &format!("/element/{element}/click"),
            Some(&json!({})),
        )
        .await;
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
        self.call(
            Method::POST,
            "/timeouts",
            Some(&json!({ "script": 45_000 })),
        )
        .await;
        let (status, answer) = self.send(Method::POST, "/execute/async", Some(&body)).await;
        assert!(status, "waited too long for {what}: {answer}");
        answer
    }

    async fn element(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.call(Method::POST, "/element", Some(&wanted)).await;
        let (_, id) = found
            .as_object()
            .and_then(|object| object.iter().next())
            .expect("an element");
        id.as_str().expect("an element id").to_owned()
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (success, value) = self.send(method, path, body).await;
        assert!(success, "the browser refused {path}: {value}");
        value
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (bool, Value) {
        self.session.send(&self.client, method, path, body).await
    }
}
