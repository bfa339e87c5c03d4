//! Who speaks to the customer: a person or a bot, and by which name (setting `AGENT_NAME`).

use serde_json::Value;

use crate::ids::Digest;
use crate::text::one_line;

/// Most characters of a name.
const LONGEST_NAME: usize = 100;

/// Which name of an agent customers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamePolicy {
    /// None.
    Off,
    /// The first name.
    First,
    /// First and last name.
    Full,
    /// The name that Genesys shows to customers.
    Alias,
}

/// Whoever wrote a message for the customer, as the webhook tells (`channel.from`, `originatingEntity`). `Debug` leaves names out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Speaker {
    /// It is Genesys' bot or a flow, and no person.
    pub is_bot: bool,
    /// First name.
    pub first: Option<String>,
    /// Last name.
    pub last: Option<String>,
    /// The name for customers.
    pub nickname: Option<String>,
}

debug_shows!(Speaker: is_bot);

impl Speaker {
    /// Reads it off a webhook call.
    #[must_use]
    pub(super) fn read(raw: &Value) -> Self {
        let from = &raw["channel"]["from"];
        let name = |field: &str| {
            let name = one_line(from[field].as_str()?, LONGEST_NAME);
            (!name.is_empty()).then_some(name)
        };
        let (first, last) = (name("firstName"), name("lastName"));
        Self {
            is_bot: raw["originatingEntity"] == "Bot",
            // Of nobody in particular it is the integration's own name.
            nickname: name("nickname").filter(|_| first.is_some() || last.is_some()),
            first,
            last,
        }
    }

    /// Somebody of this name, as a conversation's participant has it.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        let name = one_line(name, LONGEST_NAME);
        let (first, last) = match name.split_once(' ') {
            Some((first, last)) => (first.to_owned(), Some(last.to_owned())),
            None => (name.clone(), None),
        };
        Self {
            is_bot: false,
            first: (!first.is_empty()).then_some(first),
            last,
            nickname: (!name.is_empty()).then_some(name),
        }
    }

    /// Whether it is a person of whom no name is known.
    #[must_use]
    pub const fn is_nameless(&self) -> bool {
        !self.is_bot && self.first.is_none() && self.last.is_none() && self.nickname.is_none()
    }

    /// The name that the customer reads; nothing where there is none to show.
    #[must_use]
    pub fn shown(&self, policy: NamePolicy, virtual_agent: &str) -> Option<String> {
        if policy == NamePolicy::Off {
            return None;
        }
        if self.is_bot {
            return Some(virtual_agent.to_owned());
        }
        let full = || {
            let parts = [self.first.as_deref(), self.last.as_deref()];
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        match policy {
            NamePolicy::Off => None,
            NamePolicy::First => self.first.clone().or_else(|| self.nickname.clone()),
            NamePolicy::Full => full().or_else(|| self.nickname.clone()),
            NamePolicy::Alias => self.nickname.clone().or_else(full),
        }
    }
}

/// Stands for a name that was shown.
#[must_use]
pub fn digest(name: &str) -> Digest {
    Digest::of("speaker", name)
}

/// A message with the name of its speaker before it.
#[must_use]
pub fn introduced(name: &str, text: &str) -> String {
    match text {
        "" => format!("{name}:"),
        text => format!("{name}:\n{text}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn which_name_is_shown() {
        let agent = json!({"firstName": "Ada", "lastName": "King", "nickname": "Ada from Support"});
        let nobody = json!({"nickname": "Teams integration"});
        let (first, full, alias) = (NamePolicy::First, NamePolicy::Full, NamePolicy::Alias);
        for (from, entity, policy, name) in [
            (&agent, "Human", NamePolicy::Off, None),
            (&agent, "Human", first, Some("Ada")),
            (&agent, "Human", full, Some("Ada King")),
            (&agent, "Human", alias, Some("Ada from Support")),
            (&agent, "Bot", full, Some("Robot")),
            (&nobody, "Bot", NamePolicy::Off, None),
            (&nobody, "Human", full, None),
            (&json!({"lastName": "King"}), "Human", full, Some("King")),
            (&json!({"lastName": "King"}), "Human", first, None),
            (&json!({"firstName": "  "}), "Human", first, None),
            (&json!({"firstName": "A\nB"}), "Human", first, Some("A B")),
        ] {
            let raw = json!({"channel": {"from": from}, "originatingEntity": entity});
            let shown = Speaker::read(&raw).shown(policy, "Robot");
            assert_eq!(shown.as_deref(), name, "{from} {entity} {policy:?}");
        }
    }

    #[test]
    fn a_participant_has_one_name() {
        let ada = Speaker::of_name("Ada King Noel");
        assert_eq!(ada.shown(NamePolicy::First, "").as_deref(), Some("Ada"));
        assert_eq!(
            ada.shown(NamePolicy::Full, "").as_deref(),
            Some("Ada King Noel")
        );
        assert!(Speaker::of_name(" ").is_nameless() && !ada.is_nameless());
        assert!(!format!("{ada:?}").contains("Ada"));
    }
}
