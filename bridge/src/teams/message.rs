//! A Teams chat message as Graph shows it (Microsoft Learn, "chatMessage resource type").

use serde_json::Value;
use time::OffsetDateTime;

use crate::ids::{ChatId, TeamsMessageId, TenantId, UserId};
use crate::json_fault::JsonFault;
use crate::notices::Language;

/// One message of a chat; what the bridge does not use is left out.
#[derive(Debug, Clone)]
pub struct ChatMessage {
    /// Unique within the chat.
    pub id: TeamsMessageId,
    /// The chat, where Graph names it.
    pub chat_id: Option<ChatId>,
    /// Changes with every change of the message.
    pub etag: Option<String>,
    /// A person's message, or one of the system.
    pub kind: MessageKind,
    /// When it was written.
    pub created: OffsetDateTime,
    /// When its text was last edited.
    pub last_edited: Option<OffsetDateTime>,
    /// When it was deleted.
    pub deleted: Option<OffsetDateTime>,
    /// Who wrote it; absent for system messages.
    pub from: Option<Sender>,
    /// Its heading.
    pub subject: Option<String>,
    /// What was written.
    pub body: Body,
    /// What stands for it where nothing else can be shown.
    pub summary: Option<String>,
    /// Files, quotes and cards.
    pub attachments: Vec<Attachment>,
    /// Who is mentioned.
    pub mentions: Vec<Mention>,
    /// Reactions that stand at present.
    pub reactions: Vec<Reaction>,
    /// How its writer marked it.
    pub importance: Importance,
    /// Its writer's language, where Graph tells one that notices can be written in.
    pub language: Option<Language>,
    /// The writer's organisation lets nobody read it (Microsoft Learn, "chatMessagePolicyViolation resource type").
    pub blocked: bool,
}

/// How the writer of a message marked it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Importance {
    /// Not at all.
    #[default]
    Normal,
    /// Important.
    High,
    /// Urgent: its readers are told again and again.
    Urgent,
}

/// A reaction (Microsoft Learn, "chatMessageReaction resource type"). `Debug` leaves the name out.
#[derive(Clone, PartialEq, Eq)]
pub struct Reaction {
    /// A Unicode character, one of the older words, or `custom`.
    pub kind: String,
    /// The reaction's own name: that of the emoji, where it is a custom one.
    pub label: Option<String>,
    /// Who reacted.
    pub user: Option<UserId>,
    /// Display name, where Graph shows it.
    pub name: Option<String>,
}

debug_shows!(Reaction: kind, user);

/// What wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// A person or an application.
    Message,
    /// Teams itself: somebody joined, a call ended.
    System,
    /// A kind that Graph may introduce.
    Other,
}

/// Who wrote a message. `Debug` leaves the name out.
#[derive(Clone, Default)]
pub struct Sender {
    /// The user.
    pub user: Option<UserId>,
    /// What kind of user, in Graph's word, where it tells (Microsoft Learn, "teamworkUserIdentity resource type").
    pub user_type: Option<String>,
    /// Id of the application, for bots and connectors; empty where Graph names one without an id.
    pub application: Option<String>,
    /// The user's tenant, where Graph shows it.
    pub tenant: Option<TenantId>,
    /// User principal name, where Graph shows it (`/beta` only: Microsoft Learn, "teamworkUserIdentity resource type").
    pub upn: Option<String>,
    /// Display name, where Graph shows it.
    pub name: Option<String>,
}

debug_shows!(Sender: user, tenant);

/// What was written. `Debug` leaves the text out.
#[derive(Clone, Default)]
pub struct Body {
    /// HTML, or else plain text.
    pub html: bool,
    /// The text.
    pub content: String,
}

debug_shows!(Body: html);

/// A file, quote or card (Microsoft Learn, "chatMessageAttachment resource type"). `Debug` shows its type only.
#[derive(Clone, Default)]
pub struct Attachment {
    /// Its place in the body is `<attachment id="…">`.
    pub id: String,
    /// `reference`, `messageReference` or a card's media type.
    pub content_type: String,
    /// File name.
    pub name: Option<String>,
    /// Address for a browser.
    pub content_url: Option<String>,
    /// JSON, as text.
    pub content: Option<String>,
}

debug_shows!(Attachment: content_type);

impl Attachment {
    /// Whether only a person attaches it: a file, a message that is answered or passed on, a meeting. Teams itself adds previews
    /// of links to any message.
    #[must_use]
    pub fn is_made_by_hand(&self) -> bool {
        self.content_type == "reference" || self.content_type.ends_with("Reference")
    }
}

/// A mention. `Debug` leaves the text out.
#[derive(Clone)]
pub struct Mention {
    /// The text shown.
    pub text: String,
    /// The mentioned user.
    pub user: Option<UserId>,
}

debug_shows!(Mention: user);

/// A body that is no chat message; nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
pub enum MalformedMessage {
    /// No JSON object.
    #[error("no JSON of a chat message")]
    Json(#[source] JsonFault),
    /// A required field is missing or unusable.
    #[error("the field {0} is missing or unusable")]
    Field(&'static str),
}

impl ChatMessage {
    /// Reads a message field by field: unknown fields, and fields that are not as documented, are left out, so that nothing
    /// odd beside the words keeps the words back. An attachment that cannot be read stays as one of no known type.
    ///
    /// # Errors
    /// The body is not JSON, or lacks the id or the time of the message.
    pub fn parse(body: &[u8]) -> Result<Self, MalformedMessage> {
        let raw: Value =
            serde_json::from_slice(body).map_err(|error| MalformedMessage::Json(error.into()))?;
        let id: TeamsMessageId = text(&raw["id"])
            .and_then(|id| id.parse().ok())
            .ok_or(MalformedMessage::Field("id"))?;
        let content = text(&raw["body"]["content"]).or_else(|| text(&raw["body"]));
        let body = Body {
            html: raw["body"]["contentType"] != "text",
            content: content.unwrap_or_default(),
        };
        let kind = match raw["messageType"].as_str() {
            Some("message") | None => MessageKind::Message,
            Some("systemEventMessage") => MessageKind::System,
            // Without the Prefer header Graph calls system messages an unknown future value.
            Some(_) if body.content.trim() == "<systemEventMessage/>" => MessageKind::System,
            Some(_) => MessageKind::Other,
        };
        // Somebody wrote a message, whether or not Graph tells who.
        let has_sender = raw["from"].is_object() || kind == MessageKind::Message;
        Ok(Self {
            kind,
            created: time(&raw["createdDateTime"])
                .or_else(|| time_of(&id))
                .ok_or(MalformedMessage::Field("createdDateTime"))?,
            id,
            chat_id: parsed(&raw["chatId"]),
            etag: text(&raw["etag"]),
            last_edited: time(&raw["lastEditedDateTime"]),
            deleted: time(&raw["deletedDateTime"]),
            from: has_sender.then(|| Sender::of(&raw["from"])),
            subject: shown(&raw["subject"]),
            blocked: is_blocked(&raw["policyViolation"], &body),
            body,
            summary: shown(&raw["summary"]),
            attachments: each(&raw["attachments"]).map(Attachment::of).collect(),
            mentions: each(&raw["mentions"]).map(Mention::of).collect(),
            language: raw["locale"].as_str().and_then(Language::of_locale),
            reactions: each(&raw["reactions"]).filter_map(Reaction::of).collect(),
            importance: match raw["importance"].as_str() {
                Some("urgent") => Importance::Urgent,
                Some("high") => Importance::High,
                _ => Importance::Normal,
            },
        })
    }
}

/// Whether nobody may read a message; its writer may have been allowed to send it all the same.
fn is_blocked(violation: &Value, body: &Body) -> bool {
    // Several actions are written with commas between them.
    let named = |field: &str, word| {
        let words = violation[field].as_str();
        words.is_some_and(|words| words.to_ascii_lowercase().contains(word))
    };
    let is_sent = named("userAction", "override") && !body.content.trim().is_empty();
    named("dlpAction", "blockaccess") && !is_sent
}

impl Sender {
    fn of(raw: &Value) -> Self {
        // A device is somebody as well, where no user is named.
        let identities = [&raw["user"], &raw["device"]].into_iter();
        let mut named = identities.filter(|identity| identity.is_object());
        let (user, application) = (named.next().unwrap_or(&Value::Null), &raw["application"]);
        Self {
            user: parsed(&user["id"]),
            user_type: text(&user["userIdentityType"]).filter(|word| is_user_type(word)),
            application: application
                .is_object()
                .then(|| text(&application["id"]).unwrap_or_default()),
            tenant: parsed(&user["tenantId"]),
            upn: shown(&user["userPrincipalName"]),
            name: shown(&user["displayName"]),
        }
    }

    /// The name, where Graph shows one; else, for somebody who is in nobody's directory, what kind of guest that is.
    #[must_use]
    pub fn shown_name(&self) -> Option<&str> {
        let is_entra = self.user.as_ref().is_some_and(UserId::is_entra);
        let kind = || match self.user_type.as_deref() {
            Some("phoneUser") => "Phone user",
            Some("emailUser") => "Email user",
            Some("skypeUser") => "Skype user",
            _ => "Guest",
        };
        self.name.as_deref().or_else(|| (!is_entra).then(kind))
    }
}

/// Whether a word tells what kind of user somebody is. Of kinds that are newer than its version of Graph, a client is told
/// `unknownFutureValue` (Microsoft Learn, "Handling future members in evolvable enumerations").
fn is_user_type(word: &str) -> bool {
    let is_word = (1..=64).contains(&word.len());
    let mut letters = word.bytes();
    is_word && letters.all(|byte| byte.is_ascii_alphanumeric()) && word != "unknownFutureValue"
}

impl Attachment {
    pub(crate) fn of(raw: &Value) -> Self {
        let content = &raw["content"];
        Self {
            id: text(&raw["id"]).unwrap_or_default(),
            content_type: text(&raw["contentType"]).unwrap_or_default(),
            name: text(&raw["name"]),
            content_url: text(&raw["contentUrl"]),
            content: match content {
                Value::Object(_) | Value::Array(_) => Some(content.to_string()),
                _ => text(content),
            },
        }
    }
}

impl Mention {
    fn of(raw: &Value) -> Self {
        Self {
            text: text(&raw["mentionText"]).unwrap_or_default(),
            user: parsed(&raw["mentioned"]["user"]["id"]),
        }
    }
}

impl Reaction {
    fn of(raw: &Value) -> Option<Self> {
        let by = Sender::of(&raw["user"]);
        Some(Self {
            kind: shown(&raw["reactionType"])?.trim().to_owned(),
            label: shown(&raw["displayName"]),
            name: by.shown_name().map(str::to_owned),
            user: by.user,
        })
    }

    /// A custom emoji: its kind says no more.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.kind == "custom"
    }
}

/// The entries of a list; Graph writes null for what is not there.
fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter(|entry| !entry.is_null())
}

/// A text; ids are numbers at times.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text that says something.
fn shown(value: &Value) -> Option<String> {
    text(value).filter(|text| !text.trim().is_empty())
}

fn parsed<T: std::str::FromStr>(value: &Value) -> Option<T> {
    text(value)?.parse().ok()
}

fn time(value: &Value) -> Option<OffsetDateTime> {
    crate::moment::parse(value.as_str()?)
}

/// When a message was written, by its id: the milliseconds since 1970 (as Graph's own examples show).
pub(crate) fn time_of(id: &TeamsMessageId) -> Option<OffsetDateTime> {
    let milliseconds: i128 = id.as_str().parse().ok()?;
    let time = OffsetDateTime::from_unix_timestamp_nanos(milliseconds.checked_mul(1_000_000)?);
    time.ok().filter(|time| time.year() >= 2017)
}

#[cfg(test)]
mod tests;
