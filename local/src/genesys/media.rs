//! Agents' files, and the signatures of their addresses.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::download::Download;
use crate::shared::locked::Locked;
use crate::shared::signing::SigningKey;

/// A signed address serves this long, in seconds.
const SIGNED_LIFE: i64 = 3_600;

#[derive(Default)]
pub struct Media {
    key: SigningKey,
    files: Locked<HashMap<String, Arc<AgentFile>>>,
}

pub struct AgentFile {
    pub download: Download,
    /// What the address in the webhook does.
    pub access: Access,
}

/// What the address of a file on the host for downloads does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Serves it.
    #[default]
    Open,
    /// 401
    Unauthorized,
    /// 403
    Forbidden,
}

impl Media {
    /// Keeps a file; its id.
    pub fn keep(&self, file: AgentFile) -> String {
        let id = Uuid::new_v4().to_string();
        self.files.lock().insert(id.clone(), Arc::new(file));
        id
    }

    pub fn file(&self, id: &str) -> Option<Arc<AgentFile>> {
        self.files.lock().get(id).cloned()
    }

    /// The query of a signed address that serves from now on for an hour.
    pub fn signed(&self, id: &str) -> String {
        let expires = OffsetDateTime::now_utc().unix_timestamp() + SIGNED_LIFE;
        let signature = self.signature(id, expires);
        format!("Expires={expires}&Signature={signature}&Key-Pair-Id=LOCAL")
    }

    fn signature(&self, id: &str, expires: i64) -> String {
        self.key.sign(&format!("{id}\n{expires}"))
    }

    /// Whether the query of a signed address is genuine and current.
    pub fn opens(&self, id: &str, query: &HashMap<String, String>) -> bool {
        let expires = query.get("Expires").and_then(|text| text.parse().ok());
        expires.is_some_and(|expires| {
            OffsetDateTime::now_utc().unix_timestamp() < expires
                && query.get("Signature") == Some(&self.signature(id, expires))
        })
    }
}
