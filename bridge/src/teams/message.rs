//! A Teams chat message as Graph shows it (Microsoft Learn, "chatMessage resource type").

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;

use crate::ids::{ChatId, TeamsMessageId, TenantId, UserId};
use crate::json_fault::JsonFault;

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
    /// What was written.
    pub body: Body,
    /// Files, quotes and cards.
    pub attachments: Vec<Attachment>,
    /// Who is mentioned.
    pub mentions: Vec<Mention>,
    /// Reactions that stand at present.
    pub reactions: Vec<Reaction>,
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
    /// Id of the application, for bots and connectors.
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
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// `reference`, `messageReference` or a card's media type.
    #[serde(default, deserialize_with = "or_default")]
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
    /// Not JSON, or a field of another type.
    #[error("no JSON of a chat message")]
    Json(#[source] JsonFault),
    /// A required field is missing or unusable.
    #[error("the field {0} is missing or unusable")]
    Field(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMessage {
    id: Option<String>,
    chat_id: Option<String>,
    etag: Option<String>,
    message_type: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_date_time: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    last_edited_date_time: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    deleted_date_time: Option<OffsetDateTime>,
    from: Option<RawFrom>,
    body: Option<RawBody>,
    attachments: Option<Vec<Attachment>>,
    mentions: Option<Vec<RawMention>>,
    reactions: Option<Vec<RawReaction>>,
}

#[derive(Deserialize)]
struct RawFrom {
    application: Option<RawIdentity>,
    user: Option<RawIdentity>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawIdentity {
    id: Option<String>,
    display_name: Option<String>,
    tenant_id: Option<String>,
    user_principal_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBody {
    content_type: Option<String>,
    content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMention {
    mention_text: Option<String>,
    mentioned: Option<RawFrom>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReaction {
    reaction_type: Option<String>,
    display_name: Option<String>,
    user: Option<RawFrom>,
}

/// Graph writes null for what is not there.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl ChatMessage {
    /// Reads a message; unknown fields are ignored.
    ///
    /// # Errors
    /// The body is not JSON, or lacks the id or the time of the message.
    pub fn parse(body: &[u8]) -> Result<Self, MalformedMessage> {
        let raw: RawMessage =
            serde_json::from_slice(body).map_err(|error| MalformedMessage::Json(error.into()))?;
        let id = raw
            .id
            .and_then(|id| id.parse().ok())
            .ok_or(MalformedMessage::Field("id"))?;
        let chat_id = raw.chat_id.map(|chat| chat.parse()).transpose();
        let body = raw.body.map_or_else(Body::default, |body| Body {
            html: body.content_type.as_deref() != Some("text"),
            content: body.content.unwrap_or_default(),
        });
        Ok(Self {
            id,
            chat_id: chat_id.map_err(|_| MalformedMessage::Field("chatId"))?,
            etag: raw.etag,
            kind: match raw.message_type.as_deref() {
                Some("message") | None => MessageKind::Message,
                Some("systemEventMessage") => MessageKind::System,
                // Without the Prefer header Graph calls system messages an unknown future value.
                Some(_) if body.content.trim() == "<systemEventMessage/>" => MessageKind::System,
                Some(_) => MessageKind::Other,
            },
            created: raw
                .created_date_time
                .ok_or(MalformedMessage::Field("createdDateTime"))?,
            last_edited: raw.last_edited_date_time,
            deleted: raw.deleted_date_time,
            from: raw.from.map(Sender::from),
            body,
            attachments: raw.attachments.unwrap_or_default(),
            mentions: raw
                .mentions
                .into_iter()
                .flatten()
                .map(Mention::from)
                .collect(),
            reactions: raw
                .reactions
                .into_iter()
                .flatten()
                .filter_map(Reaction::of)
                .collect(),
        })
    }
}

impl From<RawFrom> for Sender {
    fn from(raw: RawFrom) -> Self {
        let user = raw.user.unwrap_or_default();
        Self {
            user: user.id.and_then(|id| id.parse().ok()),
            application: raw.application.and_then(|application| application.id),
            tenant: user.tenant_id.and_then(|tenant| tenant.parse().ok()),
            upn: shown(user.user_principal_name),
            name: shown(user.display_name),
        }
    }
}

/// A text that says something.
fn shown(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

impl Reaction {
    fn of(raw: RawReaction) -> Option<Self> {
        let by = raw.user.map(Sender::from).unwrap_or_default();
        let kind = raw.reaction_type?.trim().to_owned();
        (!kind.is_empty()).then_some(Self {
            kind,
            label: shown(raw.display_name),
            user: by.user,
            name: by.name,
        })
    }

    /// A custom emoji: its kind says no more.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.kind == "custom"
    }
}

impl From<RawMention> for Mention {
    fn from(raw: RawMention) -> Self {
        Self {
            text: raw.mention_text.unwrap_or_default(),
            user: raw
                .mentioned
                .and_then(|mentioned| Sender::from(mentioned).user),
        }
    }
}

#[cfg(test)]
mod tests;
