//! Secrets kept in memory, read again when one does not fit.
//!
//! Read in the background at start, then served from memory. A value is read again in the background every hour, so that a
//! withdrawn one stops counting, and at once when something that should match does not ([`Secrets::accepts`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use futures::try_join;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::error::{Service, ServiceError};
use crate::key_vault::KeyVault;
use crate::renewal::{Forced, Lease, Renewal};

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

/// Endings of the names under which a secret's neighbours in a rotation are kept: the one before it, which counts until the
/// far side has long been switched, and the one after it, which counts before the far side is.
const NEIGHBOURS: [&str; 2] = ["-previous", "-next"];

/// The names of the secrets in the vault.
pub mod names {
    /// Signs the `clientState` of Graph's notifications; with neighbours.
    pub const GRAPH_CLIENT_STATE: &str = "graph-client-state";
    /// Private key and certificate, as PEM, with which Graph's rich notifications are decrypted; with neighbours.
    pub const GRAPH_NOTIFICATION_KEY: &str = "graph-notification-key";
    /// The Graph app's client secret, in the mode that has one.
    pub const GRAPH_CLIENT: &str = "graph-client-secret";
    /// Genesys signs its webhooks with it; with neighbours.
    pub const GENESYS_WEBHOOK: &str = "genesys-webhook-secret";
    /// The secret of our OAuth client at Genesys.
    pub const GENESYS_CLIENT: &str = "genesys-client-secret";

    /// The refresh token of a Support User, by the account's configured name.
    #[must_use]
    pub fn refresh_token(account: &str) -> String {
        format!("graph-refresh-token-{account}")
    }
}

/// A secret and its neighbours in a rotation, as far as they exist: the current one first.
#[derive(Debug, Clone, Default)]
pub struct Accepted(Vec<SecretString>);

impl std::ops::Deref for Accepted {
    type Target = [SecretString];

    fn deref(&self) -> &[SecretString] {
        &self.0
    }
}

/// Whether something fits one of the accepted secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Accepts<T> {
    /// It does, and this follows from it.
    Yes(T),
    /// It does not fit what the vault held when it was presented, or later.
    No,
    /// It fits nothing that is known, but the vault may hold another by now: ask the sender to come again.
    CannotTell,
}

/// Secrets of one vault in memory.
#[derive(Debug)]
pub struct Secrets {
    vault: Arc<KeyVault>,
    held: Mutex<HashMap<String, Renewal<Option<SecretString>>>>,
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

    /// The secret `name` with its neighbours `{name}-previous` and `{name}-next`, from memory where possible.
    ///
    /// # Errors
    /// One of them is not in memory, and the vault refused or could not be reached.
    pub async fn accepted(&self, name: &str) -> Result<Accepted, ServiceError> {
        let neighbours = NEIGHBOURS.map(|ending| async move {
            let name = format!("{name}{ending}");
            let renewal = self.renewal(&name);
            // That there is no neighbour is the normal state, so it is remembered as long as a value.
            let fetch = || read(Arc::clone(&self.vault), name, EXPIRES_AFTER);
            renewal.get(fetch).await
        });
        let (current, neighbours) = try_join!(self.get(name), try_join_all(neighbours))?;
        let all = std::iter::once(current).chain(neighbours);
        Ok(Accepted(all.flatten().collect()))
    }

    /// Whether what somebody presented at `presented` fits `name` or a neighbour of it, as `fits` tells for each. When none in
    /// memory does, the vault is read again, once for all that ask meanwhile and at most every 10 s (1 s after a failure): a
    /// rotation must not turn real traffic into forged traffic, nor forged traffic into load on the vault. Only what was read
    /// after `presented` makes a firm [`Accepts::No`], so a forger can be told to come again, and a sender who uses a new secret
    /// is never turned away for good. What one request brings shares its `presented`, and so one reading.
    pub async fn accepts<T>(
        &self,
        name: &str,
        presented: Instant,
        fits: impl Fn(&SecretString) -> Option<T>,
    ) -> Accepts<T> {
        match self.accepted(name).await {
            Ok(known) => {
                if let Some(found) = known.iter().find_map(&fits) {
                    return Accepts::Yes(found);
                }
            }
            Err(_) => return Accepts::CannotTell,
        }
        let Ok((known, is_firm)) = self.read_again(name, presented).await else {
            return Accepts::CannotTell;
        };
        match known.iter().find_map(fits) {
            Some(found) => Accepts::Yes(found),
            // Without any secret nothing could ever fit: somebody has yet to store it.
            None if is_firm && !known.is_empty() => Accepts::No,
            None => Accepts::CannotTell,
        }
    }

    /// The accepted secrets, read again under the same limits as by [`Self::accepts`].
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn reload(&self, name: &str) -> Result<Accepted, ServiceError> {
        let (accepted, _) = self.read_again(name, Instant::now()).await?;
        Ok(accepted)
    }

    /// The accepted secrets, and whether all of them were read after `since`.
    async fn read_again(
        &self,
        name: &str,
        since: Instant,
    ) -> Result<(Accepted, bool), ServiceError> {
        let neighbours = NEIGHBOURS.map(|ending| async move {
            let name = format!("{name}{ending}");
            self.force(&name, since, EXPIRES_AFTER).await
        });
        let current = self.force(name, since, ABSENT_FOR);
        let (current, neighbours) = try_join!(current, try_join_all(neighbours))?;
        let all: Vec<_> = std::iter::once(current).chain(neighbours).collect();
        let is_firm = all.iter().all(|one| matches!(one, Forced::Fresh(_)));
        let all = all.into_iter().filter_map(Forced::into_value);
        Ok((Accepted(all.collect()), is_firm))
    }

    /// One secret without its neighbours, read again under the same limits as [`Self::reload`].
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn reload_single(&self, name: &str) -> Result<Option<SecretString>, ServiceError> {
        let forced = self.force(name, Instant::now(), ABSENT_FOR).await?;
        Ok(forced.into_value())
    }

    /// Whether the secret is in memory and exists.
    #[must_use]
    pub fn is_loaded(&self, name: &str) -> bool {
        self.renewal(name).peek().flatten().is_some()
    }

    async fn force(
        &self,
        name: &str,
        since: Instant,
        absent_for: Duration,
    ) -> Result<Forced<Option<SecretString>>, ServiceError> {
        let fetch = || read(Arc::clone(&self.vault), name.to_owned(), absent_for);
        self.renewal(name)
            .force(since, RELOAD_INTERVAL, RELOAD_AFTER_FAILURE, fetch)
            .await
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
