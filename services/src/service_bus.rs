//! Azure Service Bus: sending.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::ServiceError;
use crate::identity::ManagedIdentity;

/// A message to send.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// Raw body.
    pub body: Bytes,
    /// Session; at most 128 characters.
    pub session_id: Option<&'a str>,
    /// Id for duplicate detection; at most 128 characters.
    pub message_id: Option<&'a str>,
    /// Journey that the message belongs to.
    pub correlation_id: &'a str,
    /// Life on the queue; `None` leaves it to the queue.
    pub time_to_live: Option<Duration>,
}

/// Client of one namespace.
#[derive(Debug)]
pub struct ServiceBus {}

impl ServiceBus {
    /// The namespace at this authority (`host` or `host:port`); nothing is called yet.
    #[must_use]
    pub fn new(client: reqwest::Client, authority: &str, identity: Arc<ManagedIdentity>) -> Self {
        let _ = (client, authority, identity);
        unimplemented!()
    }

    /// Gets a token, so that the first send need not wait for it.
    ///
    /// # Errors
    /// The managed identity's endpoint refused or could not be reached.
    pub async fn warm_up(&self) -> Result<(), ServiceError> {
        unimplemented!()
    }

    /// Puts a message on a queue; success means that it is durable.
    ///
    /// # Errors
    /// Service Bus refused or could not be reached.
    pub async fn send(&self, queue: &str, message: &Outgoing<'_>) -> Result<(), ServiceError> {
        let _ = (queue, message);
        unimplemented!()
    }
}
