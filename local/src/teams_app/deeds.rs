//! What somebody does in a chat with the app, and the activities that tell the bot of it.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::quotes::{html_of, preview};
use crate::bot::{Bot, Chat, Message};
use crate::graph::Person;
use crate::shared::adaptive_card;
use crate::shared::content;
use crate::shared::download::{self, media_type};
use crate::shared::refused::Refused;

const HTML: &str = "text/html";

/// As the control interface takes it.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    Install,
    Uninstall,
    Block,
    Unblock,
    Say(Said),
    Edit {
        message: String,
        text: String,
    },
    Delete {
        message: String,
    },
    Restore {
        message: String,
    },
    React {
        message: String,
        reaction: String,
    },
    Unreact {
        message: String,
        reaction: String,
    },
    /// Presses the button with this title on a card.
    Press {
        message: String,
        button: String,
        #[serde(default)]
        inputs: Map<String, Value>,
    },
    Type,
    Read {
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    #[serde(default)]
    text: String,
    /// The rich form of the text, when it is not just its paragraphs.
    html: Option<String>,
    #[serde(default)]
    pub files: Vec<download::Ordered>,
    #[serde(default)]
    pub pictures: Vec<Picture>,
    quote: Option<Quote>,
    /// In a group the bot hears of messages that mention it, and of no others.
    #[serde(default)]
    mention: bool,
}

#[derive(Deserialize)]
pub struct Picture {
    content_type: String,
    #[serde(flatten)]
    content: content::Ordered,
}

/// The message that is answered, and whether that is told in the newer way, as an entity, or as HTML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quote {
    message: String,
    #[serde(default)]
    as_entity: bool,
}

/// The activities, and a word for the journey where there is one.
pub type Told = (Vec<Value>, Option<&'static str>);

fn conflict(why: &str) -> Refused {
    Refused(http::StatusCode::CONFLICT, why.to_owned())
}

impl Bot {
    /// Does it, with these attachments of what is said.
    ///
    /// # Errors
    /// Why nobody can do that there.
    pub(super) fn perform(
        &self,
        chat: &mut Chat,
        from: &Person,
        deed: Deed,
        attachments: Vec<Value>,
    ) -> Result<Told, Refused> {
        let free = matches!(deed, Deed::Install | Deed::Block | Deed::Unblock);
        if !free && !chat.is_installed {
            return Err(conflict("the app is not installed there"));
        }
        let tell = |chat: &Chat, kind, more| vec![self.activity(chat, from, kind, more)];
        let now = Some(OffsetDateTime::now_utc());
        Ok(match deed {
            Deed::Install => {
                chat.is_installed = true;
                (self.installation(chat, from, "add"), Some("installed"))
            }
            Deed::Uninstall => {
                chat.is_installed = false;
                (self.installation(chat, from, "remove"), Some("uninstalled"))
            }
            Deed::Block | Deed::Unblock => {
                chat.is_blocked = matches!(deed, Deed::Block);
                (Vec::new(), None)
            }
            Deed::Say(said) => (self.say(chat, from, said, attachments)?, Some("written")),
            Deed::Edit { message, text } => {
                let own = own(chat, from, &message, false)?;
                own.rewrite(&text);
                own.edited = now;
                let more = own.told("editMessage");
                (tell(chat, "messageUpdate", more), Some("edited"))
            }
            Deed::Delete { message } => {
                own(chat, from, &message, false)?.deleted = now;
                let event = json!({ "eventType": "softDeleteMessage" });
                let more = json!({ "id": message, "channelData": event });
                (tell(chat, "messageDelete", more), Some("deleted"))
            }
            Deed::Restore { message } => {
                let own = own(chat, from, &message, true)?;
                own.deleted = None;
                let more = own.told("undeleteMessage");
                (tell(chat, "messageUpdate", more), Some("restored"))
            }
            Deed::React { message, reaction } => {
                let reactions = &mut bots(chat, &message)?.reactions;
                reactions.retain(|it| *it != reaction);
                reactions.push(reaction.clone());
                let more =
                    json!({ "replyToId": message, "reactionsAdded": [{ "type": reaction }] });
                (tell(chat, "messageReaction", more), Some("reaction"))
            }
            Deed::Unreact { message, reaction } => {
                bots(chat, &message)?.reactions.retain(|it| *it != reaction);
                let more =
                    json!({ "replyToId": message, "reactionsRemoved": [{ "type": reaction }] });
                (tell(chat, "messageReaction", more), Some("reaction"))
            }
            Deed::Press {
                message,
                button,
                inputs,
            } => {
                let value = pressed(bots(chat, &message)?, &button, inputs)?;
                let mut more = json!({ "value": value, "replyToId": message });
                more["id"] = json!(chat.add(Some(from.clone()), more.clone()));
                (tell(chat, "message", more), Some("pressed"))
            }
            Deed::Type => (tell(chat, "typing", json!({})), None),
            Deed::Read { .. } if chat.is_group => {
                return Err(conflict("a group has no read receipts"));
            }
            Deed::Read { message } => {
                let name = "application/vnd.microsoft.readReceipt";
                let value = json!({ "lastReadMessageId": message });
                (
                    tell(chat, "event", json!({ "name": name, "value": value })),
                    None,
                )
            }
        })
    }

    fn say(
        &self,
        chat: &mut Chat,
        from: &Person,
        said: Said,
        mut attachments: Vec<Value>,
    ) -> Result<Vec<Value>, Refused> {
        let mut html = said.html.unwrap_or_else(|| html_of(&said.text));
        let (mut text, mut entities) = (said.text, Vec::new());
        if let Some(quote) = &said.quote {
            let missing = || Refused::not_found("such message to answer");
            let quoted = chat.message(&quote.message).ok_or_else(missing)?;
            if quote.as_entity {
                text = format!("<quoted messageId=\"{}\"/> {text}", quoted.id);
                entities.push(self.quoted_entity(quoted));
            } else {
                let (name, preview) = (self.name_and_id(quoted).0, preview(quoted));
                html = self.quotation(quoted) + &html;
                // Some clients leave the quotation out of the text, others run it together with the answer.
                if chat.messages.len() % 2 == 1 {
                    text = format!("{name}{preview}{text}");
                }
            }
        }
        if said.mention {
            const MENTION: &str = "<at>Bot</at>";
            let mentioned = json!({ "id": self.own_id(), "name": "Bot" });
            entities.push(json!({ "type": "mention", "mentioned": mentioned, "text": MENTION }));
            text = format!("{MENTION} {text}");
            let span = "<span itemtype=\"http://schema.skype.com/Mention\" itemscope itemid=\"0\">Bot</span>";
            html = format!("<p>{span}&nbsp;</p>{html}");
        }
        for file in attachments
            .iter()
            .filter_map(|it| it["content"]["uniqueId"].as_str())
        {
            html.push_str(&format!("<attachment id=\"{file}\"></attachment>"));
        }
        if html.is_empty() {
            return Err(Refused::bad_request("there is nothing to say"));
        }
        attachments.push(json!({ "contentType": HTML, "content": format!("<div>{html}</div>") }));
        let mut more = json!({ "textFormat": "plain", "attachments": attachments });
        if !text.is_empty() {
            more["text"] = json!(text);
        }
        if !entities.is_empty() {
            more["entities"] = json!(entities);
        }
        more["id"] = json!(chat.add(Some(from.clone()), more.clone()));
        let is_heard = !chat.is_group || said.mention;
        let activity = self.activity(chat, from, "message", more);
        Ok(Vec::from_iter(is_heard.then_some(activity)))
    }

    /// Keeps what a message brings along where the bot can fetch it; the attachments of its activity.
    ///
    /// # Errors
    /// A line that says what cannot be sent.
    pub(super) async fn attachments(
        &self,
        chat: &str,
        owner: &Person,
        said: &mut Said,
    ) -> Result<Vec<Value>, String> {
        let mut attachments = Vec::new();
        // Only Graph could read them there.
        if chat.starts_with("19:") && !said.files.is_empty() {
            return Err("in a group the bot gets no files".to_owned());
        }
        for picture in said.pictures.drain(..) {
            let id = Uuid::new_v4().to_string();
            let kept = (
                media_type(&picture.content_type)?,
                picture.content.content().await?,
            );
            self.pictures.lock().insert(id.clone(), kept);
            let (below, tenant) = (self.service_url(), &owner.tenant);
            let url = format!("{below}{tenant}/v3/attachments/{id}/views/original");
            attachments.push(json!({ "contentType": "image/*", "contentUrl": url }));
        }
        for file in said.files.drain(..) {
            let file = self
                .graph
                .share_with_app(chat, owner, file.download().await?);
            attachments.push(file);
        }
        Ok(attachments)
    }
}

/// A message of this person, which is deleted or is not.
fn own<'chat>(
    chat: &'chat mut Chat,
    from: &Person,
    id: &str,
    is_deleted: bool,
) -> Result<&'chat mut Message, Refused> {
    let message = chat.message_mut(id);
    let own = message.filter(|it| it.from.as_ref().is_some_and(|own| own.user == from.user));
    let own = own.ok_or_else(|| Refused::not_found("such message of this person"))?;
    if own.deleted.is_some() != is_deleted {
        return Err(conflict(
            "the message is deleted already, or is not deleted",
        ));
    }
    Ok(own)
}

/// A message of the bot. Of those of others it hears no reaction.
fn bots<'chat>(chat: &'chat mut Chat, id: &str) -> Result<&'chat mut Message, Refused> {
    let message = chat.message_mut(id);
    let message = message.filter(|it| it.from.is_none() && it.deleted.is_none());
    message.ok_or_else(|| Refused::not_found("such message of the bot"))
}

/// What the button submits: its data, and what stands in the card's inputs.
fn pressed(message: &Message, title: &str, inputs: Map<String, Value>) -> Result<Value, Refused> {
    let attachments = &message.activity["attachments"];
    let is_button = |it: &Value| it["type"] == "Action.Submit" && it["title"] == title;
    let button = adaptive_card::find(attachments, &is_button);
    let button = button.ok_or_else(|| conflict("the card shows no such button"))?;
    let mut value = button.get("data").cloned().unwrap_or_else(|| json!({}));
    for (id, input) in inputs {
        let is_input = |it: &Value| {
            it["id"] == id.as_str()
                && it["type"]
                    .as_str()
                    .is_some_and(|kind| kind.starts_with("Input."))
        };
        if adaptive_card::find(attachments, &is_input).is_none() || !value.is_object() {
            return Err(conflict("the card has no such input"));
        }
        value[id] = input;
    }
    Ok(value)
}

impl Message {
    fn rewrite(&mut self, text: &str) {
        self.activity["text"] = json!(text);
        let mut attachments = self.activity["attachments"]
            .as_array_mut()
            .into_iter()
            .flatten();
        if let Some(html) = attachments.find(|it| it["contentType"] == HTML) {
            html["content"] = json!(format!("<div>{}</div>", html_of(text)));
        }
    }

    /// All of it, with what happened.
    fn told(&self, event: &str) -> Value {
        let mut more = self.activity.clone();
        more["id"] = json!(self.id);
        more["channelData"] = json!({ "eventType": event });
        more
    }
}
