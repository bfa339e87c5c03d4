//! The requests: basic notifications, each of another message.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Chats that the messages are spread over.
const CHATS: u64 = 64;

/// The first message id; Teams' ids are milliseconds since 1970.
const FIRST_MESSAGE: u64 = 1_700_000_000_000;

/// Makes requests that the handler accepts.
pub struct Notifications {
    tenant: String,
    client_state: String,
    next: AtomicU64,
}

impl Notifications {
    /// Notifications of the first support account in these settings.
    pub fn for_settings(settings: &BTreeMap<String, String>) -> Result<Self> {
        let setting = |name: &str| settings.get(name).with_context(|| format!("no {name}"));
        let accounts = setting("SUPPORT_ACCOUNTS")?;
        let account = accounts.split('=').next().unwrap_or_default();
        Ok(Self {
            tenant: setting("TENANT_ID")?.clone(),
            client_state: format!("{account}.bench-client-state"),
            next: AtomicU64::new(0),
        })
    }

    /// A whole HTTP request with the next message's notification.
    pub fn next(&self) -> Vec<u8> {
        request(&self.body(1))
    }

    /// The notifications of the next messages in one body.
    pub fn body(&self, messages: usize) -> Vec<u8> {
        let items: Vec<Value> = (0..messages).map(|_| self.item()).collect();
        json!({ "value": items }).to_string().into_bytes()
    }

    fn item(&self) -> Value {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let chat = format!("19:{:032x}@thread.v2", number % CHATS);
        let message = FIRST_MESSAGE + number;
        let resource = format!("chats('{chat}')/messages('{message}')");
        json!({
            "subscriptionId": "9d4e6ab0-3f0a-4a0e-9f7c-0a5d5d1c7f11",
            "subscriptionExpirationDateTime": "2030-01-01T00:00:00Z",
            "clientState": self.client_state,
            "changeType": "created",
            "tenantId": self.tenant,
            "resource": resource,
            "resourceData": {
                "id": message.to_string(),
                "@odata.type": "#Microsoft.Graph.chatMessage",
                "@odata.id": resource,
            },
        })
    }
}

/// A whole HTTP request to the notifications' route.
pub fn request(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /api/graph/notifications HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
