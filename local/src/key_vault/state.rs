//! The secrets.

use std::collections::{BTreeMap, HashMap};
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
    /// The newest versions, by the secret's name in lower case: the vault does not tell names apart by case.
    secrets: Locked<HashMap<String, Secret>>,
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

    /// Stores a new version of a secret.
    pub fn set(&self, name: &str, value: &str) -> Secret {
        self.set_tagged(name, value, BTreeMap::new())
    }

    /// Stores a new version of a secret with what is kept beside it; the version before has tags of its own.
    pub(super) fn set_tagged(
        &self,
        name: &str,
        value: &str,
        tags: BTreeMap<String, String>,
    ) -> Secret {
        let secret = Secret {
            id: Uuid::new_v4().simple().to_string(),
            value: value.to_owned(),
            created: OffsetDateTime::now_utc(),
            tags,
        };
        let name = name.to_ascii_lowercase();
        self.secrets.lock().insert(name, secret.clone());
        secret
    }

    /// The newest version of a secret.
    pub(super) fn get(&self, name: &str) -> Option<Secret> {
        self.secrets.lock().get(&name.to_ascii_lowercase()).cloned()
    }
}
