//! Conversations: which message belongs to which, and what the agent sees.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::agent::{Outgoing, structured};
use super::fetch::Fetched;

/// After this long without a message the next one opens a new conversation. Genesys counts from the disconnect, which
/// nobody does here (Genesys Cloud Resource Center, "Messaging threading timeline": 72 hours by default).
const THREADING_WINDOW: Duration = Duration::hours(72);

/// Times as Genesys writes them.
const TIME: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A time in UTC with milliseconds.
pub fn time_text(at: OffsetDateTime) -> String {
    // Formatting fails only for years outside 0..=9999, which no clock shows.
    at.to_offset(time::UtcOffset::UTC)
        .format(TIME)
        .unwrap_or_default()
}

/// A customer's message that passed all checks.
#[derive(Clone, PartialEq, Eq)]
pub struct Arrival {
    /// `channel.from.id`.
    pub thread: String,
    /// What was written; may be empty beside a file.
    pub text: String,
    /// `channel.time`.
    pub time: OffsetDateTime,
    /// `channel.messageId`.
    pub message_id: Option<String>,
    /// `channel.metadata.customAttributes`.
    pub attributes: BTreeMap<String, String>,
    /// The file.
    pub attachment: Option<Attachment>,
    /// What was pressed.
    pub button: Option<Button>,
}

/// A customer's file.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `mediaType`.
    pub media_type: String,
    /// `mime`.
    pub mime: String,
    /// `url`.
    pub url: String,
    /// `filename`.
    pub filename: Option<String>,
    /// `text`, the caption.
    pub text: Option<String>,
    /// `sha256`, as told.
    pub sha256: Option<String>,
    /// What the address served.
    pub fetched: Option<Fetched>,
    /// The agent does not see it.
    pub dropped: bool,
}

/// The response to a structured message.
#[derive(Clone, PartialEq, Eq)]
pub struct Button {
    /// `type`.
    pub kind: String,
    /// `text`.
    pub text: String,
    /// `payload`.
    pub payload: String,
    /// `originatingMessageId`.
    pub originating: String,
}

/// A receipt that passed all checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// `Delivered` or `Failed`.
    pub status: String,
    /// The code of the first reason.
    pub reason: Option<String>,
}

struct Message {
    id: String,
    outbound: bool,
    text: String,
    time: OffsetDateTime,
    channel_message_id: Option<String>,
    receipts: Vec<Receipt>,
    attachment: Option<Attachment>,
    button: Option<Button>,
    /// What went out besides text.
    content: Vec<Value>,
    /// Id of the agent's file.
    media: Option<String>,
}

/// Where the file of a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Here, under this id.
    Media(String),
    /// At this address.
    Address(String),
}

struct Conversation {
    id: String,
    thread: String,
    attributes: BTreeMap<String, String>,
    messages: Vec<Message>,
    last_activity: OffsetDateTime,
}

/// Where a message went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The message's id.
    pub message: String,
    /// Its conversation's id.
    pub conversation: String,
    /// Whether no customer's message was in the conversation before.
    pub first_inbound: bool,
}

/// All conversations, oldest first.
#[derive(Default)]
pub struct Conversations {
    all: Vec<Conversation>,
    /// The newest conversation of each thread.
    newest: HashMap<String, usize>,
    /// Conversation and place of each outbound message.
    outbound: HashMap<String, (usize, usize)>,
}

impl Conversations {
    /// A customer's message: it joins the thread's conversation or opens one. A repeated `messageId` is no reason not to
    /// show it again: Genesys documents no such check.
    pub fn arrive(&mut self, arrival: Arrival, now: OffsetDateTime) -> Placed {
        let index = self.touch(&arrival.thread, now);
        let conversation = &mut self.all[index];
        let first_inbound = conversation.messages.iter().all(|message| message.outbound);
        conversation.attributes.extend(arrival.attributes);
        let id = new_message_id();
        conversation.messages.push(Message {
            id: id.clone(),
            outbound: false,
            text: arrival.text,
            time: arrival.time,
            channel_message_id: arrival.message_id,
            receipts: Vec::new(),
            attachment: arrival.attachment,
            button: arrival.button,
            content: Vec::new(),
            media: None,
        });
        Placed {
            message: id,
            conversation: conversation.id.clone(),
            first_inbound,
        }
    }

    /// The agent's or the flow's message. A thread without conversation gets one, as an agent's outbound contact would.
    pub fn answer(&mut self, thread: &str, outgoing: &Outgoing, now: OffsetDateTime) -> Placed {
        let index = self.touch(thread, now);
        let conversation = &mut self.all[index];
        let id = new_message_id();
        self.outbound
            .insert(id.clone(), (index, conversation.messages.len()));
        conversation.messages.push(Message {
            id: id.clone(),
            outbound: true,
            text: outgoing.text.clone(),
            time: now,
            channel_message_id: Some(id.clone()),
            receipts: Vec::new(),
            attachment: None,
            button: None,
            content: outgoing.content.clone(),
            media: outgoing.media.clone(),
        });
        Placed {
            message: id,
            conversation: conversation.id.clone(),
            first_inbound: false,
        }
    }

    /// Index of the conversation that something of this thread belongs to now.
    pub fn touch(&mut self, thread: &str, now: OffsetDateTime) -> usize {
        let open = self
            .newest
            .get(thread)
            .copied()
            .filter(|index| now - self.all[*index].last_activity <= THREADING_WINDOW);
        let index = open.unwrap_or_else(|| {
            self.all.push(Conversation {
                id: Uuid::new_v4().to_string(),
                thread: thread.to_owned(),
                attributes: BTreeMap::new(),
                messages: Vec::new(),
                last_activity: now,
            });
            self.newest.insert(thread.to_owned(), self.all.len() - 1);
            self.all.len() - 1
        });
        self.all[index].last_activity = now;
        index
    }

    /// The thread of an outbound message.
    pub fn thread_of(&self, outbound: &str) -> Option<&str> {
        let (conversation, _) = self.outbound.get(outbound)?;
        Some(&self.all[*conversation].thread)
    }

    /// What a structured message of this thread offered; nothing when there is no such message.
    pub fn offered(&self, outbound: &str, thread: &str) -> Option<Vec<Value>> {
        let (conversation, message) = *self.outbound.get(outbound)?;
        let conversation = &self.all[conversation];
        let offered = structured(&conversation.messages[message].content);
        (conversation.thread == thread && !offered.is_empty()).then_some(offered)
    }

    /// Where the file of a message is.
    pub fn file_of(&self, id: &str) -> Option<Place> {
        let messages = self.all.iter().flat_map(|it| &it.messages);
        let message = { messages }.find(|message| message.id == id)?;
        match (&message.media, &message.attachment) {
            (Some(media), _) => Some(Place::Media(media.clone())),
            (None, Some(attachment)) if !attachment.dropped => {
                Some(Place::Address(attachment.url.clone()))
            }
            _ => None,
        }
    }

    /// Adds a receipt to an outbound message; the conversation's id when there is such a message.
    pub fn receive(&mut self, outbound: &str, receipt: Receipt) -> Option<String> {
        let (conversation, message) = *self.outbound.get(outbound)?;
        let conversation = &mut self.all[conversation];
        conversation.messages[message].receipts.push(receipt);
        Some(conversation.id.clone())
    }

    /// `GET /local/genesys/conversations`: those with this text in the id of their thread.
    pub fn view(&self, thread: &str) -> Value {
        let all: Vec<Value> = self
            .all
            .iter()
            .filter(|conversation| conversation.thread.contains(thread))
            .map(|conversation| {
                let messages: Vec<Value> = conversation.messages.iter().map(message_view).collect();
                json!({
                    "id": conversation.id,
                    "thread": conversation.thread,
                    "attributes": conversation.attributes,
                    "messages": messages,
                })
            })
            .collect();
        json!({ "conversations": all })
    }
}

fn message_view(message: &Message) -> Value {
    let receipts: Vec<Value> = message
        .receipts
        .iter()
        .map(|receipt| match &receipt.reason {
            Some(reason) => json!({ "status": receipt.status, "reason": reason }),
            None => json!({ "status": receipt.status }),
        })
        .collect();
    let mut view = json!({
        "id": message.id,
        "direction": if message.outbound { "outbound" } else { "inbound" },
        "text": message.text,
        "time": time_text(message.time),
        "channel_message_id": message.channel_message_id,
        "receipts": receipts,
    });
    if let Some(attachment) = &message.attachment {
        view["attachment"] = attachment_view(attachment);
    }
    if let Some(button) = &message.button {
        view["button"] = json!({
            "type": button.kind,
            "text": button.text,
            "payload": button.payload,
            "originating": button.originating,
        });
    }
    if let Some(item) = message
        .content
        .iter()
        .find(|item| item["contentType"] == "Attachment")
    {
        view["attachment"] = item["attachment"].clone();
    }
    let structured = structured(&message.content);
    if !structured.is_empty() {
        view["structured"] = json!(structured);
    }
    view
}

fn attachment_view(attachment: &Attachment) -> Value {
    json!({
        "mediaType": attachment.media_type,
        "mime": attachment.mime,
        "filename": attachment.filename,
        "url": attachment.url,
        "text": attachment.text,
        "sha256": attachment.sha256,
        "fetched": attachment.fetched,
        "dropped": attachment.dropped,
    })
}

fn new_message_id() -> String {
    Uuid::new_v4().simple().to_string()
}
