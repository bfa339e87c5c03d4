//! The chats, their members and messages.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::parts::{Hosted, Parts};

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

pub type Chats = BTreeMap<String, Chat>;

pub struct Chat {
    pub id: String,
    /// Its address at Graph, which stands in the bodies.
    address: String,
    /// `oneOnOne`, `group` or `meeting`.
    pub kind: String,
    /// The tenant that made it. Another than ours hides the members of groups.
    pub tenant: String,
    pub members: Vec<Person>,
    /// Oldest first.
    pub messages: Vec<Message>,
}

/// A member of a chat, as the control interface names and shows one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Person {
    /// Entra object id, lowercase GUID; of other kinds of users, what Graph calls them.
    pub user: String,
    #[serde(default, skip_serializing)]
    pub user_type: UserType,
    pub name: String,
    #[serde(deserialize_with = "guid")]
    pub tenant: String,
    /// Shown as `email` of the member.
    #[serde(skip_serializing)]
    pub upn: Option<String>,
    /// Shown as `userPrincipalName` of a sender, which v1.0 does not promise.
    #[serde(skip_serializing)]
    pub user_principal_name: Option<String>,
}

/// `teamworkUserIdentityType`, as far as people write in chats.
#[derive(Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UserType {
    #[default]
    AadUser,
    PersonalMicrosoftAccountUser,
    AnonymousGuest,
    SkypeUser,
    AzureCommunicationServicesUser,
    PhoneUser,
    EmailUser,
}

/// What is derived reads one field at a time; which ids there can be depends on the type.
impl<'de> Deserialize<'de> for Person {
    fn deserialize<D: Deserializer<'de>>(person: D) -> Result<Self, D::Error> {
        let mut person = Self::deserialize(person)?;
        if person.user_type == UserType::AadUser {
            let id = Uuid::parse_str(&person.user).map_err(D::Error::custom)?;
            person.user = id.to_string();
        }
        Ok(person)
    }
}

impl Serialize for Person {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

fn guid<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    Uuid::deserialize(text).map(|id| id.to_string())
}

pub struct Message {
    /// Milliseconds since 1970, unique within the chat.
    pub id: String,
    pub from: Person,
    /// What it holds; hosted contents of former versions stay.
    pub parts: Parts,
    pub created: OffsetDateTime,
    /// When it was last changed; the order of lists and the etag follow it.
    pub modified: OffsetDateTime,
    pub mentioned: Option<Person>,
    pub reactions: Vec<Reaction>,
    /// When its text was last changed.
    pub edited: Option<OffsetDateTime>,
    /// When it was deleted. What it held stays, for the deletion may be undone.
    pub deleted: Option<OffsetDateTime>,
    /// What Graph shows of it, where somebody gave that as a whole. The other fields are then what can be read of it.
    pub raw: Option<Map<String, Value>>,
}

pub struct Reaction {
    pub from: Person,
    /// An emoji, or one of the older names such as `like`.
    pub kind: String,
    pub at: OffsetDateTime,
}

impl Chat {
    /// A chat without messages, on the Graph with this address.
    pub fn new(graph: &str, id: &str, kind: String, tenant: String, member: Person) -> Self {
        Self {
            id: id.to_owned(),
            address: format!("{graph}/v1.0/chats/{}", utf8_percent_encode(id, PATH)),
            kind,
            tenant,
            members: vec![member],
            messages: Vec::new(),
        }
    }

    pub fn has_member(&self, user: &str) -> bool {
        self.members.iter().any(|member| member.user == user)
    }

    /// Makes somebody a member. A sign-in name that was not known before is added.
    pub fn join(&mut self, person: Person) {
        match self.members.iter_mut().find(|it| it.user == person.user) {
            Some(member) => member.upn = member.upn.take().or(person.upn),
            None => self.members.push(person),
        }
    }

    pub fn message(&self, id: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id)
    }

    pub fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.messages.iter_mut().find(|message| message.id == id)
    }

    pub fn address_of(&self, message: &str) -> String {
        format!("{}/messages/{message}", self.address)
    }

    /// Adds a message of this time and returns its id. Its author is a member from here on.
    pub fn add(
        &mut self,
        from: Person,
        parts: Parts,
        mentioned: Option<Person>,
        at: OffsetDateTime,
    ) -> String {
        self.join(from.clone());
        let (id, written) = self.free(at);
        self.put(Message {
            id: id.clone(),
            from,
            parts: parts.at(&self.address_of(&id)),
            created: written,
            modified: written,
            mentioned,
            reactions: Vec::new(),
            edited: None,
            deleted: None,
            raw: None,
        });
        id
    }

    /// The id of a message of this time, and the time that is in it. Of two messages of one millisecond the later one gets the
    /// next free one.
    pub fn free(&self, at: OffsetDateTime) -> (String, OffsetDateTime) {
        let free = (at.unix_timestamp_nanos() / 1_000_000..)
            .find(|id| self.message(&id.to_string()).is_none())
            .unwrap_or_default();
        let written = OffsetDateTime::from_unix_timestamp_nanos(free * 1_000_000).unwrap_or(at);
        (free.to_string(), written)
    }

    /// Adds a message, in the place of the one with the same id when there is one.
    pub fn put(&mut self, message: Message) {
        self.messages.retain(|it| it.id != message.id);
        self.messages.push(message);
        self.messages.sort_by_key(|message| message.created);
    }
}

impl Message {
    /// One of its hosted contents; a deleted message has none.
    pub fn hosted(&self, id: &str) -> Option<&Hosted> {
        let content = self.parts.hosted.iter().find(|hosted| hosted.id == id);
        content.filter(|_| self.deleted.is_none())
    }
}
