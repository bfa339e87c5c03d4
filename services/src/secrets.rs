//! Secrets kept in memory, read again when one does not fit.

use std::sync::Arc;

use secrecy::SecretString;

use crate::error::ServiceError;
use crate::key_vault::KeyVault;

/// A secret and the one before it, while both count.
#[derive(Debug, Clone, Default)]
pub struct Pair {
    /// The secret in use.
    pub current: Option<SecretString>,
    /// The one before (or after) it, still accepted.
    pub previous: Option<SecretString>,
}

impl Pair {
    /// Those that exist, the current one first.
    #[must_use]
    pub fn present(&self) -> Vec<SecretString> {
        self.current.iter().chain(&self.previous).cloned().collect()
    }
}

/// Secrets of one vault in memory.
#[derive(Debug)]
pub struct Secrets {}

impl Secrets {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(vault: Arc<KeyVault>) -> Self {
        let _ = vault;
        unimplemented!()
    }

    /// The secret from memory, read from the vault the first time.
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>, ServiceError> {
        let _ = name;
        unimplemented!()
    }

    /// The secret and `{name}-previous`.
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn pair(&self, name: &str) -> Result<Pair, ServiceError> {
        let _ = name;
        unimplemented!()
    }

    /// The pair, read again from the vault unless that happened in the last 10 s.
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn reload(&self, name: &str) -> Result<Pair, ServiceError> {
        let _ = name;
        unimplemented!()
    }

    /// Whether the secret is in memory and exists.
    #[must_use]
    pub fn is_loaded(&self, name: &str) -> bool {
        let _ = name;
        unimplemented!()
    }
}
