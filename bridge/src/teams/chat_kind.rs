//! Kinds of Teams chats (Microsoft Learn, "chat resource type", `chatType`).

use serde::{Deserialize, Serialize};

/// How many people a chat is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChatType {
    /// Two people.
    OneOnOne,
    /// Several people.
    Group,
    /// The chat of a meeting; treated like a group.
    Meeting,
}

impl ChatType {
    /// Reads Graph's word. An unknown kind counts as a group, where nobody is taken for the only customer.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        match word {
            "oneOnOne" => Self::OneOnOne,
            "meeting" => Self::Meeting,
            _ => Self::Group,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_stored_as_graph_writes_them() {
        for (word, kind) in [
            ("oneOnOne", ChatType::OneOnOne),
            ("group", ChatType::Group),
            ("meeting", ChatType::Meeting),
        ] {
            assert_eq!(ChatType::parse(word), kind);
            assert_eq!(serde_json::json!(kind), word);
        }
        assert_eq!(ChatType::parse("unknownFutureValue"), ChatType::Group);
    }
}
