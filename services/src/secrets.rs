//! Secrets kept in memory, read again when one does not fit.
//!
//! Read in the background at start, then served from memory. A value is read again in the background every hour, so that a
//! withdrawn one stops counting, and at once when something that should match does not ([`Secrets::accepts`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::join;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::key_vault::{KeyVault, Keyed};
use crate::renewal::{Forced, Lease, Renewal};

/// Age at which a secret is read again in the background.
const RENEWED_AFTER: Duration = Duration::from_secs(3600);

/// Age at which a secret is no longer used. While the vault is away the old value is better than none, so this is long.
const EXPIRES_AFTER: Duration = Duration::from_secs(24 * 3600);

/// How long a secret that must exist counts as absent: somebody is about to store it. Of a neighbour it is the normal state.
const ABSENT_FOR: Duration = Duration::from_secs(10);

/// Least time between two reloads of one secret: forged traffic must not become load on the vault. Whoever presents something
/// that does not fit is kept waiting for so long at the most, so it lies well below the time limits of both senders.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);

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
    /// The bot's client secret, in the mode that has one.
    pub const BOT_CLIENT: &str = "bot-client-secret";
    /// Genesys signs its webhooks with it; with neighbours.
    pub const GENESYS_WEBHOOK: &str = "genesys-webhook-secret";
    /// Genesys' workflow shows it with word of a conversation's end; with neighbours.
    pub const GENESYS_ENDED: &str = "genesys-ended-secret";
    /// The secret of our OAuth client at Genesys, of the first where there are several.
    pub const GENESYS_CLIENT: &str = "genesys-client-secret";

    /// What is nobody's to choose: the app makes it where it is missing, and replaces it.
    pub const MADE: [&str; 3] = [GRAPH_CLIENT_STATE, GRAPH_NOTIFICATION_KEY, GENESYS_WEBHOOK];

    /// The neighbour of a secret that came before it.
    #[must_use]
    pub fn previous(name: &str) -> String {
        format!("{name}{}", super::NEIGHBOURS[0])
    }

    /// The neighbour of a secret that comes after it.
    #[must_use]
    pub fn next(name: &str) -> String {
        format!("{name}{}", super::NEIGHBOURS[1])
    }

    /// The secret of a further OAuth client at Genesys, by the client's id.
    #[must_use]
    pub fn further_genesys_client(id: &str) -> String {
        format!("{GENESYS_CLIENT}-{id}")
    }

    /// The refresh token of a Support User, by the account's configured name.
    #[must_use]
    pub fn refresh_token(account: &str) -> String {
        format!("graph-refresh-token-{account}")
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
    /// By name: the secret itself, then its neighbours.
    held: Mutex<HashMap<String, [Held; 3]>>,
}

/// One secret in memory, as far as it exists.
type Held = Renewal<Option<Keyed>>;

impl Secrets {
    /// Nothing is read yet.
    pub fn new(vault: Arc<KeyVault>) -> Self {
        Self {
            vault,
            held: Mutex::default(),
        }
    }

    /// The vault behind this memory, for what must be read or written there.
    pub fn vault(&self) -> &KeyVault {
        &self.vault
    }

    /// The secret from memory, read from the vault the first time; `None` when the vault has none.
    ///
    /// # Errors
    /// There is nothing in memory, and the vault refused or could not be reached.
    pub async fn get(&self, name: &str) -> Result<Option<SecretString>> {
        Ok(self.held(name)[0].get().await?.map(|it| it.value))
    }

    /// The secret `name`, then its neighbours `{name}-previous` and `{name}-next`, as far as they exist; from memory where
    /// possible.
    ///
    /// # Errors
    /// One of them is not in memory, and the vault refused or could not be reached.
    pub async fn accepted(&self, name: &str) -> Result<Vec<SecretString>> {
        let [current, previous, next] = each(&self.held(name)).await;
        let all = [current?, previous?, next?];
        Ok(all.into_iter().flatten().map(|it| it.value).collect())
    }

    /// Whether what somebody presented at `presented` fits `name` or a neighbour of it, as `fits` tells for each. When none in
    /// memory does, the vault is read again, once for all that ask meanwhile and at most once a second: a
    /// rotation must not turn real traffic into forged traffic, nor forged traffic into load on the vault. Only what was read
    /// after `presented` makes a firm [`Accepts::No`], so a forger can be told to come again, and a sender who uses a new secret
    /// is never turned away for good. What one request brings shares its `presented`, and so one reading.
    pub async fn accepts<T>(
        &self,
        name: &str,
        presented: Instant,
        fits: impl Fn(&SecretString) -> Option<T>,
    ) -> Accepts<T> {
        let held = self.held(name);
        let known = each(&held).await;
        let mut values = known.iter().flatten().flatten().map(|it| &it.value);
        if let Some(found) = values.find_map(&fits) {
            return Accepts::Yes(found);
        }
        if known.iter().any(Result::is_err) {
            return Accepts::CannotTell;
        }
        // The last reading may have been a moment ago, for somebody else: then there is one more.
        for is_last in [false, true] {
            let read = each_again(&held, presented).await;
            let is_known = read.iter().all(Result::is_ok);
            let is_firm = read.iter().all(|one| matches!(one, Ok(Forced::Fresh(_))));
            let read = read.into_iter().flatten().filter_map(Forced::into_value);
            let read: Vec<_> = read.collect();
            match read.iter().find_map(|it| fits(&it.value)) {
                Some(found) => return Accepts::Yes(found),
                // Without any secret nothing could ever fit: somebody has yet to store it.
                None if read.is_empty() || !is_known => break,
                None if is_firm => return Accepts::No,
                None if is_last => break,
                None => sleep(RELOAD_INTERVAL).await,
            }
        }
        Accepts::CannotTell
    }

    /// The accepted secrets, read again under the same limits as by [`Self::accepts`].
    ///
    /// # Errors
    /// The vault refused or could not be reached.
    pub async fn reload(&self, name: &str) -> Result<Vec<SecretString>> {
        let [current, previous, next] = each_again(&self.held(name), Instant::now()).await;
        let all = [current?, previous?, next?].into_iter();
        let read = all.filter_map(Forced::into_value);
        Ok(read.map(|it| it.value).collect())
    }

    /// Proves who we are with a client's secret, by `grant`. One that is missing, or that the service does not know
    /// (`Configuration`), is read again under the limits of [`Self::accepts`]: a rotation may have stored the next one.
    ///
    /// # Errors
    /// Those of `grant`, `Configuration` when there is no secret; otherwise the vault refused or could not be reached.
    pub(crate) async fn prove<T, F>(
        &self,
        service: Service,
        name: &str,
        grant: impl Fn(Keyed) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let attempt = |secret: Option<Keyed>| async {
            let missing = ServiceError::new(service, ErrorKind::Configuration, Sent::No);
            let secret = secret.ok_or_else(|| missing.with_code("no_client_secret"))?;
            grant(secret).await
        };
        let held = self.held(name);
        match attempt(held[0].get().await?).await {
            Err(error) if error.kind == ErrorKind::Configuration => {
                let newer = force(&held[0], Instant::now()).await?;
                attempt(newer.into_value()).await
            }
            result => result,
        }
    }

    /// Whether the secret is in memory and exists.
    pub fn is_loaded(&self, name: &str) -> bool {
        self.held(name)[0].peek().flatten().is_some()
    }

    fn held(&self, name: &str) -> [Held; 3] {
        let one = |ending: &str, absent_for| {
            let (vault, name) = (Arc::clone(&self.vault), format!("{name}{ending}"));
            let read = move || read(Arc::clone(&vault), name.clone(), absent_for);
            Renewal::new(Service::KeyVault, read)
        };
        let with_neighbours = || {
            let [previous, next] = NEIGHBOURS.map(|ending| one(ending, EXPIRES_AFTER));
            [one("", ABSENT_FOR), previous, next]
        };
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = held.entry(name.to_owned());
        held.or_insert_with(with_neighbours).clone()
    }
}

async fn each(held: &[Held; 3]) -> [Result<Option<Keyed>>; 3] {
    let [current, previous, next] = held.each_ref().map(Held::get);
    join!(current, previous, next).into()
}

/// The same, read after `since` where the limits allow it.
async fn each_again(held: &[Held; 3], since: Instant) -> [Result<Forced<Option<Keyed>>>; 3] {
    let [current, previous, next] = held.each_ref().map(|one| force(one, since));
    join!(current, previous, next).into()
}

async fn force(held: &Held, since: Instant) -> Result<Forced<Option<Keyed>>> {
    let after_failure = RELOAD_AFTER_FAILURE;
    held.force(since, RELOAD_INTERVAL, after_failure).await
}

/// Reads a secret, and remembers for this long that it is absent.
async fn read(
    vault: Arc<KeyVault>,
    name: String,
    absent_for: Duration,
) -> Result<Lease<Option<Keyed>>> {
    let value = vault.keyed(&name).await?;
    let expires_after = value.as_ref().map_or(absent_for, |_| EXPIRES_AFTER);
    Ok(Lease {
        value,
        renew_after: RENEWED_AFTER.min(expires_after),
        expires_after,
    })
}

#[cfg(test)]
mod tests;
