//! Ids as types: one place that makes and parses each of them.
//!
//! Ids of people, chats and messages never print themselves: `Debug` shows a digest, so that a log line can be compared
//! without telling who it is about.

/// Makes a type of a text that passes a check, which may also bring it into its one spelling. Stored as that text.
macro_rules! text_id {
    ($(#[$attribute:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::ids::InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> Option<String> = $check;
                check(text).map(Self).ok_or(crate::ids::InvalidId($what))
            }
        }

        stored_as_text!($name, |id: $name| id.0);
    };
}

/// What serde needs to store a type as its text.
macro_rules! stored_as_text {
    ($name:ident, $text:expr) => {
        impl TryFrom<String> for $name {
            type Error = crate::ids::InvalidId;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                $text(id)
            }
        }
    };
}

mod addresses;
mod digests;
mod domains;
mod people;
mod threads;

pub use addresses::{BusMessageId, CorrelationId, Lane};
pub use digests::Digest;
pub(crate) use digests::hex;
pub use domains::DomainName;
pub use people::{
    ChatId, GenesysConversationId, GenesysMessageId, SupportAccountName, TeamsMessageId, TenantId,
    UserId,
};
pub use threads::{Party, ThreadId};

/// A text that is not the id it should be; the text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {0}")]
pub struct InvalidId(
    /// What it should have been.
    pub &'static str,
);
