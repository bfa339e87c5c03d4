//! All outside services at once, in memory, on one TLS port: they are told apart by their paths.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::storage::{ACCOUNT, Storage};
use super::{Reply, Seen, Signer, client_of, identity, serve_tls, validation_claims};
use crate::error::Service;
use crate::http::Client;
use crate::managed_identity::ManagedIdentity;
use crate::secrets::names;

mod bot;
mod dead_letters;
mod genesys;

/// Answers a request in the place of what the world would have answered.
type Answer = Box<dyn FnMut(&Seen) -> Option<Reply> + Send>;

/// What an app can stand on: a vault with the secrets of one Support User `support`, a storage account, queues, Entra ID, Graph
/// and Genesys, which say yes to everything until they are told otherwise.
pub struct World {
    base: String,
    authority: String,
    contents: Arc<Mutex<Contents>>,
}

#[derive(Default)]
struct Contents {
    secrets: BTreeMap<String, Kept>,
    passwords: Vec<Password>,
    /// Secrets of the OAuth clients at Genesys, by client, and what more requests meet before a new one is known.
    clients: BTreeMap<String, (String, u32)>,
    /// What was last given to Genesys to sign webhooks with.
    webhook_secret: Option<String>,
    storage: Storage,
    sent: Vec<Sent>,
    letters: Vec<dead_letters::Letter>,
    seen: Vec<(Service, Seen)>,
    answers: Vec<Answer>,
    /// Ids given out so far.
    ids: u64,
}

/// A secret of the vault.
struct Kept {
    value: String,
    tags: Value,
    stored: OffsetDateTime,
}

impl Kept {
    fn new(value: &str, tags: Value) -> Self {
        Self {
            value: value.to_owned(),
            tags,
            stored: OffsetDateTime::now_utc(),
        }
    }
}

/// A client secret of the Graph app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Password {
    /// Its key id.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The secret itself.
    pub secret: String,
    /// When it was made.
    pub starts: OffsetDateTime,
    /// When it ends.
    pub ends: OffsetDateTime,
    /// So many more requests meet a machine that does not know it yet.
    pub unknown_to: u32,
}

/// A message on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The queue.
    pub queue: String,
    /// Its body, exactly.
    pub body: Bytes,
    /// `SessionId`.
    pub session: Option<String>,
    /// `MessageId`.
    pub message_id: Option<String>,
    /// `CorrelationId`.
    pub correlation: Option<String>,
    /// The request it came with, counted from 0: messages of a batch share one.
    pub request: usize,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({})", self.base)
    }
}

impl World {
    /// The secret behind each `clientState`.
    pub const CLIENT_STATE: &str = "the-secret-of-client-states";

    /// The secret with which Genesys signs.
    pub const WEBHOOK_SECRET: &str = "the-secret-of-webhooks";

    /// A world on a free loopback port, which ends with the test's runtime.
    pub async fn start() -> Self {
        let secrets = [
            (names::GRAPH_CLIENT_STATE.to_owned(), Self::CLIENT_STATE),
            (names::GENESYS_WEBHOOK.to_owned(), Self::WEBHOOK_SECRET),
            (names::GENESYS_CLIENT.to_owned(), "genesys-client"),
            (names::refresh_token("support"), "refresh-token"),
        ];
        let contents = Arc::new(Mutex::new(Contents {
            secrets: secrets
                .map(|(name, value)| (name, Kept::new(value, json!({}))))
                .into(),
            ..Contents::default()
        }));
        let state = Arc::clone(&contents);
        let router = Router::new().fallback(answer).with_state(state);
        let (base, authority) = serve_tls(router).await;
        Self {
            base,
            authority,
            contents,
        }
    }

    /// The address of all services, `https://127.0.0.1:{port}`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The address of the storage account.
    pub fn blob_endpoint(&self) -> String {
        format!("{}/{ACCOUNT}", self.base)
    }

    /// The address of the queues without its scheme.
    pub fn authority(&self) -> &str {
        self.base.trim_start_matches("https://")
    }

    /// A client that trusts the world's certificate.
    pub fn client(&self) -> Client {
        client_of(&self.authority)
    }

    /// An identity that the world accepts.
    pub fn identity(&self) -> Arc<ManagedIdentity> {
        identity()
    }

    /// Puts a secret into the vault.
    pub fn put_secret(&self, name: &str, value: &str) {
        let kept = Kept::new(value, json!({}));
        self.lock().secrets.insert(name.to_owned(), kept);
    }

    /// Makes a secret of the vault older than it is.
    pub fn age_secret(&self, name: &str, by: Duration) {
        let mut contents = self.lock();
        let kept = contents.secrets.get_mut(name).expect("a secret");
        kept.stored -= by;
    }

    /// The value of a secret of the vault.
    pub fn secret(&self, name: &str) -> Option<String> {
        let contents = self.lock();
        contents.secrets.get(name).map(|kept| kept.value.clone())
    }

    /// Gives the Graph app one more client secret.
    pub fn put_password(&self, password: Password) {
        self.lock().passwords.push(password);
    }

    /// The client secrets of the Graph app, oldest first. While it has none, Entra ID asks for none.
    pub fn passwords(&self) -> Vec<Password> {
        self.lock().passwords.clone()
    }

    /// Gives Genesys an OAuth client with this secret. While it has none, it takes every client.
    pub fn put_genesys_client(&self, id: &str, secret: &str) {
        let client = (secret.to_owned(), 0);
        self.lock().clients.insert(id.to_owned(), client);
    }

    /// The secret of an OAuth client at Genesys.
    pub fn genesys_client(&self, id: &str) -> Option<String> {
        self.lock()
            .clients
            .get(id)
            .map(|(secret, _)| secret.clone())
    }

    /// What Genesys signs its webhooks with.
    pub fn webhook_secret(&self) -> String {
        let given = self.lock().webhook_secret.clone();
        given.unwrap_or_else(|| Self::WEBHOOK_SECRET.to_owned())
    }

    /// Takes a secret out of the vault.
    pub fn remove_secret(&self, name: &str) {
        self.lock().secrets.remove(name);
    }

    /// The names of a container's blobs, sorted.
    pub fn blobs(&self, container: &str) -> Vec<String> {
        self.lock().storage.names(container)
    }

    /// The bytes of a blob.
    pub fn blob(&self, container: &str, name: &str) -> Option<Bytes> {
        self.lock().storage.body(container, name)
    }

    /// Writes a blob, whether or not there is one.
    pub fn put_blob(&self, container: &str, name: &str, body: impl Into<Bytes>) {
        self.lock().storage.put(container, name, body.into());
    }

    /// The messages that the queues took, in their order.
    pub fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// The requests that a service saw, in their order.
    pub fn seen(&self, service: Service) -> Vec<Seen> {
        let contents = self.lock();
        let of_service = contents.seen.iter().filter(|(of, _)| *of == service);
        of_service.map(|(_, seen)| seen.clone()).collect()
    }

    /// Answers all requests with this method, and this text in their path and query, from now on.
    pub fn answer(&self, method: &'static str, place: &str, reply: Reply) {
        self.answer_with(method, place, move |_| Some(reply.clone()));
    }

    /// Answers the next such request only.
    pub fn answer_once(&self, method: &'static str, place: &str, reply: Reply) {
        let mut reply = Some(reply);
        self.answer_with(method, place, move |_| reply.take());
    }

    /// Answers such requests as `answer` says; `None` leaves one to the orders before this one, and to the world.
    pub fn answer_with(
        &self,
        method: &'static str,
        place: &str,
        mut answer: impl FnMut(&Seen) -> Option<Reply> + Send + 'static,
    ) {
        let place = place.to_owned();
        self.lock().answers.push(Box::new(move |seen| {
            let is_meant = seen.method == method && seen.target.contains(&place);
            is_meant.then(|| answer(seen)).flatten()
        }));
    }

    /// A validation token of Graph's notifications, signed with the world's key; `changes` go over the claims of a genuine one.
    pub fn validation_token(&self, tenant: &str, audience: &str, changes: Value) -> String {
        signer().sign(&validation_claims(tenant, audience, changes))
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().expect("a lock")
    }
}

/// Entra ID's key.
fn signer() -> Signer {
    Signer::new("world")
}

async fn answer(State(contents): State<Arc<Mutex<Contents>>>, request: Request) -> Response {
    let seen = Seen::read(request).await;
    let reply = contents.lock().expect("a lock").answer(seen);
    tokio::time::sleep(reply.delay).await;
    reply.into_response()
}

impl Contents {
    fn answer(&mut self, seen: Seen) -> Reply {
        let path = seen.path().to_owned();
        let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let service = service_at(&segments);
        self.seen.push((service, seen.clone()));
        let mut newest_first = self.answers.iter_mut().rev();
        if let Some(reply) = newest_first.find_map(|answer| answer(&seen)) {
            return reply;
        }
        let is_open = matches!(service, Service::Entra | Service::Files)
            || path == "/oauth/token"
            || path.starts_with("/v1/.well-known/");
        if !is_open && !seen.header("authorization").starts_with("Bearer ") {
            return Reply::new(401, "");
        }
        match service {
            Service::KeyVault => self.vault(&seen, &segments),
            Service::Blob => self.storage.answer(&seen),
            Service::ServiceBus if segments.len() > 2 => self.dead_letter(&seen, &segments),
            Service::ServiceBus => self.queue(&seen, segments[0]),
            Service::Entra => self.entra(&seen, &segments),
            Service::Genesys => self.genesys(&seen, &segments),
            Service::Graph => self.graph(&seen, &segments),
            Service::Bot => self.bot(&seen, &segments),
            _ => Reply::new(404, ""),
        }
    }

    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    fn vault(&mut self, seen: &Seen, segments: &[&str]) -> Reply {
        let name = segments.get(1).copied().unwrap_or_default();
        if seen.method == "PUT" {
            let secret = seen.json();
            let value = secret["value"].as_str().unwrap_or_default();
            let kept = Kept::new(value, secret["tags"].clone());
            self.secrets.insert(name.to_owned(), kept);
        }
        match self.secrets.get(name) {
            Some(kept) => {
                let tags = kept.tags.as_object().cloned().unwrap_or_default();
                let created = kept.stored.unix_timestamp();
                let attributes = json!({ "enabled": true, "created": created });
                let bundle = json!({ "value": kept.value, "tags": tags, "attributes": attributes });
                Reply::json(200, &bundle)
            }
            None => Reply::json(404, &json!({"error": {"code": "SecretNotFound"}})),
        }
    }

    /// "Send Message" and "Send Message Batch".
    fn queue(&mut self, seen: &Seen, queue: &str) -> Reply {
        const BATCH: &str = "application/vnd.microsoft.servicebus.json";
        let request = self.sent.last().map_or(0, |sent| sent.request + 1);
        let sent = |body: Bytes, properties: &Value| {
            let text = |name: &str| properties[name].as_str().map(str::to_owned);
            Sent {
                queue: queue.to_owned(),
                body,
                session: text("SessionId"),
                message_id: text("MessageId"),
                correlation: text("CorrelationId"),
                request,
            }
        };
        let sent: Vec<_> = if seen.header("content-type") == BATCH {
            let items = seen.json();
            let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
            let body = |item: &Value| item["Body"].as_str().unwrap_or_default().to_owned();
            let message = |item| sent(Bytes::from(body(item)), &item["BrokerProperties"]);
            items.iter().map(message).collect()
        } else {
            let properties = serde_json::from_str(seen.header("brokerproperties"));
            vec![sent(seen.body.clone(), &properties.unwrap_or_default())]
        };
        let is_one_session = sent
            .iter()
            .all(|message| message.session == sent[0].session);
        if sent.is_empty() || !is_one_session {
            return Reply::new(400, "");
        }
        self.sent.extend(sent);
        Reply::new(201, "")
    }

    /// Tokens for whoever asks, unless the app has client secrets and shows none of them; and the signing key.
    fn entra(&mut self, seen: &Seen, segments: &[&str]) -> Reply {
        if !matches!(segments, [_, "oauth2", ..]) {
            return Reply::json(200, &json!({ "keys": [signer().jwk()] }));
        }
        let form = seen.form();
        let secret = form.iter().find(|(name, _)| name == "client_secret");
        let Some((_, secret)) = secret.filter(|_| !self.passwords.is_empty()) else {
            return grant("user-token");
        };
        let refused = |number: u32| {
            let error = json!({ "error": "invalid_client", "error_codes": [number] });
            Reply::json(401, &error)
        };
        let mut passwords = self.passwords.iter_mut();
        match passwords.find(|one| one.secret == *secret) {
            Some(one) if one.unknown_to > 0 => {
                one.unknown_to -= 1;
                refused(7_000_215)
            }
            Some(one) if one.ends <= OffsetDateTime::now_utc() => refused(7_000_222),
            Some(_) => grant("user-token"),
            None => refused(7_000_215),
        }
    }

    /// The Graph app's own registration. The token endpoint does not take a new secret the first two times.
    fn application(&mut self, seen: &Seen, action: &[&str]) -> Reply {
        let time = |at: OffsetDateTime| at.format(&Rfc3339).expect("a time");
        match action {
            [] => {
                let view = |one: &Password| {
                    json!({ "keyId": one.key, "displayName": one.name, "hint": &one.secret[..3],
                            "startDateTime": time(one.starts), "endDateTime": time(one.ends) })
                };
                let all: Vec<Value> = self.passwords.iter().map(view).collect();
                Reply::json(200, &json!({ "passwordCredentials": all }))
            }
            ["addPassword"] => {
                let wanted = &seen.json()["passwordCredential"];
                let ends = wanted["endDateTime"].as_str().unwrap_or_default();
                let number = self.next_id();
                let one = Password {
                    key: format!("key-{number}"),
                    name: wanted["displayName"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                    secret: format!("{number:03}-added"),
                    starts: OffsetDateTime::now_utc(),
                    ends: OffsetDateTime::parse(ends, &Rfc3339).expect("a time"),
                    unknown_to: 2,
                };
                let added = json!({ "keyId": one.key, "secretText": one.secret });
                self.passwords.push(one);
                Reply::json(200, &added)
            }
            _ => {
                let key = seen.json()["keyId"].clone();
                self.passwords.retain(|one| key != one.key);
                Reply::new(204, "")
            }
        }
    }

    /// Chats are one-to-one and empty; each post gets an id as Teams makes it.
    fn graph(&mut self, seen: &Seen, segments: &[&str]) -> Reply {
        match (seen.method.as_str(), &segments[1..]) {
            (_, [application, action @ ..]) if application.starts_with("applications(") => {
                self.application(seen, action)
            }
            ("POST", ["chats", _, "messages"]) => {
                let id = (1_700_000_000_000 + self.next_id()).to_string();
                Reply::json(201, &json!({ "id": id }))
            }
            ("POST", ["chats", _, "markChatReadForUser"]) => Reply::new(204, ""),
            ("GET", ["me", "chats"] | ["chats", _, "messages" | "members"]) => {
                Reply::json(200, &json!({ "value": [] }))
            }
            ("GET", ["chats", id]) => {
                let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
                Reply::json(200, &json!({"id": id, "chatType": "oneOnOne"}))
            }
            ("GET", ["me", "drive"]) => {
                let url = "https://contoso-my.sharepoint.com/personal/support/Documents";
                Reply::json(200, &json!({ "webUrl": url }))
            }
            _ => Reply::json(404, &json!({"error": {"code": "NotFound"}})),
        }
    }
}

fn service_at(segments: &[&str]) -> Service {
    match segments {
        ["secrets", ..] => Service::KeyVault,
        [ACCOUNT, ..] => Service::Blob,
        ["v1.0", ..] => Service::Graph,
        [_, "v3", ..] | ["v1", ".well-known", ..] => Service::Bot,
        // The handler's own functions, where a test has an app answer for them.
        ["api", "messages"] => Service::Files,
        ["api", "v2", ..] | ["oauth", "token"] => Service::Genesys,
        ["common", "discovery", ..] | [_, "oauth2", ..] => Service::Entra,
        [_, "messages"] | [_, "$deadletterqueue", ..] => Service::ServiceBus,
        _ => Service::Files,
    }
}

fn grant(token: &str) -> Reply {
    Reply::json(200, &json!({"access_token": token, "expires_in": 3599}))
}
