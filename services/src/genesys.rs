//! Genesys Cloud: Open Messaging inbound messages and receipts.

use std::sync::Arc;

use bytes::Bytes;

use crate::error::ServiceError;
use crate::secrets::Secrets;

/// What Genesys answers to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedMessage {
    /// Genesys' id of the message.
    pub id: String,
}

/// Client of one Open Messaging integration.
#[derive(Debug)]
pub struct Genesys {}

impl Genesys {
    /// Nothing is called yet. `api` and `login` are the endpoints, for example `https://api.mypurecloud.de`.
    #[must_use]
    pub fn new(
        client: reqwest::Client,
        api: &str,
        login: &str,
        integration: &str,
        client_id: &str,
        secrets: Arc<Secrets>,
    ) -> Self {
        let _ = (client, api, login, integration, client_id, secrets);
        unimplemented!()
    }

    /// Posts a customer's message.
    ///
    /// # Errors
    /// Genesys refused or could not be reached.
    pub async fn post_message(
        &self,
        json: impl Into<Bytes>,
        correlation: &str,
    ) -> Result<PostedMessage, ServiceError> {
        let _ = (json.into(), correlation);
        unimplemented!()
    }

    /// Posts a receipt for an agent's message.
    ///
    /// # Errors
    /// Genesys refused or could not be reached.
    pub async fn post_receipt(
        &self,
        json: impl Into<Bytes>,
        correlation: &str,
    ) -> Result<(), ServiceError> {
        let _ = (json.into(), correlation);
        unimplemented!()
    }

    /// Whether Genesys accepts our token.
    ///
    /// # Errors
    /// Genesys refused or could not be reached.
    pub async fn probe(&self) -> Result<(), ServiceError> {
        unimplemented!()
    }
}
