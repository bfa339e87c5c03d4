//! The content profile: which media types pass each way, as `image/png`, `image/*` or `*/*` (Genesys Cloud Resource Center,
//! "Supported content profiles"; Platform API, model `MediaTypeAccess`).

use serde::{Deserialize, Serialize};

use crate::shared::download::media_type;

/// The media types that pass. An empty list blocks all.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentProfile {
    /// From the customer to the agent.
    inbound: Vec<String>,
    /// From the agent to the customer.
    outbound: Vec<String>,
}

/// The profile that `infra/genesys` deploys. Genesys' own lets only `image/jpeg`, `image/png` and `image/gif` out.
impl Default for ContentProfile {
    fn default() -> Self {
        let all = vec!["*/*".to_owned()];
        Self {
            inbound: all.clone(),
            outbound: all,
        }
    }
}

impl ContentProfile {
    /// Whether every entry is a media type.
    pub fn is_well_formed(&self) -> bool {
        let mut all = self.inbound.iter().chain(&self.outbound);
        all.all(|entry| media_type(entry).is_ok())
    }

    /// Whether a customer's file of this type reaches the agent.
    pub fn lets_in(&self, media_type: &str) -> bool {
        passes(&self.inbound, media_type)
    }

    /// Whether an agent's file of this type is sent.
    pub fn lets_out(&self, media_type: &str) -> bool {
        passes(&self.outbound, media_type)
    }
}

fn passes(allowed: &[String], media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let main = essence.split('/').next().unwrap_or_default();
    let all = ["*/*", essence, &format!("{main}/*")];
    let passes = |entry: &String| all.iter().any(|it| entry.eq_ignore_ascii_case(it));
    allowed.iter().any(passes)
}
