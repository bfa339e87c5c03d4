//! Counts what the handler asks of the services around it, by service and kind of call.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::faults::FaultService;
use crate::shared::locked::Locked;

/// Calls of each kind, by service.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// Marks a request to Blob Storage as the platform's own, with a number.
pub const OWN: &str = "local-platform";

/// The calls since the start or the last reset.
#[derive(Debug, Default)]
pub struct Calls {
    counts: Locked<Counts>,
    /// The highest number of an own request that the access log told of.
    told: watch::Sender<u64>,
}

impl Calls {
    /// Counts a call to a simulated service.
    pub fn count(&self, service: FaultService, method: &Method, path: &str, batch: bool) {
        // Azurite's access log tells of those.
        if service == FaultService::Blob {
            return;
        }
        // Named as rules for faults name it.
        let name = json!(service).as_str().unwrap_or_default().to_owned();
        self.add(name, kind(service, method, path, batch));
    }

    /// Counts an answer by which the service wanted to be left alone.
    pub fn count_throttled(&self, service: FaultService) {
        let name = json!(service).as_str().unwrap_or_default().to_owned();
        self.add(name, "throttled".to_owned());
    }

    /// Counts a call whose work was done and whose answer was lost, which the caller cannot tell from one that never came.
    pub fn count_lost(&self, service: FaultService, method: &Method, path: &str) {
        let name = json!(service).as_str().unwrap_or_default().to_owned();
        self.add(name, format!("lost {}", kind(service, method, path, false)));
    }

    /// Counts the call that a line of Azurite's access log tells of, `… "GET /account/container/blob HTTP/1.1" …`, unless the
    /// platform itself made it, or somebody who was given a signed address.
    pub fn access_log(&self, line: &str) {
        let Some((method, target)) = line
            .split('"')
            .nth(1)
            .and_then(|request| request.strip_suffix(" HTTP/1.1")?.split_once(' '))
        else {
            return;
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut signed = false;
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            if name == OWN {
                let number: u64 = value.parse().unwrap_or_default();
                self.told.send_modify(|told| *told = number.max(*told));
                return;
            }
            signed |= name == "sig";
        }
        if !signed {
            self.add("blob".to_owned(), blob_kind(method, path).to_owned());
        }
    }

    /// Waits until the access log told of the own request with this number, and with it of all that were answered before.
    pub async fn told(&self, number: u64) {
        // An error cannot be: the sender is here.
        let _ = self.told.subscribe().wait_for(|told| *told >= number).await;
    }

    fn add(&self, service: String, kind: String) {
        let mut counts = self.counts.lock();
        *counts.entry(service).or_default().entry(kind).or_default() += 1;
    }

    /// Forgets all.
    pub fn reset(&self) {
        self.counts.lock().clear();
    }

    /// `GET /local/calls`.
    pub fn view(&self) -> Value {
        json!({ "calls": *self.counts.lock() })
    }
}

fn kind(service: FaultService, method: &Method, path: &str, batch: bool) -> String {
    let ends = |end: &str| path.ends_with(end);
    let kind = match service {
        FaultService::ServiceBus => {
            let (queue, way) = (path.split('/').nth(1), if batch { "batch" } else { "send" });
            return format!("{way} {}", queue.unwrap_or_default());
        }
        FaultService::Entra | FaultService::Bot if ends("/keys") => "keys",
        FaultService::Graph | FaultService::Bot if method == Method::GET => "read",
        FaultService::Graph | FaultService::Bot if method == Method::POST => "post",
        FaultService::KeyVault if method == Method::GET => "read",
        FaultService::KeyVault if method == Method::PUT => "write",
        FaultService::Genesys if ends("/inbound/open/message") => "message",
        FaultService::Genesys if ends("/inbound/open/structured/response") => "response",
        FaultService::Genesys if ends("/inbound/open/receipt") => "receipt",
        FaultService::Genesys if ends("/inbound/open/event") => "event",
        FaultService::Genesys | FaultService::Entra if ends("/token") => "token",
        FaultService::Identity => "token",
        FaultService::GenesysMedia | FaultService::Files => "download",
        _ => "other",
    };
    kind.to_owned()
}

/// Reading or writing a blob. What other instances were asked to leave alone is looked up by the clock and not for a message, and
/// calls are booked for several messages at a time;
/// everything about containers, listings and keys is something else.
fn blob_kind(method: &str, path: &str) -> &'static str {
    let is_blob = path.trim_start_matches('/').split('/').nth(2).is_some();
    match method {
        "GET" if path.contains("/state/pauses") => "read pause",
        "GET" if path.contains("/state/bookings") => "read bookings",
        _ if path.contains("/state/bookings") => "book",
        "GET" | "HEAD" if is_blob => "read",
        "PUT" if is_blob => "write",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::FaultService::{Genesys, Graph, KeyVault, ServiceBus};
    use super::*;

    #[tokio::test]
    async fn calls_are_counted_by_service_and_kind() {
        let calls = Calls::default();
        let open = "/api/v2/conversations/messages/i/inbound/open";
        for (service, method, path) in [
            (ServiceBus, Method::POST, "/inbound/messages"),
            (ServiceBus, Method::POST, "/inbound/messages"),
            (Graph, Method::GET, "/v1.0/chats/a"),
            (Graph, Method::POST, "/v1.0/chats/a/messages"),
            (Genesys, Method::POST, &format!("{open}/message")),
            (Genesys, Method::POST, &format!("{open}/receipt")),
            (Genesys, Method::POST, "/oauth/token"),
            (KeyVault, Method::GET, "/secrets/a"),
        ] {
            calls.count(service, &method, path, false);
        }
        calls.count(ServiceBus, &Method::POST, "/inbound/messages", true);
        for request in [
            "GET /account/state/chats%2Fa%2Finbound.json",
            "PUT /account/state/chats/a/inbound.json?comp=block&blockid=x",
            "GET /account/state/pauses/genesys-client.json",
            "GET /account/state/bookings/genesys-client.json",
            "PUT /account/state/bookings/genesys-client.json",
            "GET /account/failed?restype=container&comp=list",
            "POST /account/?restype=service&comp=userdelegationkey",
            "GET /account/attachments/a/b?sv=2021-12-02&sig=x",
            "GET /account/failed/a?local-platform=7",
        ] {
            let line =
                format!("127.0.0.1 - - [28/Nov/2026:18:47:00 +0000] \"{request} HTTP/1.1\" 200 -");
            calls.access_log(&line);
        }
        calls.access_log("Azurite Blob service is starting at https://127.0.0.1:0");
        calls.told(7).await;
        let counted = json!({ "calls": {
            "service-bus": { "send inbound": 2, "batch inbound": 1 },
            "graph": { "read": 1, "post": 1 },
            "genesys": { "message": 1, "receipt": 1, "token": 1 },
            "key-vault": { "read": 1 },
            "blob": { "read": 1, "read pause": 1, "read bookings": 1, "book": 1, "write": 1, "other": 2 },
        } });
        assert_eq!(calls.view(), counted);
        calls.reset();
        assert_eq!(calls.view(), json!({ "calls": {} }));
    }
}
