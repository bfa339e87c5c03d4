//! Azure Service Bus: sending over REST ("Send Message" and "Send Message Batch" in the Service Bus REST API reference), and what
//! the queues put aside; and how long the queues are. Receiving is the Functions host's part.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};

use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange::{self, ERROR_BODY_LIMIT};
use crate::http::CALL_TIMEOUT;
use crate::managed_identity::ManagedIdentity;

mod dead_letters;
mod length;

pub use dead_letters::DeadLetter;
pub use length::QueueLength;

/// Audience of Service Bus in every cloud ("Authenticate an application with Microsoft Entra ID to access Azure Service Bus").
const SCOPE: &str = "https://servicebus.azure.net/.default";

/// Most bytes of a batch's JSON. All of a batch must fit one message of the namespace, 256 KB on the Standard tier, with what
/// Service Bus adds.
const BATCH_BYTES: usize = 200 * 1024;

/// Most messages of a batch, which is taken as a whole or not at all ("Service Bus quotas": messages of one transaction).
const BATCH_MESSAGES: usize = 100;

/// More than the properties of a message and the names around them need in a batch: three ids of at most 128 of ASCII.
const PROPERTIES_BYTES: usize = 600;

/// Content type of a batch; the page forbids parameters after it.
const BATCH_TYPE: &str = "application/vnd.microsoft.servicebus.json";

/// A message to send. As JSON it is its broker properties.
#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Outgoing<'a> {
    /// Raw body. With the properties it must fit the namespace's message size: 256 KB on the Standard tier.
    #[serde(skip)]
    pub body: Bytes,
    /// Session; at most 128 characters. Required by queues with sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<&'a str>,
    /// Id for duplicate detection; at most 128 characters. With it the send may be repeated without harm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<&'a str>,
    /// Journey that the message belongs to.
    pub correlation_id: &'a str,
    /// Life on the queue; `None` leaves it to the queue.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds")]
    pub time_to_live: Option<Duration>,
}

fn seconds<S: Serializer>(life: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    life.map(|life| life.as_secs_f64()).serialize(serializer)
}

impl std::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (bytes, correlation) = (self.body.len(), self.correlation_id);
        write!(f, "Outgoing({bytes} bytes, {correlation})")
    }
}

/// Client of one namespace.
#[derive(Debug)]
pub struct ServiceBus {
    client: reqwest::Client,
    base: String,
    identity: Arc<ManagedIdentity>,
}

impl ServiceBus {
    /// The namespace at this authority, `host` or `host:port` as in `ServiceBus__fullyQualifiedNamespace`; nothing is
    /// called yet.
    pub fn new(client: reqwest::Client, authority: &str, identity: Arc<ManagedIdentity>) -> Self {
        Self::at(client, &format!("https://{}", authority.trim()), identity)
    }

    fn at(client: reqwest::Client, base: &str, identity: Arc<ManagedIdentity>) -> Self {
        Self {
            client,
            base: address::base(base),
            identity,
        }
    }

    /// Gets a token, so that the first send need not wait for it.
    ///
    /// # Errors
    /// The managed identity's endpoint refused or could not be reached.
    pub async fn warm_up(&self) -> Result<()> {
        self.identity.token(SCOPE).await.map(drop)
    }

    /// Puts messages on a queue in their order, with as few requests as they fit into; success means that all are durable.
    /// Each request is taken as a whole or not at all, and the first that is refused stops those behind it. A batch holds
    /// messages of one session, as text: a message with another session, or with a life of its own, begins a new one.
    ///
    /// Repeated once, and only when the connection broke under messages that all have an id, which duplicate detection then
    /// recognises.
    ///
    /// # Errors
    /// Those of the first request that was not accepted; what went before it is on the queue. `Unavailable` also for a full
    /// queue, `NotFound` for a queue that does not exist, `TooLarge` and `Rejected` for a message that Service Bus will never
    /// take; otherwise Service Bus or the managed identity refused or could not be reached.
    pub async fn send_batch(&self, queue: &str, messages: &[Outgoing<'_>]) -> Result<()> {
        let token = self.identity.token(SCOPE).await?;
        let mut rest = messages;
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at(fitting(rest));
            let has_ids = batch.iter().all(|message| message.message_id.is_some());
            match self.send_once(queue, batch, &token).await {
                Err(error) if has_ids && error.is_broken_connection() => {
                    self.send_once(queue, batch, &token).await
                }
                result => result,
            }?;
            rest = behind;
        }
        Ok(())
    }

    async fn send_once(
        &self,
        queue: &str,
        batch: &[Outgoing<'_>],
        token: &SecretString,
    ) -> Result<()> {
        let queue = address::segment(Service::ServiceBus, queue)?;
        let request = self
            .client
            .post(format!("{}/{queue}/messages", self.base))
            .bearer_auth(token.expose_secret())
            .timeout(CALL_TIMEOUT);
        let request = match batch {
            [message] => request
                .header("brokerproperties", broker_properties(message)?)
                .header(CONTENT_TYPE, "application/json")
                .body(message.body.clone()),
            _ => request
                .header(CONTENT_TYPE, BATCH_TYPE)
                .body(batch_body(batch)?),
        };
        let answer = exchange::send(Service::ServiceBus, request, ERROR_BODY_LIMIT).await?;
        if answer.status == StatusCode::CREATED {
            // What follows the status says nothing more.
            return Ok(());
        }
        Err(ServiceError {
            status: Some(answer.status.as_u16()),
            ..ServiceError::new(Service::ServiceBus, ErrorKind::Malformed, Sent::Maybe)
        })
    }
}

/// How many of these go with the next request, at least one.
fn fitting(messages: &[Outgoing<'_>]) -> usize {
    let mut bytes = 0;
    let others = messages.iter().take(BATCH_MESSAGES).take_while(|message| {
        bytes += PROPERTIES_BYTES + quoted_length(&message.body);
        bytes <= BATCH_BYTES
            && message.session_id == messages[0].session_id
            && message.time_to_live.is_none()
    });
    others.count().max(1)
}

/// Bytes of a text as a JSON string.
fn quoted_length(text: &[u8]) -> usize {
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' => 2,
        ..b' ' => 6,
        _ => 1,
    };
    text.iter().map(escaped).sum()
}

fn unusable() -> ServiceError {
    ServiceError::new(Service::ServiceBus, ErrorKind::Rejected, Sent::No)
}

/// A message of a batch.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchItem<'a> {
    body: &'a str,
    broker_properties: &'a Outgoing<'a>,
}

fn batch_body(batch: &[Outgoing<'_>]) -> Result<Vec<u8>> {
    let items = batch.iter().map(|broker_properties| {
        let body = std::str::from_utf8(&broker_properties.body).map_err(|_| unusable())?;
        Ok(BatchItem {
            body,
            broker_properties,
        })
    });
    let items = items.collect::<Result<Vec<_>>>()?;
    serde_json::to_vec(&items).map_err(|_| unusable())
}

/// One line of JSON in visible ASCII, as a header demands.
fn broker_properties(message: &Outgoing<'_>) -> Result<HeaderValue> {
    let json = serde_json::to_string(message).map_err(|_| unusable())?;
    HeaderValue::from_str(&ascii(&json)).map_err(|_| unusable())
}

/// JSON with everything beyond ASCII escaped; serde escapes the control characters but DEL.
fn ascii(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for sign in json.chars() {
        if sign.is_ascii() && sign != '\u{7f}' {
            escaped.push(sign);
        } else {
            for unit in sign.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
