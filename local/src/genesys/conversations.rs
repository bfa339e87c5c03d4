//! Conversations: which message belongs to which, and what the agent sees.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::participants::{Left, Participants};
use crate::crm::ScreenPop;
use crate::shared::time_text;

/// After this long without a message the next one opens a new conversation. Genesys counts from the disconnect, which is the last
/// of what happens where the customer leaves, and which nobody else does here (Genesys Cloud Resource Center, "Messaging threading timeline": 72 hours by default).
const THREADING_WINDOW: Duration = Duration::hours(72);

/// The direction of what agents and flows write.
const OUTBOUND: &str = "outbound";

/// A customer's message that passed all checks, in the words of `OpenInboundNormalizedMessage`.
#[derive(Clone)]
pub struct Arrival {
    /// `channel.from.id`.
    pub thread: String,
    /// May be empty beside a file.
    pub text: String,
    pub time: OffsetDateTime,
    pub message_id: Option<String>,
    /// `channel.metadata.customAttributes`.
    pub attributes: BTreeMap<String, String>,
    pub attachment: Option<Attachment>,
    pub button: Option<Button>,
}

/// A customer's file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub media_type: String,
    pub mime: String,
    pub url: String,
    pub filename: Option<String>,
    /// The caption.
    text: Option<String>,
    /// As told.
    sha256: Option<String>,
    id: Option<String>,
    thumbnail: Option<Thumbnail>,
    /// What the address served.
    #[serde(skip_deserializing)]
    pub fetched: Option<Fetched>,
    /// The agent does not see it.
    #[serde(skip_deserializing)]
    pub dropped: bool,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thumbnail {
    url: Option<String>,
    mime: Option<String>,
    sha256: Option<String>,
    content_size_bytes: Option<u64>,
}

/// What an address served.
#[derive(Clone, Serialize)]
pub struct Fetched {
    pub status: u16,
    pub content_type: Option<String>,
    pub content_disposition: Option<String>,
    /// Bytes that came.
    pub size: u64,
    /// In lowercase hexadecimal digits.
    pub sha256: String,
}

/// The response to a structured message.
#[derive(Clone, Serialize)]
pub struct Button {
    #[serde(rename = "type")]
    pub kind: String,
    pub text: String,
    pub payload: String,
    /// `originatingMessageId`.
    pub originating: String,
}

/// A receipt that passed all checks.
#[derive(Serialize)]
pub struct Receipt {
    /// `Delivered` or `Failed`.
    pub status: String,
    /// The code of the first reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What goes out in one message.
#[derive(Default)]
pub struct Outgoing {
    /// The webhook's `type`, where it shall not follow from the content.
    pub kind: Option<String>,
    /// Text, or the prompt of structured content; may be empty beside content.
    pub text: String,
    /// The items of `content`, as the webhook carries them.
    pub content: Vec<Value>,
    /// Where its file is.
    pub file: Option<Place>,
    /// The agent who writes it; nobody of whom it is a bot, a flow or not known.
    pub agent: Option<String>,
}

impl Outgoing {
    pub fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// Whether it holds anything but text and files.
    pub fn is_structured(&self) -> bool {
        !structured(&self.content).is_empty()
    }
}

/// The items that are no files.
pub fn structured(content: &[Value]) -> Vec<Value> {
    let mut items = content.to_vec();
    items.retain(|item| item["contentType"] != "Attachment");
    items
}

/// A message, as the control interface shows it.
#[derive(Serialize)]
struct Message {
    id: String,
    direction: &'static str,
    text: String,
    time: String,
    channel_message_id: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    attachment: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<Button>,
    /// What a customer can choose from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    structured: Vec<Value>,
    receipts: Vec<Receipt>,
    #[serde(skip)]
    file: Option<Place>,
}

/// Where the file of a message is.
#[derive(Clone)]
pub enum Place {
    /// Here, under this id.
    Media(String),
    /// At this address.
    Address(String),
}

#[derive(Serialize)]
struct Conversation {
    id: String,
    thread: String,
    attributes: BTreeMap<String, String>,
    /// What the agent is shown about the customer; nothing before the customer's first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    screen_pop: Option<ScreenPop>,
    messages: Vec<Message>,
    participants: Participants,
    /// When the customer typed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    typed: Option<String>,
    #[serde(skip)]
    last_activity: OffsetDateTime,
}

impl Conversation {
    fn place(&mut self, message: Message, first_inbound: bool) -> Placed {
        let placed = Placed {
            message: message.id.clone(),
            conversation: self.id.clone(),
            first_inbound,
        };
        self.messages.push(message);
        placed
    }
}

/// Where a message went: its id and that of its conversation.
pub struct Placed {
    pub message: String,
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
    /// show it again: Genesys documents no such check. The first one of a conversation runs the flow, which looks the customer up
    /// by the attributes that came with it.
    pub fn arrive(
        &mut self,
        arrival: Arrival,
        now: OffsetDateTime,
        look_up: impl FnOnce(&BTreeMap<String, String>) -> ScreenPop,
    ) -> Placed {
        let index = self.touch(&arrival.thread, now);
        let conversation = &mut self.all[index];
        let mut messages = conversation.messages.iter();
        let first_inbound = messages.all(|message| message.direction == OUTBOUND);
        conversation.attributes.extend(arrival.attributes);
        if first_inbound {
            conversation.screen_pop = Some(look_up(&conversation.attributes));
        }
        let seen = arrival.attachment.as_ref().filter(|it| !it.dropped);
        let message = Message {
            id: Uuid::new_v4().simple().to_string(),
            direction: "inbound",
            text: arrival.text,
            time: time_text(arrival.time),
            channel_message_id: arrival.message_id,
            file: seen.map(|it| Place::Address(it.url.clone())),
            attachment: json!(arrival.attachment),
            button: arrival.button,
            structured: Vec::new(),
            receipts: Vec::new(),
        };
        conversation.place(message, first_inbound)
    }

    /// The agent's or the flow's message of this id, which is shown once however often it is sent. A thread without conversation
    /// gets one, as an agent's outbound contact would.
    pub fn answer(
        &mut self,
        thread: &str,
        id: String,
        outgoing: &Outgoing,
        now: OffsetDateTime,
    ) -> Placed {
        if let Some((conversation, _)) = self.outbound.get(&id) {
            return Placed {
                message: id,
                conversation: self.all[*conversation].id.clone(),
                first_inbound: false,
            };
        }
        let index = self.touch(thread, now);
        let conversation = &mut self.all[index];
        let mut content = outgoing.content.iter();
        let file = content.find(|item| item["contentType"] == "Attachment");
        let message = Message {
            id: id.clone(),
            direction: OUTBOUND,
            text: outgoing.text.clone(),
            time: time_text(now),
            channel_message_id: Some(id.clone()),
            attachment: file.map_or(Value::Null, |item| item["attachment"].clone()),
            button: None,
            structured: structured(&outgoing.content),
            receipts: Vec::new(),
            file: outgoing.file.clone(),
        };
        if let Some(agent) = &outgoing.agent {
            conversation.participants.agent(agent);
        }
        let place = (index, conversation.messages.len());
        self.outbound.insert(id, place);
        conversation.place(message, false)
    }

    /// The customer types; the id of the conversation, which there is from now on if there was none.
    pub fn typed(&mut self, thread: &str, time: OffsetDateTime, now: OffsetDateTime) -> String {
        let index = self.touch(thread, now);
        let conversation = &mut self.all[index];
        conversation.typed = Some(time_text(time));
        conversation.id.clone()
    }

    /// The id of the thread's open conversation.
    pub fn open(&self, thread: &str, now: OffsetDateTime) -> Option<String> {
        let newest = &self.all[*self.newest.get(thread)?];
        let is_recent = now - newest.last_activity <= THREADING_WINDOW;
        let is_open = is_recent && !newest.participants.is_over();
        is_open.then(|| newest.id.clone())
    }

    /// Who takes part in the conversation with this id.
    pub fn participants(&self, id: &str) -> Option<&Participants> {
        let mut all = self.all.iter();
        Some(&all.find(|it| it.id == id)?.participants)
    }

    /// Takes a participant out of the conversation with this id: its thread, and what became of the participant.
    pub fn disconnect(
        &mut self,
        id: &str,
        participant: &str,
        now: OffsetDateTime,
    ) -> Option<(String, Option<Left>)> {
        let conversation = self.all.iter_mut().find(|it| it.id == id)?;
        let left = conversation.participants.disconnect(participant);
        if matches!(left, Some(Left::Customer)) {
            conversation.last_activity = now;
        }
        Some((conversation.thread.clone(), left))
    }

    /// Index of the conversation that something of this thread belongs to now. Within the threading window one that is over goes on,
    /// with the customer as a new participant.
    fn touch(&mut self, thread: &str, now: OffsetDateTime) -> usize {
        let newest = self.newest.get(thread).copied();
        let open = newest.filter(|it| now - self.all[*it].last_activity <= THREADING_WINDOW);
        let index = open.unwrap_or(self.all.len());
        if open.is_none() {
            self.newest.insert(thread.to_owned(), index);
            self.all.push(Conversation {
                id: Uuid::new_v4().to_string(),
                thread: thread.to_owned(),
                attributes: BTreeMap::new(),
                screen_pop: None,
                messages: Vec::new(),
                participants: Participants::default(),
                typed: None,
                last_activity: now,
            });
        }
        self.all[index].last_activity = now;
        self.all[index].participants.customer();
        index
    }

    /// The thread of an outbound message.
    pub fn thread_of(&self, outbound: &str) -> Option<&str> {
        let (conversation, _) = self.outbound.get(outbound)?;
        Some(&self.all[*conversation].thread)
    }

    /// What a structured message of this thread offered; nothing when there is no such message.
    pub fn offered(&self, outbound: &str, thread: &str) -> Option<&[Value]> {
        let (conversation, message) = *self.outbound.get(outbound)?;
        let conversation = &self.all[conversation];
        let offered = &conversation.messages[message].structured;
        (conversation.thread == thread && !offered.is_empty()).then_some(offered)
    }

    /// Where the file of a message is.
    pub fn file_of(&self, id: &str) -> Option<Place> {
        let mut messages = self.all.iter().flat_map(|it| &it.messages);
        messages.find(|message| message.id == id)?.file.clone()
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
        let wanted = self.all.iter().filter(|it| it.thread.contains(thread));
        json!({ "conversations": wanted.collect::<Vec<_>>() })
    }
}
