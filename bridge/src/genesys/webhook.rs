//! Genesys' webhook: what the agent, a bot or the flow writes (Genesys Developer Center, Open Messaging, "outboundMessages").
//!
//! Genesys' own schema (`OpenOutboundNormalizedMessage`, draft-07) requires no field at all, and a 4xx to a signed call makes
//! the whole conversation fail; so whatever is an object is read, and the delivering side tells the agent what is wrong with it.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::speaker::Speaker;
use crate::ids::{GenesysConversationId, GenesysMessageId};
use crate::json_fault::JsonFault;
use crate::state::question::{Choice, Question};
use crate::text::one_line;

mod structured;
mod target;

pub use target::Target;

/// One webhook call. `Debug` leaves text and files out.
#[derive(Clone)]
pub struct Webhook {
    /// The same at each repetition; made of the body where Genesys gave none.
    pub id: GenesysMessageId,
    /// The thread: the `from.id` of the messages it answers. Empty where the call names nobody.
    pub to: String,
    /// When it was written; when it was received, where the call does not tell.
    pub time: OffsetDateTime,
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: Option<String>,
    /// Files, choices, cards and the like, in order.
    pub content: Vec<Part>,
    /// Who wrote it.
    pub speaker: Speaker,
    /// Genesys' conversation, where the call names one.
    pub conversation: Option<GenesysConversationId>,
    /// How long somebody goes on typing, as far as the call tells.
    pub typing_for: Option<Duration>,
}

debug_shows!(Webhook: id, time, kind);

/// Kind of a webhook call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something for the customer: text, files, choices, cards, templates.
    Message,
    /// Somebody is typing.
    Typing,
    /// About one of our own messages.
    Receipt,
    /// Another event, or a kind that Genesys may introduce, with nothing to show.
    Other,
}

/// A file of an agent's message.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookAttachment {
    /// `Image`, `Video`, `Audio`, `File` or `Link`.
    pub media_type: String,
    /// Where it can be fetched.
    pub url: Option<String>,
    /// Its media type.
    pub mime: Option<String>,
    /// Its name.
    pub filename: Option<String>,
    /// A caption.
    pub text: Option<String>,
    /// Its length in bytes, as Genesys tells it.
    pub size: Option<u64>,
}

debug_shows!(WebhookAttachment: media_type);

/// A part of a message's content.
#[derive(Clone, PartialEq, Eq)]
pub enum Part {
    /// Words: a title, a description.
    Words(String),
    /// The address of a page or a film, and what is written on its button.
    Link {
        /// What is written on it.
        text: Option<String>,
        /// The address.
        url: String,
    },
    /// The address of a picture that everybody can see.
    Picture(String),
    /// A file.
    File(WebhookAttachment),
    /// One choice of a question, and what is said of it besides.
    Choice(Choice, Option<String>),
    /// Content of this kind, of which nothing can be shown.
    Unshown(String),
}

/// A piece of a message on its way to the customer. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Words.
    Text(String),
    /// A file.
    File(&'a WebhookAttachment),
}

debug_names!(Piece<'_>: Text, File);

/// A body that is no JSON object; nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
#[error("no JSON object")]
pub struct MalformedWebhook(#[source] JsonFault);

/// Retention of the queue's duplicate detection: an older call can no longer be told from a replayed one.
const OLDEST: Duration = Duration::from_secs(6 * 3600);

/// Most bytes of the values that are filled into the templates of one message: each can stand in a text as often as its writer
/// likes.
const MOST_FILLED_IN: usize = 256 * 1024;

/// Most characters of the name of a kind that cannot be shown.
const LONGEST_KIND: usize = 64;

impl Webhook {
    /// Reads a webhook call that was received at this time; unknown fields, and fields of another type, are ignored.
    ///
    /// # Errors
    /// The body is not a JSON object.
    pub fn parse(body: &[u8], received: OffsetDateTime) -> Result<Self, MalformedWebhook> {
        let raw: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| MalformedWebhook(error.into()))?;
        let raw = Value::Object(raw);
        let text = |name: &str| raw[name].as_str();
        let list = |name: &str| raw[name].as_array().map_or(&[][..], Vec::as_slice);
        let channel = &raw["channel"];
        let id = [text("id"), channel["messageId"].as_str()]
            .into_iter()
            .find_map(|id| id?.parse().ok())
            .unwrap_or_else(|| GenesysMessageId::of_body(body));
        let words = text("text").filter(|text| !text.is_empty());
        let mut room = MOST_FILLED_IN;
        let content = list("content");
        let is_typing = |event: &Value| event["eventType"] == "Typing";
        let kind = match text("type") {
            Some("Text" | "Structured" | "Message") => Kind::Message,
            Some("Receipt") => Kind::Receipt,
            Some("Event") if list("events").iter().any(is_typing) => Kind::Typing,
            _ if words.is_some() || !content.is_empty() => Kind::Message,
            _ => Kind::Other,
        };
        Ok(Self {
            id,
            to: channel["to"]["id"].as_str().unwrap_or_default().to_owned(),
            time: channel["time"]
                .as_str()
                .and_then(crate::moment::parse)
                .unwrap_or(received),
            kind,
            text: words.map(str::to_owned),
            content: content
                .iter()
                .flat_map(|item| parts(item, &mut room))
                .collect(),
            speaker: Speaker::read(&raw),
            conversation: text("conversationId").and_then(|id| id.parse().ok()),
            typing_for: list("events").iter().find_map(duration),
        })
    }

    /// Whether the customer does not get all of it.
    #[must_use]
    pub fn has_unshown_parts(&self) -> bool {
        self.content
            .iter()
            .any(|part| matches!(part, Part::Unshown(_)))
    }

    /// Whether the call is too old to be told from a replayed one, at the time when it was received.
    #[must_use]
    pub fn is_late(&self, received: OffsetDateTime) -> bool {
        self.time < received - OLDEST
    }
}

/// Whether a body that nothing vouches for is a call for this integration: every call names it as its sender (Genesys Developer
/// Center, Open Messaging, "outboundMessages"), and whoever is not of the organization does not know its id.
#[must_use]
pub fn names_integration(body: &[u8], integration: &str) -> bool {
    #[derive(Deserialize)]
    struct Call<'a> {
        #[serde(borrow)]
        channel: Channel<'a>,
    }
    #[derive(Deserialize)]
    struct Channel<'a> {
        #[serde(borrow)]
        from: Sender<'a>,
    }
    #[derive(Deserialize)]
    struct Sender<'a> {
        id: &'a str,
    }
    let call = serde_json::from_slice::<Call<'_>>(body);
    let names = |call: Call<'_>| call.channel.from.id.eq_ignore_ascii_case(integration);
    !integration.is_empty() && call.is_ok_and(names)
}

/// How long an event says that somebody types (`typing.duration`, in milliseconds).
fn duration(event: &Value) -> Option<Duration> {
    event["typing"]["duration"]
        .as_u64()
        .map(Duration::from_millis)
}

/// The parts of one item of the content; what is filled in has so much room.
fn parts(item: &Value, room: &mut usize) -> Vec<Part> {
    let Some(attachment) = item.get("attachment").filter(|value| value.is_object()) else {
        return structured::parts(item, room);
    };
    let text = |name: &str| attachment[name].as_str().map(str::to_owned);
    vec![Part::File(WebhookAttachment {
        media_type: text("mediaType").unwrap_or_else(|| "File".to_owned()),
        url: text("url"),
        mime: text("mime"),
        filename: text("filename"),
        text: text("text"),
        size: attachment["contentSizeBytes"].as_u64(),
    })]
}

/// The text and the content of a message, in order: words that follow one another are one piece, choices are numbered
/// through. Empty when there is nothing to show.
#[must_use]
pub fn pieces(webhook: &Webhook) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    // Genesys repeats the text of a question or a template inside its content: there it has its place, once.
    let text = webhook.text.as_ref();
    let is_text = |part: &Part| matches!(part, Part::Words(words) if Some(words) == text);
    let text_at = webhook.content.iter().position(is_text);
    let mut lines: Vec<String> = match text_at {
        Some(_) => Vec::new(),
        None => text.cloned().into_iter().collect(),
    };
    let is_unshown = |part: &Part| matches!(part, Part::Unshown(_));
    let shows_something = text.is_some() || !webhook.content.iter().all(is_unshown);
    let mut number = 0;
    for (index, part) in webhook.content.iter().enumerate() {
        match part {
            Part::Words(_) if is_text(part) && text_at != Some(index) => {}
            Part::Words(words) | Part::Picture(words) => lines.push(words.clone()),
            Part::Link { text, url } => lines.push(match text {
                Some(text) => format!("{text}: {url}"),
                None => url.clone(),
            }),
            Part::Choice(choice, note) => {
                number += 1;
                let note = note.as_ref().map(|note| format!(" ({note})"));
                let note = note.unwrap_or_default();
                lines.push(format!("{number}. {}{note}", choice.text));
            }
            Part::Unshown(_) if !shows_something => {}
            Part::Unshown(kind) => {
                let kind = one_line(kind, LONGEST_KIND);
                lines.push(format!(
                    "[{kind}] This part of the message cannot be shown in Teams."
                ));
            }
            Part::File(file) if file.url.is_some() => {
                push_text(&mut pieces, &mut lines);
                pieces.push(Piece::File(file));
            }
            // A file without an address has a name at most.
            Part::File(file) => lines.extend(file.filename.clone().or_else(|| file.text.clone())),
        }
    }
    push_text(&mut pieces, &mut lines);
    pieces
}

fn push_text(pieces: &mut Vec<Piece<'_>>, lines: &mut Vec<String>) {
    let text = std::mem::take(lines).join("\n");
    if !text.trim().is_empty() {
        pieces.push(Piece::Text(text));
    }
}

/// The question that a message asks: its choices in the order of their numbers. `None` when it offers none.
#[must_use]
pub fn question(webhook: &Webhook) -> Option<Question> {
    let choices = webhook.content.iter().filter_map(|part| match part {
        Part::Choice(choice, _) => Some(choice.clone()),
        _ => None,
    });
    let choices: Vec<Choice> = choices.collect();
    (!choices.is_empty()).then(|| Question {
        message: webhook.id.clone(),
        asked: webhook.time,
        choices,
        card: None,
    })
}

#[cfg(test)]
mod tests;
