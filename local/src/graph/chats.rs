//! The chats, their members and messages.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;
use time::OffsetDateTime;

use super::hosted::Hosted;
use super::parts::Parts;
use crate::world::World;

/// What stands encoded in the path of a hosted content's address. Graph writes a chat's id as it is.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?');

/// All chats by id.
#[derive(Debug)]
pub struct Chats {
    /// Graph's own address, which stands in the bodies.
    graph: String,
    all: BTreeMap<String, Chat>,
}

/// One chat.
#[derive(Debug, Clone)]
pub struct Chat {
    /// `oneOnOne` or `group`.
    pub kind: String,
    /// The tenant that made it. Another than ours hides the members of groups.
    pub tenant: String,
    /// Who takes part.
    pub members: Vec<Person>,
    /// Oldest first.
    pub messages: Vec<Message>,
}

/// A member of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Entra object id, lowercase GUID.
    pub user: String,
    /// Display name.
    pub name: String,
    /// Tenant id, lowercase GUID.
    pub tenant: String,
    /// Shown as `email` of the member.
    pub upn: Option<String>,
    /// Shown as `userPrincipalName` of a sender, which v1.0 does not promise.
    pub principal_name: Option<String>,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// Milliseconds since 1970, unique within the chat.
    pub id: String,
    /// Who wrote it.
    pub from: Person,
    /// Its body.
    pub html: String,
    /// When it was written.
    pub created: OffsetDateTime,
    /// When it was last changed; the order of lists and the etag follow it.
    pub modified: OffsetDateTime,
    /// Whom it mentions.
    pub mentioned: Option<Person>,
    /// Files, quotations and cards, as Graph shows them.
    pub attachments: Vec<Value>,
    /// Images and the code of snippets; those of former versions stay.
    pub hosted: Vec<Hosted>,
    /// Who reacted how, in the order of time.
    pub reactions: Vec<Reaction>,
    /// When its text was last changed.
    pub edited: Option<OffsetDateTime>,
    /// When it was deleted. What it held stays, for the deletion may be undone.
    pub deleted: Option<OffsetDateTime>,
}

/// One person's reaction.
#[derive(Debug, Clone)]
pub struct Reaction {
    /// Who reacted.
    pub from: Person,
    /// An emoji, or one of the older names such as `like`.
    pub kind: String,
    /// When.
    pub at: OffsetDateTime,
}

/// A message to be added, with what the chat needs when it is new.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Who writes.
    pub from: Person,
    /// What it holds, as Teams stores it.
    pub parts: Parts,
    /// When it was written, for messages of the past.
    pub created: Option<OffsetDateTime>,
    /// Whom it mentions.
    pub mentioned: Option<Person>,
    /// Kind of a new chat.
    pub kind: String,
    /// Who else takes part in a new chat.
    pub support: Person,
    /// A new chat is made by the customer's tenant.
    pub hosted_elsewhere: bool,
}

impl Chats {
    /// No chats, on the Graph with this address.
    pub fn new(graph: &str) -> Self {
        Self {
            graph: graph.to_owned(),
            all: BTreeMap::new(),
        }
    }

    /// One chat.
    pub fn get(&self, chat: &str) -> Option<&Chat> {
        self.all.get(chat)
    }

    /// One message.
    pub fn message_mut(&mut self, chat: &str, id: &str) -> Option<&mut Message> {
        let messages = &mut self.all.get_mut(chat)?.messages;
        messages.iter_mut().find(|message| message.id == id)
    }

    /// The address of a message.
    pub fn address(&self, chat: &str, message: &str) -> String {
        let chat = utf8_percent_encode(chat, PATH);
        format!("{}/v1.0/chats/{chat}/messages/{message}", self.graph)
    }

    /// Makes somebody a member of a chat that exists.
    pub fn join(&mut self, chat: &str, person: Person) {
        if let Some(chat) = self.all.get_mut(chat) {
            chat.join(person);
        }
    }

    /// Every chat.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Chat)> {
        self.all.iter()
    }

    /// Adds a message and returns its id. Chat and member are made when they are new.
    pub fn add(&mut self, chat: &str, new: NewMessage, now: OffsetDateTime) -> String {
        let entry = self.all.entry(chat.to_owned()).or_insert_with(|| Chat {
            kind: new.kind,
            tenant: if new.hosted_elsewhere {
                new.from.tenant.clone()
            } else {
                new.support.tenant.clone()
            },
            members: vec![new.support],
            messages: Vec::new(),
        });
        entry.join(new.from.clone());
        let created = new.created.unwrap_or(now);
        // Two messages of one millisecond: the later one gets the next free one.
        let mut id = created.unix_timestamp_nanos() / 1_000_000;
        while entry
            .messages
            .iter()
            .any(|message| message.id == id.to_string())
        {
            id += 1;
        }
        let written = OffsetDateTime::from_unix_timestamp_nanos(id * 1_000_000).unwrap_or(created);
        let id = id.to_string();
        let parts = new.parts.at(&self.address(chat, &id));
        if let Some(entry) = self.all.get_mut(chat) {
            entry.messages.push(Message {
                id: id.clone(),
                from: new.from,
                html: parts.html,
                created: written,
                modified: written,
                mentioned: new.mentioned,
                attachments: parts.attachments,
                hosted: parts.hosted,
                reactions: Vec::new(),
                edited: None,
                deleted: None,
            });
            entry.messages.sort_by_key(|message| message.created);
        }
        id
    }

    /// Names of the support accounts that take part in a chat.
    pub fn support_accounts(&self, chat: &str, world: &World) -> Vec<String> {
        let accounts = world.config.support_accounts.iter();
        let chat = self.all.get(chat);
        accounts
            .filter(|account| chat.is_some_and(|chat| chat.has_member(&account.user)))
            .map(|account| account.name.clone())
            .collect()
    }
}

impl Message {
    /// One of its hosted contents; a deleted message has none.
    pub fn hosted(&self, id: &str) -> Option<&Hosted> {
        let content = self.hosted.iter().find(|hosted| hosted.id == id);
        content.filter(|_| self.deleted.is_none())
    }
}

impl Chat {
    /// Whether the user takes part.
    pub fn has_member(&self, user: &str) -> bool {
        self.members.iter().any(|member| member.user == user)
    }

    /// Makes somebody a member. A sign-in name that was not known before is added.
    fn join(&mut self, person: Person) {
        match self.members.iter_mut().find(|it| it.user == person.user) {
            Some(member) => {
                if member.upn.is_none() {
                    member.upn = person.upn;
                }
            }
            None => self.members.push(person),
        }
    }

    /// One message.
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id)
    }
}
