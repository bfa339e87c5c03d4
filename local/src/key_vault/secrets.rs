//! The secrets and their versions.

use std::collections::HashMap;

use time::OffsetDateTime;
use uuid::Uuid;

/// One version of a secret.
#[derive(Clone)]
pub(super) struct Version {
    /// 32 lowercase hexadecimal digits.
    pub(super) id: String,
    pub(super) value: String,
    pub(super) created: OffsetDateTime,
}

/// All versions, by the secret's name in lower case: the vault does not tell names apart by case.
#[derive(Default)]
pub(super) struct Secrets(HashMap<String, Vec<Version>>);

impl Secrets {
    /// Adds a version and returns it.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Version {
        let version = Version {
            id: Uuid::new_v4().simple().to_string(),
            value: value.to_owned(),
            created: OffsetDateTime::now_utc(),
        };
        self.0
            .entry(name.to_ascii_lowercase())
            .or_default()
            .push(version.clone());
        version
    }

    /// The version that counts.
    pub(super) fn newest(&self, name: &str) -> Option<&Version> {
        self.0.get(&name.to_ascii_lowercase())?.last()
    }

    /// One version by its id.
    pub(super) fn version(&self, name: &str, id: &str) -> Option<&Version> {
        self.0
            .get(&name.to_ascii_lowercase())?
            .iter()
            .find(|version| version.id.eq_ignore_ascii_case(id))
    }
}
