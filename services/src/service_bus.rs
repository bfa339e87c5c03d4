//! Azure Service Bus: sending over REST ("Send Message" in the Service Bus REST API reference). Receiving is the Functions
//! host's part.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::address;
use crate::error::{ErrorKind, Sent, Service, ServiceError};
use crate::exchange::{self, ERROR_BODY_LIMIT};
use crate::http::CALL_TIMEOUT;
use crate::managed_identity::ManagedIdentity;

/// Audience of Service Bus in every cloud ("Authenticate an application with Microsoft Entra ID to access Azure Service Bus").
const SCOPE: &str = "https://servicebus.azure.net/.default";

/// A message to send.
#[derive(Clone)]
pub struct Outgoing<'a> {
    /// Raw body. With the properties it must fit the namespace's message size: 256 KB on the Standard tier.
    pub body: Bytes,
    /// Session; at most 128 characters. Required by queues with sessions.
    pub session_id: Option<&'a str>,
    /// Id for duplicate detection; at most 128 characters. With it the send may be repeated without harm.
    pub message_id: Option<&'a str>,
    /// Journey that the message belongs to.
    pub correlation_id: &'a str,
    /// Life on the queue; `None` leaves it to the queue.
    pub time_to_live: Option<Duration>,
}

impl std::fmt::Debug for Outgoing<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Outgoing")
            .field("bytes", &self.body.len())
            .field("session_id", &self.session_id)
            .field("message_id", &self.message_id)
            .field("correlation_id", &self.correlation_id)
            .field("time_to_live", &self.time_to_live)
            .finish()
    }
}

/// Client of one namespace.
#[derive(Debug)]
pub struct ServiceBus {
    client: reqwest::Client,
    base: String,
    identity: Arc<ManagedIdentity>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BrokerProperties<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
    correlation_id: &'a str,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_to_live: Option<f64>,
}

impl ServiceBus {
    /// The namespace at this authority, `host` or `host:port` as in `ServiceBus__fullyQualifiedNamespace`; nothing is
    /// called yet.
    #[must_use]
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
    pub async fn warm_up(&self) -> Result<(), ServiceError> {
        self.identity.token(SCOPE).await.map(drop)
    }

    /// Puts a message on a queue; success means that it is durable.
    ///
    /// Repeated once, and only when the connection broke under a message with an id, which duplicate detection then
    /// recognises: a pooled connection that Service Bus closed meanwhile looks exactly like that.
    ///
    /// # Errors
    /// `Unavailable` also for a full queue, `NotFound` for a queue that does not exist, `TooLarge` and `Rejected` for a
    /// message that Service Bus will never take; otherwise Service Bus or the managed identity refused or could not be
    /// reached.
    pub async fn send(&self, queue: &str, message: &Outgoing<'_>) -> Result<(), ServiceError> {
        let token = self.identity.token(SCOPE).await?;
        match self.send_once(queue, message, &token).await {
            Err(error)
                if message.message_id.is_some()
                    && error.kind == ErrorKind::Connection
                    && error.sent == Sent::Maybe =>
            {
                self.send_once(queue, message, &token).await
            }
            result => result,
        }
    }

    async fn send_once(
        &self,
        queue: &str,
        message: &Outgoing<'_>,
        token: &SecretString,
    ) -> Result<(), ServiceError> {
        let queue = address::segment(Service::ServiceBus, queue)?;
        let request = self
            .client
            .post(format!("{}/{queue}/messages", self.base))
            .bearer_auth(token.expose_secret())
            .header("brokerproperties", broker_properties(message)?)
            .header(CONTENT_TYPE, "application/json")
            .body(message.body.clone())
            .timeout(CALL_TIMEOUT);
        let answer = exchange::send(Service::ServiceBus, request, ERROR_BODY_LIMIT).await?;
        if answer.status == StatusCode::CREATED {
            // What follows the status says nothing more.
            return Ok(());
        }
        let mut error = ServiceError::new(Service::ServiceBus, ErrorKind::Malformed, Sent::Maybe);
        error.status = Some(answer.status.as_u16());
        Err(error)
    }
}

/// One line of JSON in visible ASCII, as a header demands.
fn broker_properties(message: &Outgoing<'_>) -> Result<HeaderValue, ServiceError> {
    let unusable = || ServiceError::new(Service::ServiceBus, ErrorKind::Rejected, Sent::No);
    let json = serde_json::to_string(&BrokerProperties {
        session_id: message.session_id,
        message_id: message.message_id,
        correlation_id: message.correlation_id,
        time_to_live: message.time_to_live.map(|life| life.as_secs_f64()),
    })
    .map_err(|_| unusable())?;
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
