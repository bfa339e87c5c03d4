//! The content profile: which media types pass, each way (Genesys Cloud Resource Center, "Supported content profiles"; Platform
//! API, model `MediaTypeAccess`).

use serde::{Deserialize, Serialize};

/// Largest file that passes, in bytes.
pub const LARGEST_MEDIA: u64 = 25 * 1024 * 1024;

/// The media types that pass: `image/png`, `image/*` or `*/*`. An empty list blocks all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentProfile {
    /// From the customer to the agent.
    pub inbound: Vec<String>,
    /// From the agent to the customer.
    pub outbound: Vec<String>,
}

impl Default for ContentProfile {
    fn default() -> Self {
        let all = || vec!["*/*".to_owned()];
        Self {
            inbound: all(),
            outbound: all(),
        }
    }
}

impl ContentProfile {
    /// The first entry that is no media type.
    pub fn malformed(&self) -> Option<&str> {
        let mut all = self.inbound.iter().chain(&self.outbound);
        let wrong = |entry: &&String| {
            entry
                .split_once('/')
                .is_none_or(|(main, sub)| main.is_empty() || sub.is_empty())
        };
        all.find(wrong).map(String::as_str)
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
    let Some((main, _)) = essence.split_once('/') else {
        return false;
    };
    allowed.iter().any(|entry| match entry.split_once('/') {
        Some(("*", "*")) => true,
        Some((own, "*")) => own.eq_ignore_ascii_case(main),
        _ => entry.eq_ignore_ascii_case(essence),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_pass_by_name_by_kind_or_all() {
        let own = |entries: &[&str]| entries.iter().map(|it| (*it).to_owned()).collect();
        let profile = ContentProfile {
            inbound: own(&["image/*", "application/pdf"]),
            outbound: Vec::new(),
        };
        assert!(profile.lets_in("image/png"));
        assert!(profile.lets_in("IMAGE/PNG"));
        assert!(profile.lets_in("application/pdf; charset=x"));
        assert!(!profile.lets_in("application/zip"));
        assert!(!profile.lets_in("imagery/png"));
        assert!(!profile.lets_in("image"));
        assert!(!profile.lets_out("image/png"));
        assert!(ContentProfile::default().lets_out("a/b"));
        assert_eq!(profile.malformed(), None);
        let wrong = ContentProfile {
            outbound: own(&["image"]),
            ..profile
        };
        assert_eq!(wrong.malformed(), Some("image"));
    }
}
