//! The chats, their members and messages.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::world::World;

/// All chats by id.
#[derive(Debug, Default)]
pub struct Chats(BTreeMap<String, Chat>);

/// One chat.
#[derive(Debug, Clone)]
pub struct Chat {
    /// `oneOnOne` or `group`.
    pub kind: String,
    /// Made by the customer's tenant, which hides the members of groups from ours.
    pub hosted_elsewhere: bool,
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
}

/// A message to be added, with what the chat needs when it is new.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Who writes.
    pub from: Person,
    /// Its body, as Teams stores it.
    pub html: String,
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
    /// One chat.
    pub fn get(&self, chat: &str) -> Option<&Chat> {
        self.0.get(chat)
    }

    /// Every chat.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Chat)> {
        self.0.iter()
    }

    /// Adds a message and returns its id. Chat and member are made when they are new.
    pub fn add(&mut self, chat: &str, new: NewMessage, now: OffsetDateTime) -> String {
        let entry = self.0.entry(chat.to_owned()).or_insert_with(|| Chat {
            kind: new.kind,
            hosted_elsewhere: new.hosted_elsewhere,
            members: vec![new.support],
            messages: Vec::new(),
        });
        match entry
            .members
            .iter_mut()
            .find(|member| member.user == new.from.user)
        {
            Some(member) => {
                if member.upn.is_none() {
                    member.upn.clone_from(&new.from.upn);
                }
            }
            None => entry.members.push(new.from.clone()),
        }
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
        entry.messages.push(Message {
            id: id.to_string(),
            from: new.from,
            html: new.html,
            created: written,
            modified: written,
            mentioned: new.mentioned,
        });
        entry.messages.sort_by_key(|message| message.created);
        id.to_string()
    }

    /// Names of the support accounts that take part in a chat.
    pub fn support_accounts(&self, chat: &str, world: &World) -> Vec<String> {
        let Some(chat) = self.0.get(chat) else {
            return Vec::new();
        };
        world
            .config
            .support_accounts
            .iter()
            .filter(|account| chat.has_member(&account.user))
            .map(|account| account.name.clone())
            .collect()
    }
}

impl Chat {
    /// Whether the user takes part.
    pub fn has_member(&self, user: &str) -> bool {
        self.members.iter().any(|member| member.user == user)
    }

    /// One message.
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id)
    }
}
