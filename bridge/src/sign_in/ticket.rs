//! What a link and a `state` carry.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::ids::{Digest, SupportAccountName};

/// A support account and 32 random bytes: `{account}.{random in base64url}`. Whoever has one may go on with the sign-in of that
/// account, so only its digest is stored.
#[derive(Clone)]
pub struct Ticket {
    account: SupportAccountName,
    text: SecretString,
}

/// A text that is no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a ticket")]
pub struct NoTicket;

impl Ticket {
    /// A ticket of these random bytes.
    #[must_use]
    pub fn new(account: SupportAccountName, random: [u8; 32]) -> Self {
        let text = format!("{}.{}", account.as_str(), URL_SAFE_NO_PAD.encode(random));
        Self {
            account,
            text: text.into(),
        }
    }

    /// The account that signs in.
    #[must_use]
    pub fn account(&self) -> &SupportAccountName {
        &self.account
    }

    /// As it stands in an address.
    #[must_use]
    pub fn text(&self) -> &SecretString {
        &self.text
    }

    /// As it is stored.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("sign-in", self.text.expose_secret())
    }
}

impl FromStr for Ticket {
    type Err = NoTicket;

    fn from_str(text: &str) -> Result<Self, NoTicket> {
        let (account, random) = text.split_once('.').ok_or(NoTicket)?;
        let account = account.parse().map_err(|_| NoTicket)?;
        let random = URL_SAFE_NO_PAD.decode(random).map_err(|_| NoTicket)?;
        let random = random.try_into().map_err(|_| NoTicket)?;
        Ok(Self::new(account, random))
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ticket({:?})", self.account)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_ticket_is_parsed_back(account in "[a-z0-9-]{1,20}", random in any::<[u8; 32]>()) {
            let ticket = Ticket::new(account.parse().expect("a name"), random);
            let parsed: Ticket = ticket.text().expose_secret().parse().expect("a ticket");
            prop_assert_eq!(parsed.account().as_str(), account);
            prop_assert_eq!(parsed.digest(), ticket.digest());
        }
    }

    #[test]
    fn other_texts_are_none_and_debug_tells_nothing() {
        let ticket = Ticket::new("support".parse().expect("a name"), [7; 32]);
        let text = ticket.text().expose_secret();
        let random = text.trim_start_matches("support.");
        for wrong in [
            "",
            "support",
            "support.",
            "support.AAAA",
            random,
            &format!("Support.{random}"),
            &format!("{text}="),
            &format!("{text}A"),
        ] {
            assert_eq!(wrong.parse::<Ticket>().err(), Some(NoTicket), "{wrong}");
        }
        assert!(!format!("{ticket:?}").contains(random));
    }
}
