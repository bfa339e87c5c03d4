//! Azure Key Vault secrets.

use std::sync::Arc;

use secrecy::SecretString;

use crate::error::ServiceError;
use crate::identity::ManagedIdentity;

/// One vault.
#[derive(Debug)]
pub struct KeyVault {}

impl KeyVault {
    /// The vault at this URL; nothing is called yet.
    #[must_use]
    pub fn new(client: reqwest::Client, url: &str, identity: Arc<ManagedIdentity>) -> Self {
        let _ = (client, url, identity);
        unimplemented!()
    }

    /// The newest version of a secret, `None` when there is no such secret.
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>, ServiceError> {
        let _ = name;
        unimplemented!()
    }

    /// Stores a new version of a secret.
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn set(&self, name: &str, value: &SecretString) -> Result<(), ServiceError> {
        let _ = (name, value);
        unimplemented!()
    }
}
