//! Ids that the outside services give to chats, messages, people and tenants.

use std::fmt;

use super::Digest;

/// Makes an id whose `Debug` names nobody.
macro_rules! hidden_id {
    ($(#[$attribute:meta])* $name:ident, $what:literal, $check:expr) => {
        text_id!($(#[$attribute])* $name, $what, $check);

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let digest = Digest::of($what, &self.0);
                write!(formatter, concat!(stringify!($name), "(#{})"), &digest.as_str()[..8])
            }
        }
    };
}

hidden_id!(
    /// A Teams conversation (`19:…`); opaque, 1 to 512 characters.
    ChatId,
    "chat id",
    |text| opaque(text, 512)
);

hidden_id!(
    /// A message of a chat; unique within its chat only, 1 to 128 characters.
    TeamsMessageId,
    "Teams message id",
    |text| opaque(text, 128)
);

hidden_id!(
    /// A Microsoft Entra tenant: a GUID, kept in lower case.
    TenantId,
    "tenant id",
    guid
);

hidden_id!(
    /// A person in Teams: the Microsoft Entra object id, a GUID kept in lower case, or whatever Graph calls people without one
    /// (personal Microsoft accounts, guests of meetings, Skype, Azure Communication Services, phones); opaque, 1 to 256
    /// characters.
    UserId,
    "user id",
    |text| guid(text).or_else(|| opaque(text, 256).filter(|id| !id.trim().is_empty()))
);

hidden_id!(
    /// Short configured name of a support account: `a`-`z`, `0`-`9` and `-`, at most 20 characters.
    SupportAccountName,
    "support account name",
    |text| ascii(text, 20, |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
);

hidden_id!(
    /// Genesys' id of a message: printable ASCII, 1 to 128 characters.
    GenesysMessageId,
    "Genesys message id",
    |text| ascii(text, 128, |byte| byte.is_ascii_graphic())
);

hidden_id!(
    /// Genesys' id of a conversation: a GUID, kept in lower case.
    GenesysConversationId,
    "Genesys conversation id",
    guid
);

impl ChatId {
    /// Stands for the chat in blob names, lanes and thread ids.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("chat", &self.0)
    }
}

impl TeamsMessageId {
    /// Stands in for the id of something that has none of Teams'.
    #[must_use]
    pub fn standing_for(digest: &Digest) -> Self {
        Self(digest.tagged("unnamed"))
    }
}

impl UserId {
    /// Stands in for the id of somebody of whom Graph tells none: the same for all of a chat.
    #[must_use]
    pub fn of_chat(chat: &ChatId) -> Self {
        Self(chat.digest().tagged("unnamed"))
    }

    /// Whether it is a Microsoft Entra object id.
    #[must_use]
    pub fn is_entra(&self) -> bool {
        guid(&self.0).is_some()
    }

    /// Stands for the user in logs and, where it is no Entra object id, in thread ids.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("user", &self.0)
    }
}

impl GenesysMessageId {
    /// Stands in for an id that Genesys did not give: the same for the same bytes.
    #[must_use]
    pub fn of_body(body: &[u8]) -> Self {
        Self(format!("unnamed-{}", Digest::of_bytes("unnamed", body)))
    }
}

impl TenantId {
    /// The GUID of zeros, which no tenant has.
    #[must_use]
    pub fn nil() -> Self {
        Self("00000000-0000-0000-0000-000000000000".to_owned())
    }

    /// Stands for the tenant in logs.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of("tenant", &self.0)
    }
}

fn opaque(text: &str, most: usize) -> Option<String> {
    let fits = !text.is_empty() && text.chars().count() <= most;
    (fits && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn ascii(text: &str, most: usize, allowed: fn(u8) -> bool) -> Option<String> {
    ((1..=most).contains(&text.len()) && text.bytes().all(allowed)).then(|| text.to_owned())
}

/// A GUID in lower case.
pub(super) fn guid(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 36
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    shaped.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use proptest::prelude::*;
    use serde::{Serialize, de::DeserializeOwned};

    use super::*;

    /// Whether a text that is taken as an id is written back as it came, through text and through JSON.
    fn round_trips<Id>(text: &str, same: impl Fn(&str) -> String) -> bool
    where
        Id: FromStr + PartialEq + Serialize + DeserializeOwned,
    {
        let Ok(id) = text.parse::<Id>() else {
            return true;
        };
        let json = serde_json::json!(id);
        json == same(text) && serde_json::from_value::<Id>(json).is_ok_and(|back| back == id)
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_written_back(text in "\\PC{0,40}|[a-z0-9-]{1,20}|19:[a-z/'\"%]{1,9}@thread.v2") {
            prop_assert!(round_trips::<ChatId>(&text, str::to_owned));
            prop_assert!(round_trips::<TeamsMessageId>(&text, str::to_owned));
            prop_assert!(round_trips::<UserId>(&text, str::to_owned));
            prop_assert!(round_trips::<SupportAccountName>(&text, str::to_owned));
            prop_assert!(round_trips::<GenesysMessageId>(&text, str::to_owned));
        }

        #[test]
        fn guids_are_written_back_in_lower_case(text in "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}") {
            prop_assert!(text.parse::<UserId>().is_ok_and(|user| user.is_entra()));
            prop_assert!(round_trips::<UserId>(&text, str::to_ascii_lowercase));
            prop_assert!(round_trips::<TenantId>(&text, str::to_ascii_lowercase));
        }

        #[test]
        fn no_text_makes_a_bad_id(text in "\\PC{0,40}|[a-z\n\t ]{0,9}") {
            let sound = text.parse::<ChatId>().is_err() || (!text.is_empty() && !text.contains(char::is_control));
            prop_assert!(sound);
            let named = text.parse::<SupportAccountName>().is_err() || text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            prop_assert!(named);
        }
    }

    #[test]
    fn lengths_are_limited() {
        assert!("x".repeat(512).parse::<ChatId>().is_ok());
        assert!("x".repeat(513).parse::<ChatId>().is_err());
        assert!("u".repeat(256).parse::<UserId>().is_ok());
        assert!("u".repeat(257).parse::<UserId>().is_err());
        assert!("1".repeat(128).parse::<TeamsMessageId>().is_ok());
        assert!("1".repeat(129).parse::<TeamsMessageId>().is_err());
        assert!("g".repeat(129).parse::<GenesysMessageId>().is_err());
        assert!("a".repeat(21).parse::<SupportAccountName>().is_err());
    }

    #[test]
    fn ids_are_checked() {
        assert!("".parse::<ChatId>().is_err());
        assert!("19:a\nb".parse::<ChatId>().is_err());
        assert!(
            "19:meeting/with'quotes\"@thread.v2"
                .parse::<ChatId>()
                .is_ok()
        );
        assert!("Support".parse::<SupportAccountName>().is_err());
        assert!("a.b".parse::<SupportAccountName>().is_err());
        assert!("a b".parse::<GenesysMessageId>().is_err());
        let user: UserId = "0F0E0D0C-0000-4000-8000-00000000000A"
            .parse()
            .expect("a GUID");
        assert_eq!(user.as_str(), "0f0e0d0c-0000-4000-8000-00000000000a");
        assert!("a\nb".parse::<UserId>().is_err());
        assert!(" ".parse::<UserId>().is_err());
        let tenant = "0f0e0d0c00004000800000000000000a".parse::<TenantId>();
        assert!(tenant.is_err());
    }

    #[test]
    fn people_without_an_entra_id_are_told_from_those_with_one() {
        let chat: ChatId = "19:a@thread.v2".parse().expect("an id");
        let unnamed = UserId::of_chat(&chat);
        assert_eq!(unnamed.as_str().parse(), Ok(unnamed.clone()));
        assert!(!unnamed.is_entra() && !unnamed.as_str().contains("19:"));
        for other in [
            "c41f5bd88c39f6a1",
            "0f0e0d0c00004000800000000000000a",
            "Cora.C1",
            "8:acs:00000000-aaa9-4e25-90de-475594b0fb52_00000006-96d3-711c-6a0b-343a0d000eb4",
            "+4930000000",
        ] {
            let user: UserId = other.parse().expect("an id");
            assert!(!user.is_entra() && user.as_str() == other);
            assert!(!format!("{user:?}").contains(other));
        }
    }

    #[test]
    fn debug_output_names_nobody() {
        let chat: ChatId = "19:someone_else@unq.gbl.spaces".parse().expect("an id");
        let shown = format!("{chat:?}");
        assert!(
            shown.starts_with("ChatId(#") && !shown.contains("someone"),
            "{shown}"
        );
    }
}
