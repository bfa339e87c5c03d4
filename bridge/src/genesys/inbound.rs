//! A customer's message: `POST …/inbound/open/message`, `OpenInboundNormalizedMessage`.

use std::collections::BTreeMap;

use serde_json::json;
use time::OffsetDateTime;

use super::time_text;
use crate::ids::{TeamsMessageId, ThreadId};

/// A message, ready to be written.
pub struct Message<'a> {
    /// The thread: Genesys joins messages of one `from.id` to one conversation.
    pub thread: &'a ThreadId,
    /// The customer's name, as the agent sees it.
    pub name: Option<&'a str>,
    /// When the customer wrote it.
    pub time: OffsetDateTime,
    /// Id that is the same at each repetition.
    pub message_id: &'a str,
    /// What the agent reads.
    pub text: &'a str,
    /// Attributes for the flow.
    pub attributes: &'a BTreeMap<String, String>,
}

impl Message<'_> {
    /// The request's body. Genesys' limit for it is 512,000 bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let time = time_text(self.time);
        let mut from = json!({ "id": self.thread.to_string(), "idType": "Opaque" });
        if let Some(name) = self.name {
            from["nickname"] = json!(name);
            let (first, last) = name
                .rsplit_once(' ')
                .map_or((name, None), |(first, last)| (first, Some(last)));
            from["firstName"] = json!(first);
            if let Some(last) = last {
                from["lastName"] = json!(last);
            }
        }
        json!({
            "channel": {
                "from": from,
                "time": time,
                "messageId": self.message_id,
                "metadata": { "customAttributes": self.attributes },
            },
            "text": self.text,
        })
        .to_string()
        .into_bytes()
    }
}

/// Id of one part of a split message, counted from 1; the first keeps the message's own id.
#[must_use]
pub fn part_message_id(message: &TeamsMessageId, part: usize) -> String {
    match part {
        0 | 1 => message.as_str().to_owned(),
        part => format!("{}-{part}", message.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_message_with_attributes() {
        let thread = "teams:support:0f0e0d0c-0000-4000-8000-00000000000a"
            .parse()
            .expect("a thread");
        let attributes = BTreeMap::from([
            (
                "teamsTenantId".to_owned(),
                "be9c1b6e-0000-4000-8000-c0ffee000002".to_owned(),
            ),
            ("teamsUpn".to_owned(), "anna@customer.example".to_owned()),
        ]);
        let message = Message {
            thread: &thread,
            name: Some("Anna Maria Adler"),
            time: datetime!(2026-01-02 03:04:05.678 UTC),
            message_id: "1616991463150",
            text: "My invoice is wrong\n\"quoted\" ünïcode",
            attributes: &attributes,
        };
        let body: serde_json::Value = serde_json::from_slice(&message.to_json()).expect("JSON");
        insta::assert_json_snapshot!(body);
    }

    #[test]
    fn a_message_of_somebody_without_a_name() {
        let thread = "teams-chat:support:0123456789abcdef0123456789abcdef:2"
            .parse()
            .expect("a thread");
        let message = Message {
            thread: &thread,
            name: None,
            time: datetime!(2026-01-02 03:04:05 UTC),
            message_id: "1616991463150-2",
            text: "(2/2) the rest",
            attributes: &BTreeMap::new(),
        };
        let body: serde_json::Value = serde_json::from_slice(&message.to_json()).expect("JSON");
        insta::assert_json_snapshot!(body);
    }

    #[test]
    fn parts_have_ids_of_their_own() {
        let message = "1616991463150".parse().expect("an id");
        assert_eq!(part_message_id(&message, 1), "1616991463150");
        assert_eq!(part_message_id(&message, 3), "1616991463150-3");
    }
}
