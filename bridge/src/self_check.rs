//! What a person who checks the whole bridge leaves for the app: a ticket, for which the app looks at itself once, or a mark, by
//! which a test message is followed from Teams to Genesys Cloud and back.
//!
//! Both lie in Blob, where only operators can write, so neither needs a key of its own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ids::Digest;

/// How long a ticket or a mark counts.
pub const LIFE: Duration = Duration::from_secs(30 * 60);

/// What stands before the number of every mark.
const MARK: &str = "bridge-check-";

/// Digits of a mark's number.
const DIGITS: usize = 8;

/// 32 random bytes in base64url, for which the app looks at itself once. Only its digest is stored.
#[derive(Clone)]
pub struct Ticket(SecretString);

/// A text that is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a ticket")]
pub struct NoTicket;

impl Ticket {
    /// A ticket of these random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random).into())
    }

    /// As it stands in a header.
    #[must_use]
    pub fn text(&self) -> &SecretString {
        &self.0
    }

    /// As it is stored.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("check-ticket", self.0.expose_secret())
    }
}

impl FromStr for Ticket {
    type Err = NoTicket;

    fn from_str(text: &str) -> Result<Self, NoTicket> {
        let random = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoTicket)?;
        Ok(Self::new(random.try_into().map_err(|_| NoTicket)?))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ticket")
    }
}

/// The words by which a test message is known, `BRIDGE-CHECK-` and eight hexadecimal digits, in whatever else it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The mark with this number.
    #[must_use]
    pub fn new(number: u32) -> Self {
        Self(format!("{MARK}{number:08x}"))
    }

    /// The first mark in a text, however its letters are written.
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        text.match_indices(MARK).find_map(|(place, _)| {
            let number = &text[place + MARK.len()..];
            let is_digit = |it: &char| it.is_ascii_digit() || ('a'..='f').contains(it);
            let digits: String = number.chars().take_while(is_digit).collect();
            let ends = number[digits.len()..].chars().next();
            let is_whole =
                digits.len() == DIGITS && !ends.is_some_and(|it| it.is_ascii_alphanumeric());
            is_whole.then(|| Self(format!("{MARK}{digits}")))
        })
    }

    /// As it is stored.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("check-mark", &self.0)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.to_ascii_uppercase())
    }
}

/// Which way a marked message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From Teams to Genesys Cloud.
    ToAgent,
    /// From Genesys Cloud to Teams.
    ToCustomer,
}

/// When a marked message was where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Its own time, by the clock of Teams or Genesys Cloud.
    #[serde(with = "time::serde::rfc3339")]
    pub written: OffsetDateTime,
    /// When the bridge was told of it.
    #[serde(with = "time::serde::rfc3339")]
    pub accepted: OffsetDateTime,
    /// When the other side had taken it.
    #[serde(with = "time::serde::rfc3339")]
    pub delivered: OffsetDateTime,
}

/// What is stored under the digest of a ticket or a mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    #[serde(with = "time::serde::rfc3339")]
    asked_at: OffsetDateTime,
    /// How a marked message came to the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_agent: Option<Leg>,
    /// How the marked answer came to the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_customer: Option<Leg>,
}

impl Check {
    /// One that begins now.
    #[must_use]
    pub fn new(now: OffsetDateTime) -> Self {
        Self {
            asked_at: now,
            to_agent: None,
            to_customer: None,
        }
    }

    /// Whether it counts at this time.
    #[must_use]
    pub fn is_open(&self, now: OffsetDateTime) -> bool {
        now < self.asked_at + LIFE
    }

    /// Notes how a marked message went; false when that is noted already or the check is over, so that nothing is to be stored.
    #[must_use]
    pub fn note(&mut self, way: Way, leg: Leg) -> bool {
        let is_open = self.is_open(leg.delivered);
        let place = match way {
            Way::ToAgent => &mut self.to_agent,
            Way::ToCustomer => &mut self.to_customer,
        };
        let is_new = is_open && place.is_none();
        if is_new {
            *place = Some(leg);
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    proptest! {
        #[test]
        fn a_ticket_is_parsed_back(random in any::<[u8; 32]>()) {
            let ticket = Ticket::new(random);
            let parsed: Ticket = ticket.text().expose_secret().parse().expect("a ticket");
            prop_assert_eq!(parsed.digest(), ticket.digest());
        }

        #[test]
        fn a_mark_is_found_in_whatever_stands_around_it(
            number in any::<u32>(),
            before in "[^a-zA-Z0-9-]{0,9}",
            after in "([^a-zA-Z0-9].{0,9})?",
        ) {
            let mark = Mark::new(number);
            for shown in [mark.to_string(), mark.to_string().to_lowercase()] {
                let text = format!("{before}{shown}{after}");
                prop_assert_eq!(Mark::in_text(&text), Some(mark.clone()), "{}", text);
            }
        }

        #[test]
        fn any_text_can_be_looked_through(text in ".{0,60}") {
            let _ = Mark::in_text(&text);
        }
    }

    #[test]
    fn other_texts_are_none_and_debug_tells_nothing() {
        for text in ["", "a", "bridge-check-", "AAAA"] {
            assert_eq!(text.parse::<Ticket>().err(), Some(NoTicket), "{text}");
        }
        assert_eq!(format!("{:?}", Ticket::new([7; 32])), "Ticket");
        for text in [
            "",
            "BRIDGE-CHECK-",
            "BRIDGE-CHECK-1234567",
            "BRIDGE-CHECK-123456789",
            "BRIDGE-CHECK-12345678x",
            "BRIDGE-CHECK-1234567g",
            "bridge check 12345678",
        ] {
            assert_eq!(Mark::in_text(text), None, "{text}");
        }
        let second = "bridge-check-x BRIDGE-CHECK-00c0ffee!";
        assert_eq!(Mark::in_text(second), Some(Mark::new(0x00c0_ffee)));
    }

    #[test]
    fn each_way_is_noted_once_and_as_long_as_the_check_counts() {
        let start = datetime!(2026-11-28 10:00 UTC);
        let leg = |minute: i64| Leg {
            written: start,
            accepted: start,
            delivered: start + time::Duration::minutes(minute),
        };
        let mut check = Check::new(start);
        assert!(check.note(Way::ToAgent, leg(1)) && !check.note(Way::ToAgent, leg(2)));
        assert_eq!((check.to_agent, check.to_customer), (Some(leg(1)), None));
        assert!(!check.note(Way::ToCustomer, leg(30)), "it is over");
        assert!(check.note(Way::ToCustomer, leg(29)));
        let stored = serde_json::to_string(&check).expect("JSON");
        assert_eq!(serde_json::from_str::<Check>(&stored).ok(), Some(check));
    }
}
