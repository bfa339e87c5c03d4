//! The dead letters of a queue, over REST ("Peek-Lock Message", "Delete Message" and "Unlock Message" in the Service Bus REST API
//! reference). The sub-queue has no sessions, even where its queue has: the service answers "Cannot create a MessageSession for a
//! sub-queue", and an ordinary receiver gets all of it.

use std::fmt;

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use super::{SCOPE, ServiceBus};
use crate::address;
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange::{self, ERROR_BODY_LIMIT};
use crate::http::CALL_TIMEOUT;

/// Largest message that is read; the Standard tier takes 256 KB.
const MESSAGE_LIMIT: usize = 1024 * 1024;

/// How long the service may wait for a dead letter to come, in seconds; it is asked for those that are there.
const WAIT: u32 = 1;

/// A message that its queue put aside, locked for us for as long as the queue locks messages.
pub struct DeadLetter {
    /// The exact bytes that were sent.
    pub body: Bytes,
    /// Its session.
    pub session_id: Option<String>,
    /// The sender's `MessageId`.
    pub message_id: Option<String>,
    /// The sender's `CorrelationId`.
    pub correlation_id: Option<String>,
    /// Its number in the queue.
    pub sequence: u64,
    /// How often it was delivered.
    pub delivery_count: u32,
    /// When the queue accepted it.
    pub enqueued_at: Option<OffsetDateTime>,
    /// Why it was put aside, in the service's word.
    pub reason: Option<String>,
    lock: Url,
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DeadLetter({} bytes, {})",
            self.body.len(),
            self.sequence
        )
    }
}

/// The broker's properties, as far as they are asked for.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Properties {
    session_id: Option<String>,
    message_id: Option<String>,
    correlation_id: Option<String>,
    sequence_number: u64,
    delivery_count: u32,
    enqueued_time_utc: Option<String>,
}

impl ServiceBus {
    /// Locks the next dead letter of a queue; nothing when there is none that nobody else holds.
    ///
    /// # Errors
    /// `NotFound` for a queue that does not exist; otherwise Service Bus or the managed identity refused or could not be reached.
    pub async fn lock_dead_letter(&self, queue: &str) -> Result<Option<DeadLetter>> {
        let token = self.identity.token(SCOPE).await?;
        let queue = address::segment(Service::ServiceBus, queue)?;
        let head = format!(
            "{}/{queue}/$deadletterqueue/messages/head?timeout={WAIT}",
            self.base
        );
        let request = self.client.post(head);
        let request = request.bearer_auth(token.expose_secret());
        let request = request.header("content-length", 0).timeout(CALL_TIMEOUT);
        let answer = exchange::send(Service::ServiceBus, request, MESSAGE_LIMIT).await?;
        match answer.status {
            StatusCode::CREATED | StatusCode::OK => {
                let read = self.read(&answer.headers, answer.body?);
                read.ok_or_else(|| malformed(answer.status)).map(Some)
            }
            StatusCode::NO_CONTENT => Ok(None),
            status => Err(malformed(status)),
        }
    }

    /// Removes a dead letter that is locked.
    ///
    /// # Errors
    /// `NotFound` when the lock has ended, and the message is there still; otherwise Service Bus or the managed identity refused
    /// or could not be reached.
    pub async fn complete(&self, letter: &DeadLetter) -> Result<()> {
        self.settle(Method::DELETE, letter).await
    }

    /// Gives a dead letter back that is locked.
    ///
    /// # Errors
    /// Those of [`ServiceBus::complete`].
    pub async fn unlock(&self, letter: &DeadLetter) -> Result<()> {
        self.settle(Method::PUT, letter).await
    }

    async fn settle(&self, method: Method, letter: &DeadLetter) -> Result<()> {
        let token = self.identity.token(SCOPE).await?;
        let request = self.client.request(method, letter.lock.clone());
        let request = request.bearer_auth(token.expose_secret());
        let request = request.header("content-length", 0).timeout(CALL_TIMEOUT);
        let answer = exchange::send(Service::ServiceBus, request, ERROR_BODY_LIMIT).await?;
        match answer.status {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            status => Err(malformed(status)),
        }
    }

    fn read(&self, headers: &HeaderMap, body: Bytes) -> Option<DeadLetter> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let properties = serde_json::from_str::<Properties>(text("brokerproperties")?);
        let properties = properties.ok()?;
        let lock = Url::parse(text(LOCATION.as_str())?).ok()?;
        // Our token goes to nobody else.
        if lock.origin() != Url::parse(&self.base).ok()?.origin() {
            return None;
        }
        let enqueued = properties.enqueued_time_utc;
        let enqueued_at = enqueued.and_then(|at| OffsetDateTime::parse(&at, &Rfc2822).ok());
        Some(DeadLetter {
            body,
            session_id: properties.session_id,
            message_id: properties.message_id,
            correlation_id: properties.correlation_id,
            sequence: properties.sequence_number,
            delivery_count: properties.delivery_count,
            enqueued_at,
            // A property of text comes in quotes ("Message headers and properties").
            reason: text("deadletterreason")
                .and_then(|reason| exchange::identifier(reason.trim_matches('"'))),
            lock,
        })
    }
}

fn malformed(status: StatusCode) -> ServiceError {
    ServiceError {
        status: Some(status.as_u16()),
        ..ServiceError::new(Service::ServiceBus, ErrorKind::Malformed, Sent::Yes)
    }
}

#[cfg(test)]
mod tests;
