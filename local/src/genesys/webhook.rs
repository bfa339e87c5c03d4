//! Outbound: what the agent or the flow writes goes to our webhook (Genesys Cloud Developer Center, Open Messaging,
//! "Outbound messages" and "Validate").
//!
//! Genesys waits 10 s for an answer and repeats time-outs, 429 and 5xx up to five times, 5 s apart. Here the repetitions are
//! 1 s apart, so that a person at the page, and a test, need not wait half a minute to see the last one. Genesys promises no
//! order; here the first attempts of one thread follow each other unless an answer is slow, and repetitions do not.

use std::iter::repeat_n;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::conversations::{Outgoing, Placed};
use crate::delivery::Attempt;
use crate::hub::{Direction, FaultService};
use crate::shared::correlation;
use crate::shared::lines::{FirstAttempt, Lines};
use crate::shared::locked::Locked;
use crate::shared::serve::loopback_client;
use crate::shared::time_text;
use crate::world::World;

/// Genesys waits this long for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a message is repeated.
const REPETITIONS: usize = 5;
/// Between two attempts; Genesys waits 5 s.
const SPACING: Duration = Duration::from_secs(1);
/// A message waits at most this long for the first attempt of the one before it in its thread.
const LONGEST_TURN: Duration = Duration::from_secs(1);

/// Sends webhooks, in a line for each thread.
pub struct Webhooks {
    world: Arc<World>,
    client: reqwest::Client,
    secret: Locked<String>,
    lines: Lines,
}

impl Webhooks {
    /// A new secret, nothing sent yet.
    ///
    /// # Panics
    /// When no client can be built, which only a broken build does.
    pub fn new(world: Arc<World>) -> Self {
        let client = loopback_client()
            .build()
            .expect("a client for plain HTTP can be built");
        Self {
            world,
            client,
            secret: Locked::new(format!("{}{}", Uuid::new_v4(), Uuid::new_v4())),
            lines: Lines::default(),
        }
    }

    /// What signs each webhook.
    pub fn secret(&self) -> String {
        self.secret.lock().clone()
    }

    /// Replaces it at once, repetitions under way included: the integration holds one secret.
    pub fn set_secret(&self, secret: String) {
        *self.secret.lock() = secret;
    }

    /// Puts a message on its way.
    pub fn send(self: &Arc<Self>, thread: &str, message: &str, body: &Value) -> FirstAttempt {
        let webhooks = Arc::clone(self);
        let correlation = correlation::of_genesys_message(message);
        let body = body.to_string();
        let waits = repeat_n(SPACING, REPETITIONS);
        self.lines.send(thread, LONGEST_TURN, waits, move |number| {
            let (webhooks, correlation, body) =
                (Arc::clone(&webhooks), correlation.clone(), body.clone());
            async move { webhooks.attempt(&correlation, &body, number).await }
        })
    }

    /// Sends once; true when nothing is to be repeated: a 2xx, or a status that Genesys does not repeat.
    async fn attempt(&self, correlation: &str, body: &str, number: u32) -> bool {
        let attempt = Attempt {
            service: FaultService::GenesysWebhook,
            correlation: Some(correlation),
            direction: Direction::Outbound,
            hop: "webhook",
            number,
        };
        let url = format!("{}/api/genesys/webhook", self.world.endpoints.functions);
        let request = || {
            let signature = self.sign(body.as_bytes());
            let request = self.client.post(&url).timeout(TIMEOUT);
            request.header("x-hub-signature-256", signature)
        };
        let over = |status: StatusCode| status != 429 && !status.is_server_error();
        attempt
            .send(&self.world, body.as_bytes(), request, over)
            .await
    }

    /// `sha256=` and the standard base64 of the HMAC-SHA256 over the raw body.
    fn sign(&self, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret().as_bytes());
        format!("sha256={}", STANDARD.encode(hmac::sign(&key, body)))
    }
}

/// The body of a webhook.
pub fn body(
    integration: &str,
    thread: &str,
    placed: &Placed,
    outgoing: &Outgoing,
    time: OffsetDateTime,
    entity: &str,
) -> Value {
    // Only bots send structured content.
    let (derived, entity) = if outgoing.is_structured() {
        ("Structured", "Bot")
    } else {
        ("Text", entity)
    };
    let mut body = json!({
        "id": placed.message,
        "channel": {
            "id": integration,
            "platform": "Open",
            "type": "Private",
            "messageId": placed.message,
            "to": { "id": thread, "idType": "Opaque" },
            "from": { "nickname": "Local", "id": integration, "idType": "Opaque" },
            "time": time_text(time),
            "metadata": {},
        },
        "type": outgoing.kind.as_deref().unwrap_or(derived),
        "direction": "Outbound",
        "originatingEntity": entity,
        "conversationId": placed.conversation,
        "metadata": {},
    });
    if !outgoing.text.is_empty() {
        body["text"] = json!(outgoing.text);
    }
    if !outgoing.content.is_empty() {
        body["content"] = json!(outgoing.content);
    }
    body
}
