//! A headless Chromium, driven by the W3C WebDriver protocol (W3C, "WebDriver", the few commands that a test needs).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout_at};

use crate::platform::PATIENCE;

/// A browser window; closed when dropped.
#[derive(Debug)]
pub struct Browser {
    address: String,
    client: reqwest::Client,
    _driver: Child,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Also when a test fails; the driver is killed right after.
        if let Err(error) = self.end_session() {
            eprintln!("the browser may be left running: {error}");
        }
    }
}

impl Browser {
    /// Starts chromedriver (`CHROMEDRIVER`, or from the path) and a window of this size.
    pub async fn start(width: u32, height: u32) -> Self {
        let program = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let mut driver = Command::new(&program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program} cannot be started ({error}): run the tests through `cargo xtask test`")
            });
        let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
        let deadline = Instant::now() + PATIENCE;
        let port = loop {
            let line = timeout_at(deadline, lines.next_line())
                .await
                .expect("chromedriver was not ready in time")
                .expect("readable output")
                .expect("chromedriver ended before it was ready");
            // "ChromeDriver was started successfully on port 12345."
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = crate::loopback_client();
        let mut options = json!({
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     format!("--window-size={width},{height}")],
        });
        if let Ok(binary) = std::env::var("CHROMIUM") {
            options["binary"] = json!(binary);
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": options } } });
        let mut browser = Self {
            address: format!("http://127.0.0.1:{port}"),
            client,
            _driver: driver,
        };
        let session = browser.call(Method::POST, "/session", Some(&wanted)).await;
        let id = session["sessionId"].as_str().expect("a session id");
        browser.address = format!("{}/session/{id}", browser.address);
        browser
    }

    /// Ends the session, and with it the browser's processes, which would outlive a killed driver.
    fn end_session(&self) -> std::io::Result<()> {
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

    /// Opens a page.
    pub async fn open(&self, url: &str) {
        self.call(Method::POST, "/url", Some(&json!({ "url": url })))
            .await;
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
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.address));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("chromedriver answers");
        let success = response.status().is_success();
        let bytes = response.bytes().await.unwrap_or_default();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        (success, answer["value"].clone())
    }
}
