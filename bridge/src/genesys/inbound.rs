//! What a customer sends: `POST …/inbound/open/message` and `…/inbound/open/structured/response`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::time_text;
use crate::ids::{GenesysMessageId, TeamsMessageId, ThreadId};
use crate::state::question::{Choice, ChoiceKind};

/// Who writes, and when: the `channel` of whatever a customer sends.
#[derive(Clone)]
pub struct Channel<'a> {
    /// The thread: Genesys joins messages of one `from.id` to one conversation.
    pub thread: &'a ThreadId,
    /// The customer's name, as the agent sees it.
    pub name: Option<&'a str>,
    /// When the customer wrote it.
    pub time: OffsetDateTime,
    /// Id that is the same at each repetition.
    pub message_id: &'a str,
    /// Attributes for the flow.
    pub attributes: &'a BTreeMap<String, String>,
}

impl Channel<'_> {
    fn json(&self) -> Value {
        let mut from = json!({ "id": self.thread.to_string(), "idType": "Opaque" });
        if let Some(name) = self.name {
            let (first, last) = name.rsplit_once(' ').unzip();
            from["nickname"] = json!(name);
            from["firstName"] = json!(first.unwrap_or(name));
            if let Some(last) = last {
                from["lastName"] = json!(last);
            }
        }
        json!({
            "from": from,
            "time": time_text(self.time),
            "messageId": self.message_id,
            "metadata": { "customAttributes": self.attributes },
        })
    }
}

/// A file of a message (`OpenContentAttachment`). `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// `Image`, `Video`, `Audio` or `File`.
    pub media_type: &'static str,
    /// Link that anybody can open.
    pub url: String,
    /// Media type.
    pub mime: String,
    /// Name.
    pub filename: String,
    /// A caption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// SHA-256 of its bytes, in lower-case hexadecimal digits.
    pub sha256: String,
}

debug_shows!(Attachment: media_type);

/// What one message holds. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Words.
    Text(String),
    /// One file: Genesys takes no more in one message.
    File(Attachment),
    /// The customer's choice of what a structured message offered.
    Choice {
        /// The structured message.
        question: GenesysMessageId,
        /// What was chosen.
        choice: Choice,
    },
}

debug_names!(Body: Text, File, Choice);

impl Body {
    /// The answer to a question: a choice where Genesys has a word for its kind, else these words.
    #[must_use]
    pub fn answer(question: GenesysMessageId, choice: Choice, words: &str) -> Self {
        match choice.kind {
            ChoiceKind::ListItem => Self::Text(words.to_owned()),
            _ => Self::Choice { question, choice },
        }
    }

    /// The request's body: `OpenInboundNormalizedMessage`, for a choice `OpenInboundStructuredResponseMessage`. Genesys' limit
    /// for it is 512,000 bytes.
    #[must_use]
    pub fn to_json(&self, channel: &Channel<'_>) -> Vec<u8> {
        let channel = channel.json();
        let message = match self {
            Self::Text(text) => json!({ "channel": channel, "text": text }),
            Self::File(file) => json!({ "channel": channel, "content": [{ "attachment": file }] }),
            Self::Choice { question, choice } => json!({
                "channel": channel,
                "originatingMessageId": question.as_str(),
                "buttonResponse": {
                    "type": choice.kind,
                    "text": choice.text,
                    "payload": choice.payload,
                },
            }),
        };
        message.to_string().into_bytes()
    }
}

/// That a customer is typing: `OpenInboundNormalizedEvent`, which knows no name, id or attributes.
#[must_use]
pub fn typing(thread: &ThreadId, time: OffsetDateTime) -> Vec<u8> {
    let channel = json!({
        "from": { "id": thread.to_string(), "idType": "Opaque" },
        "time": time_text(time),
    });
    let event = json!({ "channel": channel, "events": [{ "eventType": "Typing" }] });
    event.to_string().into_bytes()
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

    fn answer(kind: ChoiceKind) -> Body {
        let choice = Choice {
            kind,
            text: "My order".to_owned(),
            payload: "order".to_owned(),
        };
        Body::answer("b71f".parse().expect("an id"), choice, "My order")
    }

    #[test]
    fn requests_as_genesys_gets_them() {
        let upn = ("teamsUpn".to_owned(), "anna@customer.example".to_owned());
        let thread = "teams-chat:support:0123456789abcdef0123456789abcdef:2";
        let named = Channel {
            thread: &thread.parse().expect("a thread"),
            name: Some("Anna Maria Adler"),
            time: datetime!(2026-01-02 05:04:05.678 +02:00),
            message_id: "1616991463150",
            attributes: &[upn].into(),
        };
        let nameless = Channel {
            name: None,
            time: datetime!(2026-01-02 03:04:05 UTC),
            attributes: &BTreeMap::new(),
            ..named.clone()
        };
        let of_one_name = Channel {
            name: Some("Anna"),
            ..named.clone()
        };
        let words = |text: &str| Body::Text(text.to_owned());
        let file = Attachment {
            media_type: "Image",
            url: "https://data.blob.core.windows.net/attachments/1/2?sig=x".to_owned(),
            mime: "image/png".to_owned(),
            filename: "plan.png".to_owned(),
            text: Some("floor plan".to_owned()),
            sha256: "00ff".to_owned(),
        };
        let uncaptioned = Attachment {
            text: None,
            ..file.clone()
        };
        let requests = [
            (&named, words("My invoice is wrong\n\"quoted\" ünïcode")),
            (&nameless, words("(2/2) the rest")),
            (&of_one_name, Body::File(file)),
            (&nameless, Body::File(uncaptioned)),
            (&nameless, answer(ChoiceKind::QuickReply)),
        ]
        .map(|(channel, body)| body.to_json(channel))
        .map(|json| serde_json::from_slice::<Value>(&json).expect("JSON"));
        insta::assert_json_snapshot!(requests);
        // Genesys has no word for such a choice.
        assert!(answer(ChoiceKind::ListItem) == words("My order"));
    }

    #[test]
    fn parts_have_ids_of_their_own() {
        let message = "1616991463150".parse().expect("an id");
        assert_eq!(part_message_id(&message, 1), "1616991463150");
        assert_eq!(part_message_id(&message, 3), "1616991463150-3");
    }
}
