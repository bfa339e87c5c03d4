//! The private keys that decrypt rich notifications, found by the certificate id that a notification names.

use std::sync::{Arc, Mutex, PoisonError};

use bridge::teams::unwrap::NotificationKey;
use services::error::ServiceError;
use services::secrets::{Secrets, names};

/// The key and its neighbours in a rotation, parsed once.
#[derive(Debug)]
pub struct NotificationKeys {
    secrets: Arc<Secrets>,
    parsed: Mutex<Vec<Arc<NotificationKey>>>,
}

impl NotificationKeys {
    /// Keys of this vault; nothing is read yet.
    pub fn new(secrets: Arc<Secrets>) -> Self {
        Self {
            secrets,
            parsed: Mutex::default(),
        }
    }

    /// The key of this certificate, read again from Key Vault once when it is not known.
    ///
    /// # Errors
    /// Key Vault refused or could not be reached.
    pub async fn find(
        &self,
        certificate_id: &str,
    ) -> Result<Option<Arc<NotificationKey>>, ServiceError> {
        if let Some(key) = self.known(certificate_id) {
            return Ok(Some(key));
        }
        self.parse(&self.secrets.accepted(names::GRAPH_NOTIFICATION_KEY).await?);
        if let Some(key) = self.known(certificate_id) {
            return Ok(Some(key));
        }
        self.parse(&self.secrets.reload(names::GRAPH_NOTIFICATION_KEY).await?);
        Ok(self.known(certificate_id))
    }

    fn known(&self, certificate_id: &str) -> Option<Arc<NotificationKey>> {
        self.parsed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|key| key.certificate_id() == certificate_id)
            .cloned()
    }

    fn parse(&self, pems: &[secrecy::SecretString]) {
        let keys = pems
            .iter()
            .filter_map(|pem| match NotificationKey::from_pem(pem) {
                Ok(key) => Some(Arc::new(key)),
                Err(error) => {
                    tracing::error!(event = "notification_key_unusable", %error, "put PKCS#8 key and certificate as PEM into Key Vault");
                    None
                }
            })
            .collect();
        *self.parsed.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}
