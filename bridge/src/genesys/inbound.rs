//! What a customer sends: `POST …/inbound/open/message` and `…/inbound/open/structured/response`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::time_text;
use crate::ids::{GenesysMessageId, TeamsMessageId, ThreadId};
use crate::state::question::Choice;

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
            "from": from,
            "time": time_text(self.time),
            "messageId": self.message_id,
            "metadata": { "customAttributes": self.attributes },
        })
    }
}

/// A file of a message (`OpenContentAttachment`). `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
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
    pub text: Option<String>,
    /// SHA-256 of its bytes, in lower-case hexadecimal digits.
    pub sha256: String,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Attachment")
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

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

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Text(_) => "Text",
            Self::File(_) => "File",
            Self::Choice { .. } => "Choice",
        })
    }
}

impl Body {
    /// The answer to a question: a choice where Genesys has a word for its kind, else the words that were chosen.
    #[must_use]
    pub fn answer(question: GenesysMessageId, choice: Choice) -> Self {
        match choice.kind.word() {
            Some(_) => Self::Choice { question, choice },
            None => Self::Text(choice.text),
        }
    }

    /// The request's body: `OpenInboundNormalizedMessage`, for a choice `OpenInboundStructuredResponseMessage`. Genesys' limit
    /// for it is 512,000 bytes.
    #[must_use]
    pub fn to_json(&self, channel: &Channel<'_>) -> Vec<u8> {
        let channel = channel.json();
        let message = match self {
            Self::Text(text) => json!({ "channel": channel, "text": text }),
            Self::File(file) => {
                let mut attachment = json!({
                    "mediaType": file.media_type,
                    "url": file.url,
                    "mime": file.mime,
                    "filename": file.filename,
                    "sha256": file.sha256,
                });
                if let Some(text) = &file.text {
                    attachment["text"] = json!(text);
                }
                json!({ "channel": channel, "content": [{ "attachment": attachment }] })
            }
            Self::Choice { question, choice } => json!({
                "channel": channel,
                "originatingMessageId": question.as_str(),
                "buttonResponse": {
                    "type": choice.kind.word(),
                    "text": choice.text,
                    "payload": choice.payload,
                },
            }),
        };
        message.to_string().into_bytes()
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
    use crate::state::question::ChoiceKind;

    fn snapshot(channel: &Channel<'_>, body: &Body) -> Value {
        serde_json::from_slice(&body.to_json(channel)).expect("JSON")
    }

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
        let channel = Channel {
            thread: &thread,
            name: Some("Anna Maria Adler"),
            time: datetime!(2026-01-02 03:04:05.678 UTC),
            message_id: "1616991463150",
            attributes: &attributes,
        };
        let body = Body::Text("My invoice is wrong\n\"quoted\" ünïcode".to_owned());
        insta::assert_json_snapshot!(snapshot(&channel, &body));
    }

    #[test]
    fn a_message_of_somebody_without_a_name() {
        let thread = thread();
        let channel = channel(&thread, "1616991463150-2");
        let body = Body::Text("(2/2) the rest".to_owned());
        insta::assert_json_snapshot!(snapshot(&channel, &body));
    }

    #[test]
    fn a_file() {
        let thread = thread();
        let channel = channel(&thread, "1616991463150-3");
        let file = Attachment {
            media_type: "Image",
            url: "https://data.blob.core.windows.net/attachments/1/2?sig=x".to_owned(),
            mime: "image/png".to_owned(),
            filename: "plan.png".to_owned(),
            text: Some("floor plan".to_owned()),
            sha256: "00ff".to_owned(),
        };
        insta::assert_json_snapshot!(snapshot(&channel, &Body::File(file)));
    }

    #[test]
    fn a_choice() {
        let thread = thread();
        let channel = channel(&thread, "1616991463151");
        let answer = |kind| {
            let choice = Choice {
                kind,
                text: "My order".to_owned(),
                payload: "order".to_owned(),
            };
            Body::answer("b71f".parse().expect("an id"), choice)
        };
        let body = answer(ChoiceKind::QuickReply);
        insta::assert_json_snapshot!(snapshot(&channel, &body));
        assert!(answer(ChoiceKind::ListItem) == Body::Text("My order".to_owned()));
    }

    fn thread() -> ThreadId {
        "teams-chat:support:0123456789abcdef0123456789abcdef:2"
            .parse()
            .expect("a thread")
    }

    fn channel<'a>(thread: &'a ThreadId, message_id: &'a str) -> Channel<'a> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        Channel {
            thread,
            name: None,
            time: datetime!(2026-01-02 03:04:05 UTC),
            message_id,
            attributes: &NONE,
        }
    }

    #[test]
    fn parts_have_ids_of_their_own() {
        let message = "1616991463150".parse().expect("an id");
        assert_eq!(part_message_id(&message, 1), "1616991463150");
        assert_eq!(part_message_id(&message, 3), "1616991463150-3");
    }
}
