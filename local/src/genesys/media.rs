//! Agents' files, and the signatures of their addresses.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::{hmac, rand};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::shared::download::Download;
use crate::shared::locked::Locked;

/// A signed address serves this long, in seconds.
const SIGNED_LIFE: i64 = 3_600;

/// All files of agents.
pub struct Media {
    key: hmac::Key,
    files: Locked<HashMap<String, Arc<AgentFile>>>,
}

/// One file.
#[derive(Debug)]
pub struct AgentFile {
    /// Its bytes, and how they come.
    pub download: Download,
    /// What the address in the webhook does.
    pub access: Access,
}

/// What the address of a file on the host for downloads does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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

impl fmt::Debug for Media {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Media")
    }
}

impl Media {
    /// No files.
    ///
    /// # Panics
    /// When the system has no random numbers.
    pub fn new() -> Self {
        let mut secret = [0; 32];
        rand::fill(&mut secret).expect("the system has random numbers");
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            files: Locked::default(),
        }
    }

    /// Keeps a file; its id.
    pub fn keep(&self, file: AgentFile) -> String {
        let id = Uuid::new_v4().to_string();
        self.files.lock().insert(id.clone(), Arc::new(file));
        id
    }

    /// A file that was kept.
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
        let tag = hmac::sign(&self.key, format!("{id}\n{expires}").as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
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
