//! A Genesys Cloud organisation with one integration, two flows and an administrator.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use crate::tls::Authority;

pub const INTEGRATION: &str = "00000000-0000-4000-8000-000000000001";
pub const FLOW: &str = "00000000-0000-4000-8000-0000000000f1";
pub const OTHER_FLOW: &str = "00000000-0000-4000-8000-0000000000f2";
pub const CLIENT_ID: &str = "administrator";
pub const CLIENT_SECRET: &str = "hush-hush";

/// `administrator:hush-hush`, as Basic authorization has it.
const BASIC: &str = "Basic YWRtaW5pc3RyYXRvcjpodXNoLWh1c2g=";

struct Inner {
    /// Looks at the integration until its making is completed.
    creating: usize,
    creation_failed: bool,
    forbidden: HashSet<String>,
    flow: Value,
    timeline: Value,
    written: Vec<(String, Value)>,
}

/// The organisation; what was written to it can be asked for.
pub struct Organisation {
    pub base: String,
    inner: Arc<Mutex<Inner>>,
}

impl Organisation {
    pub async fn start(authority: &Authority) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            creating: 0,
            creation_failed: false,
            forbidden: HashSet::new(),
            flow: Value::Null,
            timeline: json!({
                "settings": [
                    {"messengerType": "whatsapp", "timeoutInMinutes": 60},
                    {"messengerType": "open", "timeoutInMinutes": 4320},
                ],
                "defaultTimeoutMinutes": 4320,
            }),
            written: Vec::new(),
        }));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&inner));
        Self {
            base: authority.serve(router).await,
            inner,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("a lock")
    }

    /// Takes a permission away.
    pub fn forbid(&self, permission: &str) {
        self.lock().forbidden.insert(permission.to_owned());
    }

    /// The integration is completed only after this many looks.
    pub fn creating(&self, looks: usize) {
        self.lock().creating = looks;
    }

    /// The integration is never completed.
    pub fn creation_failed(&self) {
        self.lock().creation_failed = true;
    }

    /// Path and body of every accepted PUT.
    pub fn written(&self) -> Vec<(String, Value)> {
        self.lock().written.clone()
    }
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a body");
    let header = |name: &str| {
        let value = head.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    };
    let (method, path) = (head.method.as_str(), head.uri.path());
    let (status, body) = if path == "/oauth/token" {
        let grant =
            header("authorization") == BASIC && &body[..] == b"grant_type=client_credentials";
        if grant {
            (
                200,
                json!({"access_token": "t1", "token_type": "bearer", "expires_in": 86399}),
            )
        } else {
            (
                401,
                json!({"error": "invalid_client", "description": "authentication failed"}),
            )
        }
    } else if header("authorization") != "Bearer t1" {
        (401, json!({"code": "bad.credentials", "status": 401}))
    } else {
        let body = serde_json::from_slice(&body).unwrap_or_default();
        inner.lock().expect("a lock").call(method, path, body)
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .expect("a response")
}

impl Inner {
    fn call(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let Some((permission, call)) = call_of(method, path) else {
            return (404, json!({"code": "not.found", "status": 404}));
        };
        if self.forbidden.contains(permission) {
            return (
                403,
                json!({"code": "missing.any.permissions", "status": 403, "contextId": "c-403"}),
            );
        }
        match call {
            Call::Integration => (200, self.integration()),
            Call::Recipient => (200, self.recipient()),
            Call::Timeline => (200, self.timeline.clone()),
            Call::SetRecipient
                if ![FLOW, OTHER_FLOW].contains(&body["flow"]["id"].as_str().unwrap_or("")) =>
            {
                (400, json!({"code": "bad.request", "status": 400}))
            }
            Call::SetRecipient => {
                self.flow = body["flow"].clone();
                self.written.push((path.to_owned(), body));
                (200, self.recipient())
            }
            Call::SetTimeline => {
                self.timeline = body.clone();
                self.written.push((path.to_owned(), body.clone()));
                (200, body)
            }
        }
    }

    fn integration(&mut self) -> Value {
        let mut integration = json!({"id": INTEGRATION, "name": "Teams"});
        if self.creation_failed {
            integration["createStatus"] = json!("Error");
        } else if self.creating > 0 {
            self.creating -= 1;
            integration["createStatus"] = json!("Initiated");
        } else {
            integration["createStatus"] = json!("Completed");
            integration["recipient"] = json!({"id": "r-1"});
        }
        integration
    }

    fn recipient(&self) -> Value {
        json!({"id": "r-1", "messengerType": "open", "flow": self.flow})
    }
}

enum Call {
    Integration,
    Recipient,
    SetRecipient,
    Timeline,
    SetTimeline,
}

fn call_of(method: &str, path: &str) -> Option<(&'static str, Call)> {
    let path = path.strip_prefix("/api/v2/")?;
    if let Some(id) = path.strip_prefix("conversations/messaging/integrations/open/") {
        let known = method == "GET" && id == INTEGRATION;
        return known.then_some(("messaging:integration:view", Call::Integration));
    }
    match (method, path) {
        ("GET", "routing/message/recipients/r-1") => {
            Some(("routing:message:manage", Call::Recipient))
        }
        ("PUT", "routing/message/recipients/r-1") => {
            Some(("routing:message:manage", Call::SetRecipient))
        }
        ("GET", "conversations/messaging/threadingtimeline") => {
            Some(("conversation:threadingTimeline:view", Call::Timeline))
        }
        ("PUT", "conversations/messaging/threadingtimeline") => {
            Some(("conversation:threadingTimeline:edit", Call::SetTimeline))
        }
        _ => None,
    }
}
