//! Kinds of Teams chats (Microsoft Learn, "chat resource type", `chatType`).

use serde::{Deserialize, Serialize};

use crate::ids::ChatId;

/// How many people a chat is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChatKind {
    /// Two people.
    OneOnOne,
    /// Several people.
    Group,
    /// The chat of a meeting; treated like a group.
    Meeting,
}

impl ChatKind {
    /// Reads Graph's word. An unknown kind counts as a group, where nobody is taken for the only customer.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "oneOnOne" => Self::OneOnOne,
            "meeting" => Self::Meeting,
            _ => Self::Group,
        }
    }

    /// What the shape of a chat's id suggests, for as long as Graph cannot be asked: `19:{user}_{user}@unq.gbl.spaces`,
    /// `19:meeting_…@thread.v2`, `19:…@thread.v2`; `a:…` where the other side is a bot.
    #[must_use]
    pub fn guess(chat: &ChatId) -> Self {
        let id = chat.as_str();
        if id.ends_with("unq.gbl.spaces") || id.starts_with("a:") {
            Self::OneOnOne
        } else if id.starts_with("19:meeting_") {
            Self::Meeting
        } else {
            Self::Group
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_stored_as_graph_writes_them() {
        for (word, kind) in [
            ("oneOnOne", ChatKind::OneOnOne),
            ("group", ChatKind::Group),
            ("meeting", ChatKind::Meeting),
        ] {
            assert_eq!(ChatKind::parse(word), kind);
            assert_eq!(serde_json::json!(kind), word);
        }
        assert_eq!(ChatKind::parse("unknownFutureValue"), ChatKind::Group);
    }

    #[test]
    fn an_id_suggests_a_kind() {
        for (id, kind) in [
            (
                "19:8ea0e38b-0000_97b8-0000@unq.gbl.spaces",
                ChatKind::OneOnOne,
            ),
            ("a:17I0kl9EkpE1O9PH5TWrzrLNwnWWcfrU", ChatKind::OneOnOne),
            ("19:meeting_MjdhNjM4@thread.v2", ChatKind::Meeting),
            ("19:7d898072-792c@thread.v2", ChatKind::Group),
            ("something else", ChatKind::Group),
        ] {
            assert_eq!(ChatKind::guess(&id.parse().expect("an id")), kind, "{id}");
        }
    }
}
