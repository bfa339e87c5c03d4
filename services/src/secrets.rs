//! Secrets kept in memory, read again when one does not fit.
//!
//! Read in the background at start, then served from memory. A value is read again in the background every hour, so that a
//! withdrawn one stops counting, and at once when something that should match does not ([`Secrets::reload`]).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::SecretString;

use crate::error::{Service, ServiceError};
use crate::key_vault::KeyVault;
use crate::renewal::{Lease, Renewal};

/// Age at which a secret is read again in the background.
const RENEWED_AFTER: Duration = Duration::from_secs(3600);

/// Age at which a secret is no longer used. While the vault is away the old value is better than none, so this is long.
const EXPIRES_AFTER: Duration = Duration::from_secs(24 * 3600);

/// How long a secret that must exist counts as absent: somebody is about to store it.
const ABSENT_FOR: Duration = Duration::from_secs(10);

/// Least time between two reloads of one secret: forged traffic must not become load on the vault.
const RELOAD_INTERVAL: Duration = Duration::from_secs(10);

/// Least time between two reloads after one that failed.
const RELOAD_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Ending of the name under which the secret next to the current one is kept.
const PREVIOUS: &str = "-previous";

/// A secret and its neighbour in a rotation, while both count.
#[derive(Debug, Clone, Default)]
pub struct Pair {
    /// The secret in use.
    pub current: Option<SecretString>,
    /// The one that counts beside it, if any.
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
pub struct Secrets {
    vault: Arc<KeyVault>,
    held: Mutex<HashMap<String, Renewal<Option<SecretString>>>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(vault: Arc<KeyVault>) -> Self {
        Self {
            vault,
            held: Mutex::default(),
        }
    }

    /// The vault behind this memory, for what must be read or written there.
    #[must_use]
    pub fn vault(&self) -> &KeyVault {
        &self.vault
    }

    /// The secret from memory, read from the vault the first time; `None` when the vault has none.
    ///
    /// # Errors
    /// There is nothing in memory, and the vault refused or could not be reached.
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>, ServiceError> {
        self.renewal(name)
            .get(|| read(Arc::clone(&self.vault), name.to_owned(), ABSENT_FOR))
            .await
    }

    /// The secret `name` and its neighbour `{name}-previous`, from memory where possible.
    ///
    /// # Errors
    /// One of them is not in memory, and the vault refused or could not be reached.
    pub async fn pair(&self, name: &str) -> Result<Pair, ServiceError> {
        let neighbour = format!("{name}{PREVIOUS}");
        let renewal = self.renewal(&neighbour);
        // That there is no neighbour is the normal state, so it is remembered as long as a value.
        let previous = renewal.get(|| read(Arc::clone(&self.vault), neighbour, EXPIRES_AFTER));
        let (current, previous) = futures::try_join!(self.get(name), previous)?;
        Ok(Pair { current, previous })
    }

    /// The pair, read again from the vault because something did not match. Concurrent callers share one read, and after a
    /// read there is none for 10 s (1 s when it failed): until then the result stands.
    ///
    /// # Errors
    /// The vault refused or could not be reached: whether the thing would match cannot be told.
    pub async fn reload(&self, name: &str) -> Result<Pair, ServiceError> {
        let neighbour = format!("{name}{PREVIOUS}");
        let (current, previous) = futures::try_join!(
            self.reload_one(name, ABSENT_FOR),
            self.reload_one(&neighbour, EXPIRES_AFTER)
        )?;
        Ok(Pair { current, previous })
    }

    /// One secret without its neighbour, read again under the same limits as [`Self::reload`].
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn reload_single(&self, name: &str) -> Result<Option<SecretString>, ServiceError> {
        self.reload_one(name, ABSENT_FOR).await
    }

    /// Whether the secret is in memory and exists.
    #[must_use]
    pub fn is_loaded(&self, name: &str) -> bool {
        self.renewal(name).peek().flatten().is_some()
    }

    async fn reload_one(
        &self,
        name: &str,
        absent_for: Duration,
    ) -> Result<Option<SecretString>, ServiceError> {
        let fetch = || read(Arc::clone(&self.vault), name.to_owned(), absent_for);
        let renewal = self.renewal(name);
        let forced = renewal
            .force(RELOAD_INTERVAL, RELOAD_AFTER_FAILURE, fetch)
            .await?;
        Ok(forced.into_value())
    }

    fn renewal(&self, name: &str) -> Renewal<Option<SecretString>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get(name) {
            Some(renewal) => renewal.clone(),
            None => {
                let renewal = Renewal::new(Service::KeyVault);
                held.insert(name.to_owned(), renewal.clone());
                renewal
            }
        }
    }
}

async fn read(
    vault: Arc<KeyVault>,
    name: String,
    absent_for: Duration,
) -> Result<Lease<Option<SecretString>>, ServiceError> {
    let value = vault.get(&name).await?;
    let expires_after = if value.is_some() {
        EXPIRES_AFTER
    } else {
        absent_for
    };
    Ok(Lease {
        value,
        renew_after: RENEWED_AFTER.min(expires_after),
        expires_after,
    })
}

#[cfg(test)]
mod tests;
