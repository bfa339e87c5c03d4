//! Thread ids: the `from.id` that we send to Genesys and the `to.id` that comes back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Digest, InvalidId, SupportAccountName, UserId};

/// One customer-side conversation as Genesys sees it: ASCII, URL-safe, at most 255 characters. One spelling for each thread.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ThreadId {
    /// The support account, and with it the outbound lane.
    pub account: SupportAccountName,
    /// The other side.
    pub party: Party,
    /// Threads of the same parties before this one; 0 is not written.
    pub counter: u32,
}

/// Whom the support account talks to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// A customer in a one-to-one chat: `teams:{account}:{Entra object id}`. Made by [`Party::of`].
    Customer(UserId),
    /// A customer without an Entra object id: `teams-guest:{account}:{digest of the user id}`. The id itself can be a phone
    /// number or a mail address, and of any length and script.
    Guest(Digest),
    /// A group chat: `teams-chat:{account}:{digest of the chat id}`.
    Group(Digest),
}

impl Party {
    /// The customer of a one-to-one chat.
    #[must_use]
    pub fn of(user: &UserId) -> Self {
        match user.is_entra() {
            true => Self::Customer(user.clone()),
            false => Self::Guest(user.digest()),
        }
    }
}

impl ThreadId {
    /// The same parties with another counter.
    #[must_use]
    pub fn with_counter(self, counter: u32) -> Self {
        Self { counter, ..self }
    }

    /// Stands for the thread in blob names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("thread", &self.to_string())
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, party) = match &self.party {
            Party::Customer(user) => ("teams", user.as_str()),
            Party::Guest(user) => ("teams-guest", user.as_str()),
            Party::Group(chat) => ("teams-chat", chat.as_str()),
        };
        write!(formatter, "{kind}:{}:{party}", self.account.as_str())?;
        match self.counter {
            0 => Ok(()),
            counter => write!(formatter, ":{counter}"),
        }
    }
}

impl FromStr for ThreadId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId("thread id");
        let fields: Vec<&str> = text.splitn(5, ':').collect();
        let (kind, account, party, counter) = match fields[..] {
            [kind, account, party] => (kind, account, party, "0"),
            [kind, account, party, counter] => (kind, account, party, counter),
            _ => return Err(INVALID),
        };
        let thread = Self {
            account: account.parse()?,
            party: match kind {
                "teams" => match Party::of(&party.parse()?) {
                    Party::Customer(user) => Party::Customer(user),
                    _ => return Err(INVALID),
                },
                "teams-guest" => Party::Guest(party.parse()?),
                "teams-chat" => Party::Group(party.parse()?),
                _ => return Err(INVALID),
            },
            counter: counter.parse().map_err(|_| INVALID)?,
        };
        // No capitals, no `:0`, no leading zeros or signs.
        (thread.to_string() == text)
            .then_some(thread)
            .ok_or(INVALID)
    }
}

stored_as_text!(ThreadId, |thread: ThreadId| thread.to_string());

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thread() -> impl Strategy<Value = ThreadId> {
        let account = "[a-z0-9-]{1,20}";
        let entra = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
        let user = prop_oneof![entra, "[+0-9a-z.:_@-]{1,256}", "[^\\pC\\s]{1,256}"];
        (account, user, any::<u32>(), any::<bool>()).prop_map(|(account, user, counter, group)| {
            let account = account.parse().expect("a name");
            let party = if group {
                Party::Group(Digest::of("chat", &user))
            } else {
                Party::of(&user.parse().expect("an id"))
            };
            ThreadId {
                account,
                party,
                counter,
            }
        })
    }

    #[test]
    fn each_thread_has_one_spelling() {
        let anna = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a";
        let is_taken = |text: &str| text.parse::<ThreadId>().is_ok();
        assert!(is_taken(anna) && is_taken(&format!("{anna}:1")));
        for counter in ["", "0", "01", "+1", "-1", "1:2", "4294967296"] {
            assert!(!is_taken(&format!("{anna}:{counter}")), "{counter}");
        }
        assert!(!is_taken(&anna.replace("0f0e", "0F0E")));
    }

    proptest! {
        #[test]
        fn a_written_thread_id_is_parsed_back(thread in thread()) {
            let text = thread.to_string();
            prop_assert!(text.len() <= 255);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-".contains(&byte)));
            prop_assert_eq!(text.parse(), Ok(thread));
        }

        #[test]
        fn a_parsed_thread_id_is_written_back(text in "teams(-chat|-guest)?:[a-z]{1,3}:[0-9a-f-]{30,37}(:[0-9]{1,3})?") {
            if let Ok(thread) = text.parse::<ThreadId>() {
                prop_assert_eq!(thread.to_string(), text);
            }
        }
    }

    #[test]
    fn a_guest_s_thread_names_nobody_and_is_the_guest_s_own() {
        let thread = |user: &str| ThreadId {
            account: "support".parse().expect("a name"),
            party: Party::of(&user.parse().expect("an id")),
            counter: 0,
        };
        let phone = thread("+4930000000").to_string();
        let digest = Digest::of("user", "+4930000000");
        assert_eq!(phone, format!("teams-guest:support:{digest}"));
        assert_ne!(thread("+4930000001").to_string(), phone);
        assert_ne!(thread("Cora").to_string(), thread("cora").to_string());
        for bad in [
            "teams:support:c41f5bd88c39f6a1",
            "teams-guest:support:c41f5bd88c39f6a1",
            "teams-guest:support:0f0e0d0c-0000-4000-8000-00000000000a",
        ] {
            assert!(bad.parse::<ThreadId>().is_err(), "{bad}");
        }
    }
}
