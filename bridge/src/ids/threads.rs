//! Thread ids: the `from.id` that we send to Genesys and the `to.id` that comes back.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Digest, InvalidId, SupportAccountName, UserId};

/// One customer-side conversation as Genesys sees it: ASCII, URL-safe, at most 255 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ThreadId {
    /// The one-to-one chat of a customer and a support account: `teams:{account}:{user id}`.
    Direct {
        /// The support account.
        account: SupportAccountName,
        /// The customer.
        user: UserId,
        /// Threads of this pair before this one; 0 is not written.
        counter: u32,
    },
    /// A group chat: `teams-chat:{account}:{digest of the chat id}`.
    Group {
        /// The support account.
        account: SupportAccountName,
        /// The chat.
        chat: Digest,
        /// Threads of this chat before this one; 0 is not written.
        counter: u32,
    },
}

impl ThreadId {
    /// The support account, and with it the outbound lane.
    #[must_use]
    pub fn account(&self) -> &SupportAccountName {
        match self {
            Self::Direct { account, .. } | Self::Group { account, .. } => account,
        }
    }

    /// Threads before this one.
    #[must_use]
    pub fn counter(&self) -> u32 {
        match self {
            Self::Direct { counter, .. } | Self::Group { counter, .. } => *counter,
        }
    }

    /// The same parties with another counter.
    #[must_use]
    pub fn with_counter(mut self, new: u32) -> Self {
        match &mut self {
            Self::Direct { counter, .. } | Self::Group { counter, .. } => *counter = new,
        }
        self
    }

    /// Stands for the thread in blob names.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("thread", &self.to_string())
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct { account, user, .. } => {
                write!(formatter, "teams:{}:{}", account.as_str(), user.as_str())?;
            }
            Self::Group { account, chat, .. } => {
                write!(formatter, "teams-chat:{}:{chat}", account.as_str())?;
            }
        }
        match self.counter() {
            0 => Ok(()),
            counter => write!(formatter, ":{counter}"),
        }
    }
}

impl FromStr for ThreadId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        const INVALID: InvalidId = InvalidId("thread id");
        let mut fields = text.split(':');
        let kind = fields.next().ok_or(INVALID)?;
        let account = fields.next().ok_or(INVALID)?.parse()?;
        let party = fields.next().ok_or(INVALID)?;
        let counter = match fields.next() {
            None => 0,
            Some(digits) => {
                let counter: u32 = digits.parse().map_err(|_| INVALID)?;
                // One spelling for each thread: no `:0`, no leading zeros or signs.
                if counter == 0 || counter.to_string() != digits {
                    return Err(INVALID);
                }
                counter
            }
        };
        if fields.next().is_some() {
            return Err(INVALID);
        }
        match kind {
            "teams" => {
                let user: UserId = party.parse()?;
                if user.as_str() != party {
                    return Err(INVALID);
                }
                Ok(Self::Direct {
                    account,
                    user,
                    counter,
                })
            }
            "teams-chat" => Ok(Self::Group {
                account,
                chat: party.parse()?,
                counter,
            }),
            _ => Err(INVALID),
        }
    }
}

impl TryFrom<String> for ThreadId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<ThreadId> for String {
    fn from(thread: ThreadId) -> Self {
        thread.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thread() -> impl Strategy<Value = ThreadId> {
        let account = "[a-z0-9-]{1,20}";
        let user = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
        (account, user, any::<u32>(), any::<bool>()).prop_map(|(account, user, counter, group)| {
            let account = account.parse().expect("a name");
            if group {
                let chat = Digest::of("chat", &user);
                ThreadId::Group {
                    account,
                    chat,
                    counter,
                }
            } else {
                let user = user.parse().expect("a GUID");
                ThreadId::Direct {
                    account,
                    user,
                    counter,
                }
            }
        })
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
        fn a_parsed_thread_id_is_written_back(text in "teams(-chat)?:[a-z]{1,3}:[0-9a-f-]{30,37}(:[0-9]{1,3})?") {
            if let Ok(thread) = text.parse::<ThreadId>() {
                prop_assert_eq!(thread.to_string(), text);
            }
        }
    }
}
