//! The private keys that decrypt rich notifications, found by the certificate id that a notification names.

use std::sync::{Arc, Mutex, PoisonError};

use bridge::teams::unwrap::NotificationKey;
use services::error::ServiceError;
use services::secrets::{Secrets, names};

/// The key and its neighbours in a rotation, parsed once.
#[derive(Debug, Default)]
pub struct NotificationKeys(Mutex<Vec<Arc<NotificationKey>>>);

impl NotificationKeys {
    /// The key of this certificate, read again from Key Vault once when it is not known.
    ///
    /// # Errors
    /// Key Vault refused or could not be reached.
    pub async fn find(
        &self,
        secrets: &Secrets,
        certificate_id: &str,
    ) -> Result<Option<Arc<NotificationKey>>, ServiceError> {
        if let Some(key) = self.known(certificate_id) {
            return Ok(Some(key));
        }
        self.parse(&secrets.accepted(names::GRAPH_NOTIFICATION_KEY).await?);
        if let Some(key) = self.known(certificate_id) {
            return Ok(Some(key));
        }
        self.parse(&secrets.reload(names::GRAPH_NOTIFICATION_KEY).await?);
        Ok(self.known(certificate_id))
    }

    fn known(&self, certificate_id: &str) -> Option<Arc<NotificationKey>> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = keys.iter();
        keys.find(|key| key.certificate_id() == certificate_id)
            .cloned()
    }

    fn parse(&self, pems: &[secrecy::SecretString]) {
        let keys = pems.iter().filter_map(|pem| {
            let key = NotificationKey::from_pem(pem).inspect_err(|error| {
                tracing::error!(event = "notification_key_unusable", %error, "put PKCS#8 key and certificate as PEM into Key Vault");
            });
            key.ok().map(Arc::new)
        });
        let keys = keys.collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}
