//! A customer's activity as the chat message that Graph would show, so that everything that follows is the same for both doors.

use serde_json::{Value, json};

use super::activity::{Activity, What, parsed, text};
use super::marks::{self, Said, Words};
use super::pictures::{Picture, with_pictures};
use crate::ids::UserId;
use crate::state::outbound::OutboundState;
use crate::teams::chat_kind::ChatKind;
use crate::teams::convert::{SentFile, shared_file};
use crate::teams::from_text::from_text;
use crate::teams::message::{
    Attachment, Body, ChatMessage, Importance, Mention, MessageKind, Reaction, Sender,
};
use crate::teams::to_text::{Token, read};

/// A file that somebody sends to a bot (Microsoft Learn, "Send and receive files through the bot").
const FILE: &str = "application/vnd.microsoft.teams.file.download.info";

/// The form of a quoted message in the text of a message.
const QUOTE: &str = "schema.skype.com/Reply";

impl Activity {
    /// The message that it is about. `posts` is what the bridge has posted in the conversation, by which a press is understood.
    #[must_use]
    pub fn chat_message(&self, posts: Option<&OutboundState>) -> ChatMessage {
        let (body, attachments) = self.content(posts);
        let is_change = self.what == What::Edited;
        let reacted = self.what == What::Reacted;
        let reactions = self.reactions();
        ChatMessage {
            id: self.message.clone(),
            chat_id: Some(self.chat.clone()),
            // What was brought back can be deleted again: its time tells one from the next.
            etag: is_change.then(|| self.at.unix_timestamp_nanos().to_string()),
            kind: MessageKind::Message,
            created: self.written(),
            last_edited: is_change.then_some(self.at),
            deleted: (self.what == What::Deleted).then_some(self.at),
            from: Some(match reacted {
                true => self.bot(),
                false => self.sender(),
            }),
            subject: None,
            body,
            summary: text(&self.raw["summary"]).map(str::to_owned),
            attachments,
            mentions: self
                .mentions()
                .filter_map(mention)
                .chain(self.pressed())
                .collect(),
            reactions: if reacted { reactions } else { Vec::new() },
            importance: match text(&self.raw["importance"]) {
                Some("urgent") => Importance::Urgent,
                Some("high") => Importance::High,
                _ => Importance::Normal,
            },
            // Unlike Graph, the connector tells the language of the sender's client.
            language: self.language(),
            blocked: false,
        }
    }

    /// Where the bytes of a file of this message are. The address is signed and short-lived, so the file itself goes by another.
    #[must_use]
    pub fn download_address(&self, file: &SentFile) -> Option<&str> {
        let mut files = self
            .attachments()
            .filter(|it| text(&it["contentType"]) == Some(FILE));
        let raw = files.find(|raw| shared_file(&file_of(raw)).as_ref() == Some(file))?;
        text(&raw["content"]["downloadUrl"])
    }

    /// When the message was written: an edit, a deletion and a reaction come with a time of their own, but a message is named by
    /// its milliseconds since 1970.
    fn written(&self) -> time::OffsetDateTime {
        let by_id = || crate::teams::message::time_of(&self.message);
        match self.what {
            What::Edited | What::Deleted | What::Reacted => by_id().unwrap_or(self.at),
            _ => self.at,
        }
    }

    fn sender(&self) -> Sender {
        // A group has people of several tenants, and names the one that hosts it.
        let is_direct = self.kind == ChatKind::OneOnOne;
        // Only who is in a directory has an object id.
        let is_entra = text(&self.raw["from"]["aadObjectId"]).is_some();
        Sender {
            user: self.sender.clone(),
            user_type: is_entra.then(|| "aadUser".to_owned()),
            tenant: self.reference.tenant.clone().filter(|_| is_direct),
            name: text(&self.raw["from"]["name"]).map(str::to_owned),
            ..Sender::default()
        }
    }

    /// Whoever presses a button of ours in a group means us, as whoever mentions us does.
    fn pressed(&self) -> Option<Mention> {
        self.press.as_ref().map(|_| Mention {
            text: String::new(),
            user: self.reference.bot.parse().ok(),
        })
    }

    fn bot(&self) -> Sender {
        Sender {
            user: self.reference.bot.parse().ok(),
            ..Sender::default()
        }
    }

    /// The words with the pictures and quotes in them, and what else is attached.
    fn content(&self, posts: Option<&OutboundState>) -> (Body, Vec<Attachment>) {
        let mut pictures = Vec::new();
        let mut attachments = Vec::new();
        let mut rich = None;
        for (number, raw) in self.attachments().enumerate() {
            let kind = text(&raw["contentType"]).unwrap_or_default();
            if kind == "text/html" {
                // It says the same as the text, in full; a second one would be something else.
                let html = text(&raw["content"]).filter(|html| shows_something(html));
                rich = rich.or(html);
            } else if kind == FILE {
                attachments.push(file_of(raw));
            } else if let Some(address) = picture_address(raw, kind) {
                let name = text(&raw["name"]).unwrap_or_default();
                pictures.push(Picture { address, name });
            } else {
                let mut attachment = Attachment::of(raw);
                if attachment.id.is_empty() {
                    attachment.id = format!("attachment-{number}");
                }
                attachments.push(attachment);
            }
        }
        // Words in this format are HTML themselves.
        let is_html = text(&self.raw["textFormat"]) == Some("xml");
        let words = text(&self.raw["text"]).unwrap_or_default();
        let rich = rich.or_else(|| (is_html && shows_something(words)).then_some(words));
        let quotes = self.quotes(rich.unwrap_or_default());
        let marks = self.marks(&quotes);
        let (html, content) = match (&self.press, rich) {
            (Some(press), _) => (false, press.words(posts)),
            // A picture that is no attachment as well stays where it is.
            (None, Some(rich)) if pictures.is_empty() => (true, marks.with_places(rich)),
            (None, Some(rich)) => (true, with_pictures(&marks.with_places(rich), &pictures)),
            (None, None) => {
                let entered = || Said::Plain(self.entered());
                match marks.said(words).unwrap_or_else(entered) {
                    Said::Plain(said) if pictures.is_empty() => (false, said),
                    Said::Plain(said) => (true, with_pictures(&from_text(&said), &pictures)),
                    Said::Rich(said) => (true, with_pictures(&said, &pictures)),
                }
            }
        };
        attachments.splice(0..0, quotes);
        (Body { html, content }, attachments)
    }

    /// What is known of the marks in its words.
    fn marks<'a>(&'a self, quotes: &'a [Attachment]) -> Words<'a> {
        let names = self.mentions().filter_map(|raw| text(&raw["text"]));
        Words {
            names: names.map(marks::name_in).collect(),
            quotes: quotes.iter().map(|quote| quote.id.as_str()).collect(),
        }
    }

    /// What somebody entered into a card that is none of ours.
    fn entered(&self) -> String {
        let entered = self.raw["value"].as_object().into_iter().flatten();
        let entered = entered.filter_map(|(name, value)| {
            let value = match value {
                Value::String(value) => value.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return None,
            };
            Some(format!("{name}: {value}"))
        });
        entered.collect::<Vec<_>>().join("\n")
    }

    /// The messages that it answers in the newer form (`quotedReply` entities); the older one stands in the HTML, and says the same.
    fn quotes(&self, html: &str) -> Vec<Attachment> {
        if html.contains(QUOTE) {
            return Vec::new();
        }
        let quotes = self.entities("quotedReply").filter_map(|entity| {
            let quoted = &entity["quotedReply"];
            let id = text(&quoted["messageId"])?;
            let content = json!({
                "messageId": id,
                "messagePreview": quoted["preview"],
                "messageSender": { "user": { "displayName": quoted["senderName"] } },
            });
            Some(Attachment {
                id: marks::place_of(id),
                content_type: "messageReference".to_owned(),
                content: Some(content.to_string()),
                ..Attachment::default()
            })
        });
        quotes.collect()
    }

    fn reactions(&self) -> Vec<Reaction> {
        let added = self.raw["reactionsAdded"].as_array().into_iter().flatten();
        let reaction = |raw: &Value| {
            Some(Reaction {
                kind: text(&raw["type"])?.to_owned(),
                label: None,
                user: self.sender.clone(),
                name: text(&self.raw["from"]["name"]).map(str::to_owned),
            })
        };
        added.filter_map(reaction).collect()
    }

    fn attachments(&self) -> impl Iterator<Item = &Value> {
        let list = self.raw["attachments"].as_array();
        list.into_iter().flatten().filter(|raw| raw.is_object())
    }

    fn mentions(&self) -> impl Iterator<Item = &Value> {
        self.entities("mention")
    }

    fn entities<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let list = self.raw["entities"].as_array().into_iter().flatten();
        list.filter(move |entity| text(&entity["type"]) == Some(kind))
    }
}

/// A file, by the address that a browser opens.
fn file_of(raw: &Value) -> Attachment {
    let address = [&raw["contentUrl"], &raw["content"]["downloadUrl"]];
    Attachment {
        id: text(&raw["content"]["uniqueId"])
            .unwrap_or_default()
            .to_owned(),
        content_type: "reference".to_owned(),
        name: text(&raw["name"]).map(str::to_owned),
        content_url: address.into_iter().find_map(text).map(str::to_owned),
        content: None,
    }
}

/// Where a picture of the text lies: `image/*` says that Teams does not know its kind.
fn picture_address<'a>(raw: &'a Value, kind: &str) -> Option<&'a str> {
    let addresses = [&raw["contentUrl"], &raw["content"]["downloadUrl"]];
    kind.starts_with("image/")
        .then(|| addresses.into_iter().find_map(text))
        .flatten()
}

fn mention(entity: &Value) -> Option<Mention> {
    Some(Mention {
        text: marks::resolved(marks::name_in(text(&entity["text"])?)),
        user: parsed::<UserId>(&entity["mentioned"]["id"]),
    })
}

/// Whether HTML has anything in it but empty elements.
fn shows_something(html: &str) -> bool {
    let mut shows = false;
    read(html, |token| match token {
        Token::Text(text) => shows |= !text.trim().is_empty(),
        Token::Start(tag) => shows |= tag.name == "img",
        Token::End(_) => {}
    });
    shows
}
