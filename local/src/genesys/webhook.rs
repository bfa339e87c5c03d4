//! Outbound: what the agent or the flow writes goes to our webhook (Genesys Cloud Developer Center, Open Messaging,
//! "Outbound messages" and "Validate").
//!
//! Genesys waits 10 s for an answer and repeats time-outs, 429 and 5xx up to five times, 5 s apart. Here the repetitions are
//! 1 s apart, so that a person at the page, and a test, need not wait half a minute to see the last one. Genesys promises no
//! order; here the first attempts of one thread follow each other unless an answer is slow, and repetitions do not.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::conversations::{Outgoing, Placed};
use crate::delivery::Attempt;
use crate::hub::{Direction, FaultService};
use crate::shared::correlation;
use crate::shared::locked::Locked;
use crate::shared::serve::loopback_client;
use crate::world::World;

/// Genesys waits this long for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts of one message: the first and five repetitions.
const ATTEMPTS: u32 = 6;
/// Between two attempts; Genesys waits 5 s.
const SPACING: Duration = Duration::from_secs(1);
/// A message waits at most this long for the first attempt of the one before it in its thread.
const LONGEST_TURN: Duration = Duration::from_secs(1);

/// Resolves when a message's first attempt is over; also when its task is gone.
pub type FirstAttempt = watch::Receiver<bool>;

/// Sends webhooks.
pub struct Webhooks {
    world: Arc<World>,
    client: reqwest::Client,
    secret: Locked<String>,
    /// The last message's first attempt, for each thread.
    last: Locked<HashMap<String, FirstAttempt>>,
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
            last: Locked::default(),
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

    /// Puts a message on its way in a task of its own.
    pub fn send(self: &Arc<Self>, thread: &str, message: &str, body: &Value) -> FirstAttempt {
        let (done, first_attempt) = watch::channel(false);
        let before = { self.last.lock() }.insert(thread.to_owned(), first_attempt.clone());
        let webhooks = Arc::clone(self);
        let correlation = correlation::of_genesys_message(message);
        let body = body.to_string();
        tokio::spawn(async move {
            if let Some(before) = before {
                wait(before, LONGEST_TURN).await;
            }
            for number in 1..=ATTEMPTS {
                let over = webhooks.attempt(&correlation, &body, number).await;
                done.send_replace(true);
                if over {
                    return;
                }
                if number < ATTEMPTS {
                    sleep(SPACING).await;
                }
            }
        });
        first_attempt
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

/// Waits for a first attempt, but no longer than this.
pub async fn wait(mut first_attempt: FirstAttempt, longest: Duration) {
    // Late or gone is as good as over: nothing more is to be waited for.
    let _ = timeout(longest, first_attempt.wait_for(|done| *done)).await;
}

/// The body of a webhook.
pub fn body(
    integration: &str,
    thread: &str,
    placed: &Placed,
    outgoing: &Outgoing,
    time: &str,
    entity: &str,
) -> Value {
    let derived = if outgoing.is_structured() {
        "Structured"
    } else {
        "Text"
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
            "time": time,
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
