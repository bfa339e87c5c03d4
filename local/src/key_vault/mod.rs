//! Key Vault, simulated: secrets with their versions.
//!
//! Source: Azure Key Vault REST API reference, "Get Secret", "Set Secret"; "Authentication, requests and responses"
//! (the challenge).

mod api;
mod control;
mod secrets;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;

use self::secrets::Secrets;
use crate::entra::Entra;
use crate::world::World;

/// The simulated vault.
pub struct KeyVault {
    world: Arc<World>,
    entra: Arc<Entra>,
    secrets: Mutex<Secrets>,
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
            secrets: Mutex::default(),
        })
    }

    /// The routes of the vault: `GET` and `PUT /secrets/{name}`, `GET /secrets/{name}/{version}`.
    pub fn router(self: &Arc<Self>) -> Router {
        api::router(Arc::clone(self))
    }

    /// `GET` and `PUT /local/key-vault/secrets/{name}`, without a token.
    pub fn control(self: &Arc<Self>) -> Router {
        control::router(Arc::clone(self))
    }

    /// Stores a new version of a secret; the older ones stay. Names differ not by case alone.
    pub fn set(&self, name: &str, value: &str) {
        self.secrets().set(name, value);
    }

    /// The newest version of a secret, `None` when there is no such secret.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.secrets()
            .newest(name)
            .map(|version| version.value.clone())
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
