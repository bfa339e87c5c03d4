//! The secrets and their versions.

use std::collections::HashMap;
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
    /// All versions, by the secret's name in lower case: the vault does not tell names apart by case.
    secrets: Locked<HashMap<String, Vec<Version>>>,
}

/// One version of a secret.
#[derive(Clone)]
pub(super) struct Version {
    /// 32 lowercase hexadecimal digits.
    pub(super) id: String,
    pub(super) value: String,
    pub(super) created: OffsetDateTime,
}

impl std::fmt::Debug for KeyVault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyVault")
    }
}

impl KeyVault {
    /// An empty vault that accepts the tokens of this Entra ID.
    #[must_use]
    pub fn new(world: Arc<World>, entra: Arc<Entra>) -> Arc<Self> {
        Arc::new(Self {
            world,
            entra,
            secrets: Locked::default(),
        })
    }

    /// Stores a new version of a secret; the older ones stay.
    pub fn set(&self, name: &str, value: &str) {
        self.add(name, value);
    }

    pub(super) fn add(&self, name: &str, value: &str) -> Version {
        let version = Version {
            id: Uuid::new_v4().simple().to_string(),
            value: value.to_owned(),
            created: OffsetDateTime::now_utc(),
        };
        let mut secrets = self.secrets.lock();
        let versions = secrets.entry(name.to_ascii_lowercase()).or_default();
        versions.push(version.clone());
        version
    }

    /// The version with this id, or the newest.
    pub(super) fn version(&self, name: &str, id: Option<&str>) -> Option<Version> {
        let secrets = self.secrets.lock();
        let mut versions = secrets.get(&name.to_ascii_lowercase())?.iter().rev();
        let wanted = |it: &&Version| id.is_none_or(|id| it.id.eq_ignore_ascii_case(id));
        versions.find(wanted).cloned()
    }
}
