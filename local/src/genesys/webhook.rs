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
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::conversations::{Outgoing, Placed};
use crate::delivery::{Deliveries, Delivery, FirstAttempt};
use crate::hub::{Direction, FaultService};
use crate::shared::correlation;
use crate::shared::locked::Locked;
use crate::shared::{random_text, time_text};
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
    url: String,
    /// What signs each webhook. Another one counts at once, for repetitions under way as well: the integration holds one secret.
    pub secret: Arc<Locked<String>>,
    deliveries: Deliveries,
}

impl Webhooks {
    /// A new secret, nothing sent yet.
    pub fn new(world: Arc<World>) -> Self {
        Self {
            url: format!("{}/api/genesys/webhook", world.endpoints.functions),
            secret: Arc::new(Locked::new(random_text())),
            deliveries: Deliveries::new(world),
        }
    }

    /// Puts a message on its way, or something that is none and has no journey.
    pub fn send(&self, thread: &str, message: Option<&str>, body: &Value) -> FirstAttempt {
        let (url, secret) = (self.url.clone(), Arc::clone(&self.secret));
        let delivery = Delivery {
            service: FaultService::GenesysWebhook,
            direction: Direction::Outbound,
            hop: "webhook",
            correlation: message.map(correlation::of_genesys_message),
            body: body.to_string().into_bytes(),
            request: Box::new(move |client, _, body| {
                let signature = sign(&secret.lock(), body);
                let request = client.post(&url).timeout(TIMEOUT);
                request.header("x-hub-signature-256", signature)
            }),
            repeat: |_| {},
            // A 2xx, or a status that Genesys does not repeat.
            will_do: |status| status != 429 && !status.is_server_error(),
        };
        let waits = repeat_n(SPACING, REPETITIONS);
        self.deliveries.send(thread, LONGEST_TURN, waits, delivery)
    }
}

/// `sha256=` and the standard base64 of the HMAC-SHA256 over the raw body.
fn sign(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", STANDARD.encode(hmac::sign(&key, body)))
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
