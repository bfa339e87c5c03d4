//! The secrets, their versions, and who may write them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::entra::Entra;
use crate::shared::locked::Locked;
use crate::world::World;

/// The simulated vault.
pub struct KeyVault {
    pub(super) world: Arc<World>,
    pub(super) entra: Arc<Entra>,
    /// By the secret's name in lower case: the vault does not tell names apart by case.
    secrets: Locked<HashMap<String, Kept>>,
    /// Names of the secrets that the managed identity may write, in lower case; all when nothing is set.
    writable: Locked<Option<BTreeSet<String>>>,
}

/// A secret with its history.
#[derive(Default)]
struct Kept {
    /// The oldest comes first.
    versions: Vec<Secret>,
    /// Since when it waits to be recovered or purged.
    deleted: Option<OffsetDateTime>,
}

/// One version of a secret.
#[derive(Clone)]
pub struct Secret {
    /// 32 lowercase hexadecimal digits.
    pub(super) id: String,
    pub(super) value: String,
    pub(super) created: OffsetDateTime,
    pub(super) tags: BTreeMap<String, String>,
}

/// Why a secret cannot be written: one of this name is deleted and can still be recovered.
#[derive(Debug)]
pub struct Deleted;

impl KeyVault {
    /// An empty vault that accepts the tokens of this Entra ID.
    #[must_use]
    pub fn new(world: Arc<World>, entra: Arc<Entra>) -> Arc<Self> {
        Arc::new(Self {
            world,
            entra,
            secrets: Locked::default(),
            writable: Locked::default(),
        })
    }

    /// Stores a new version of a secret with what is kept beside it; the version before has tags of its own.
    pub(super) fn set(
        &self,
        name: &str,
        value: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<Secret, Deleted> {
        let mut secrets = self.secrets.lock();
        let kept = secrets.entry(key(name)).or_default();
        kept.add(value, tags, self.world.clock.now())
    }

    /// Stores a first version of a secret where there is none, as a deployment does; whether it was stored.
    ///
    /// # Errors
    /// One of this name is deleted.
    pub fn place(&self, name: &str, value: &str) -> Result<bool, Deleted> {
        let mut secrets = self.secrets.lock();
        let kept = secrets.entry(key(name)).or_default();
        if kept.deleted.is_none() && !kept.versions.is_empty() {
            return Ok(false);
        }
        let added = kept.add(value, BTreeMap::new(), self.world.clock.now());
        added.map(|_| true)
    }

    /// The newest version of a secret.
    pub(super) fn get(&self, name: &str) -> Option<Secret> {
        self.versions(name).pop()
    }

    /// All versions of a secret, the oldest first; none when there is no such secret.
    pub(super) fn versions(&self, name: &str) -> Vec<Secret> {
        let secrets = self.secrets.lock();
        let kept = secrets.get(&key(name)).filter(|it| it.deleted.is_none());
        kept.map(|it| it.versions.clone()).unwrap_or_default()
    }

    /// Deletes a secret with all its versions: it can be recovered, and until it is its name cannot be used. The newest
    /// version, when there was such a secret.
    pub(super) fn delete(&self, name: &str, now: OffsetDateTime) -> Option<Secret> {
        let mut secrets = self.secrets.lock();
        let kept = secrets.get_mut(&key(name));
        let kept = kept.filter(|it| it.deleted.is_none())?;
        kept.deleted = Some(now);
        kept.versions.last().cloned()
    }

    /// Makes every version so much older.
    pub(crate) fn age(&self, passed: time::Duration) {
        let mut secrets = self.secrets.lock();
        let versions = secrets.values_mut().flat_map(|it| &mut it.versions);
        versions.for_each(|version| version.created -= passed);
    }

    /// Takes a deletion back; whether there was one.
    pub(super) fn recover(&self, name: &str) -> bool {
        let mut secrets = self.secrets.lock();
        let kept = secrets.get_mut(&key(name));
        kept.is_some_and(|it| it.deleted.take().is_some())
    }

    /// Whether the managed identity may write a secret.
    pub(super) fn may_write(&self, name: &str) -> bool {
        let writable = self.writable.lock();
        let listed = writable.as_ref().map(|it| it.contains(&key(name)));
        listed.unwrap_or(true)
    }

    /// Lets the managed identity write these secrets only, or all. Azure assigns a role only on a secret that is there.
    ///
    /// # Errors
    /// The first name that is none of a secret.
    pub(super) fn let_write(&self, names: Option<Vec<String>>) -> Result<(), String> {
        let missing = |name: &&String| self.get(name).is_none();
        if let Some(missing) = names.iter().flatten().find(missing) {
            return Err(missing.clone());
        }
        let names = names.map(|names| names.iter().map(|name| key(name)).collect());
        *self.writable.lock() = names;
        Ok(())
    }
}

impl Kept {
    fn add(
        &mut self,
        value: &str,
        tags: BTreeMap<String, String>,
        created: OffsetDateTime,
    ) -> Result<Secret, Deleted> {
        if self.deleted.is_some() {
            return Err(Deleted);
        }
        let secret = Secret {
            id: Uuid::new_v4().simple().to_string(),
            value: value.to_owned(),
            created,
            tags,
        };
        self.versions.push(secret.clone());
        Ok(secret)
    }
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}
