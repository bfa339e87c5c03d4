//! What Graph is documented to do with subscriptions, and the stricter thing where it is not.

mod certificates;
mod deliveries;
mod handshakes;
mod requests;
mod rights;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertifiedKey, KeyPair};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use std::sync::{Arc, LazyLock};

use crate::entra::Entra;
use crate::graph::state::Graph;
use crate::graph::{control, router};
use crate::shared::time_text;
use crate::shared::tls::rsa_certificate;
use crate::testing::{Answer, OurSide, ask, world};
use crate::world::Config;

const ALL: &str = "/v1.0/subscriptions";

/// One for all tests: making it takes a while.
static CERTIFICATE: LazyLock<CertifiedKey<KeyPair>> =
    LazyLock::new(|| rsa_certificate("test").expect("a certificate"));

/// An app with the right to read all chats, and an address that takes notifications.
struct Play {
    graph: Arc<Graph>,
    ours: OurSide,
    token: String,
}

impl Play {
    fn new() -> Self {
        let ours = OurSide::start(Vec::new(), |token| ("text/plain", token));
        let world = world(Config::default(), &ours.address);
        let graph = Graph::new(Arc::clone(&world), Entra::new(world));
        let token = app_token(&graph, "app", json!(["Chat.Read.All"]));
        Self { graph, ours, token }
    }

    /// The resource of the Support User, as the app names it.
    fn resource(&self) -> String {
        format!("/users/{}/chats/getAllMessages", self.support())
    }

    fn support(&self) -> &str {
        &self.graph.world.config.support_accounts[0].user
    }

    /// A request for a subscription that Graph grants.
    fn wanted(&self) -> Value {
        json!({
            "changeType": "created,updated,deleted",
            "notificationUrl": format!("{}/notify?code=k", self.ours.address),
            "lifecycleNotificationUrl": format!("{}/life", self.ours.address),
            "resource": self.resource(),
            "expirationDateTime": after(Duration::minutes(4300)),
            "clientState": "support.secret",
            "includeResourceData": true,
            "encryptionCertificate": STANDARD.encode(CERTIFICATE.cert.der()),
            "encryptionCertificateId": "first",
        })
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask_as(&self.token, method, path, body).await
    }

    async fn ask_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        ask(router(&self.graph), method, path, token, body).await
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> u16 {
        ask(control(&self.graph), method, path, "", body)
            .await
            .status
    }

    /// The control interface's view of all subscriptions.
    async fn seen(&self) -> Vec<Value> {
        let path = "/local/graph/subscriptions";
        let seen = ask(control(&self.graph), "GET", path, "", Value::Null).await;
        seen.body["subscriptions"]
            .as_array()
            .expect("a list")
            .clone()
    }

    /// Subscribes with these changes of what is wanted; the id.
    async fn subscribed(&self, changes: Value) -> String {
        let made = self.ask("POST", ALL, with(self.wanted(), changes)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.text("id")
    }
}

/// The object with these members in the place of its own; null takes one away.
fn with(mut object: Value, changes: Value) -> Value {
    let members = object.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    object
}

/// A time from now.
fn after(life: Duration) -> String {
    time_text(OffsetDateTime::now_utc() + life)
}

fn app_token(graph: &Graph, app: &str, roles: Value) -> String {
    let audience = "https://graph.microsoft.com";
    let claims =
        json!({ "aud": audience, "ver": "1.0", "appid": app, "idtyp": "app", "roles": roles });
    graph.entra.issue(claims)
}

fn one(id: &str) -> String {
    format!("{ALL}/{id}")
}
