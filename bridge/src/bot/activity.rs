//! An activity as the connector sends it (Microsoft Learn, "Messages in bot conversations", "Conversation events in your Teams
//! bot"; Bot Framework, "Activity schema").

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::press::Press;
use super::reference::ConversationReference;
use crate::conversation::case::GroupPolicy;
use crate::ids::{ChatId, Digest, SupportAccountName, TeamsMessageId, TenantId, UserId};
use crate::json_fault::JsonFault;
use crate::notices::Language;
use crate::state::inbound::InboundState;
use crate::teams::chat_kind::ChatKind;
use crate::teams::notification::ChangeType;

/// The channel whose activities are taken; the connector serves others with the same token.
pub const CHANNEL: &str = "msteams";

/// What an activity tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum What {
    /// A message was written, or a button of a card was pressed.
    Written,
    /// A message was edited, or is back after it was deleted.
    Edited,
    /// A message was deleted.
    Deleted,
    /// Somebody reacted to a message of the bot's.
    Reacted,
    /// The bot was added to the conversation.
    Installed,
    /// The bot was removed from it.
    Removed,
    /// Somebody is typing.
    Typing,
    /// Nothing that the bridge tells anybody: a read receipt, other members, a kind that Teams may introduce.
    #[serde(other)]
    Other,
}

impl What {
    /// A word for logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Edited => "edited",
            Self::Deleted => "deleted",
            Self::Reacted => "reacted",
            Self::Installed => "installed",
            Self::Removed => "removed",
            Self::Typing => "typing",
            Self::Other => "other",
        }
    }

    /// The change of a message that it is, as Graph would tell it.
    #[must_use]
    pub const fn change(self) -> Option<ChangeType> {
        match self {
            Self::Written => Some(ChangeType::Created),
            Self::Edited | Self::Reacted => Some(ChangeType::Updated),
            Self::Deleted => Some(ChangeType::Deleted),
            Self::Installed | Self::Removed | Self::Typing | Self::Other => None,
        }
    }
}

/// One activity. `Debug` leaves out who says what.
#[derive(Clone)]
pub struct Activity {
    /// What it tells.
    pub what: What,
    /// The message that it is about; its own id where it is about none.
    pub message: TeamsMessageId,
    /// The conversation.
    pub chat: ChatId,
    /// Its kind.
    pub kind: ChatKind,
    /// Its address.
    pub reference: ConversationReference,
    /// Who caused it: the Entra object id, or the id that only this bot knows.
    pub sender: Option<UserId>,
    /// When it was sent. A repetition can have another time.
    pub at: OffsetDateTime,
    /// What its sender pressed.
    pub press: Option<Press>,
    pub(super) raw: Value,
}

debug_shows!(Activity: what, message, chat, kind);

/// A body that is no activity; nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
pub enum MalformedActivity {
    /// No JSON object.
    #[error("no JSON of an activity")]
    Json(#[source] JsonFault),
    /// A required field is missing or unusable.
    #[error("the field {0} is missing or unusable")]
    Field(&'static str),
}

impl MalformedActivity {
    /// A word for logs.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Json(_) => "no JSON",
            Self::Field(field) => field,
        }
    }
}

impl Activity {
    /// Reads an activity that was received at this time, field by field: what is unknown or odd beside the words does not keep the
    /// words back.
    ///
    /// # Errors
    /// The body is no JSON object, or lacks the channel, the conversation or its address.
    pub fn parse(body: &[u8], received: OffsetDateTime) -> Result<Self, MalformedActivity> {
        let raw: Value =
            serde_json::from_slice(body).map_err(|error| MalformedActivity::Json(error.into()))?;
        if text(&raw["channelId"]) != Some(CHANNEL) {
            return Err(MalformedActivity::Field("channelId"));
        }
        let conversation = &raw["conversation"];
        let chat: ChatId =
            parsed(&conversation["id"]).ok_or(MalformedActivity::Field("conversation.id"))?;
        let service_url = text(&raw["serviceUrl"]).ok_or(MalformedActivity::Field("serviceUrl"))?;
        let bot = text(&raw["recipient"]["id"]).unwrap_or_default();
        let press = Press::read(&raw["value"]);
        let what = what(&raw, bot, press.is_some());
        let kind = kind(conversation, &chat);
        let about = match what {
            What::Reacted => &raw["replyToId"],
            _ => &raw["id"],
        };
        let message = parsed(about).unwrap_or_else(|| unnamed(body));
        // Either may be the only one (Microsoft Learn, "Messages in bot conversations").
        let tenants = [
            &conversation["tenantId"],
            &raw["channelData"]["tenant"]["id"],
        ];
        let from = &raw["from"];
        let reference = ConversationReference {
            service_url: service_url.to_owned(),
            bot: bot.to_owned(),
            user: text(&from["id"]).unwrap_or_default().to_owned(),
            tenant: tenants.into_iter().find_map(parsed),
        };
        let at = text(&raw["timestamp"]).and_then(crate::moment::parse);
        Ok(Self {
            what,
            message,
            chat,
            kind,
            reference,
            sender: parsed(&from["aadObjectId"]).or_else(|| parsed(&from["id"])),
            at: at.unwrap_or(received),
            press,
            raw,
        })
    }

    /// Whether the other door brings the same message in any case, with the files that a group's activity has not: a Support User is in
    /// the chat, has its conversation, and all messages of groups are for the agent.
    #[must_use]
    pub fn comes_by_graph(
        &self,
        state: &InboundState,
        groups: GroupPolicy,
        bot: &SupportAccountName,
    ) -> bool {
        let is_others = state.thread.is_some() && state.account != *bot;
        self.kind != ChatKind::OneOnOne && groups == GroupPolicy::All && is_others
    }

    /// Whether people are greeted where the bot was added: not in a group from which nothing would reach an agent.
    #[must_use]
    pub fn is_greeted(&self, groups: GroupPolicy) -> bool {
        self.kind == ChatKind::OneOnOne || groups != GroupPolicy::Off
    }

    /// The message that it answers: for a press, the card.
    #[must_use]
    pub fn answers_to(&self) -> Option<TeamsMessageId> {
        parsed(&self.raw["replyToId"])
    }

    /// Whether it waits for an answer of its own (`invoke`).
    #[must_use]
    pub fn is_invoke(&self) -> bool {
        self.raw["type"] == "invoke"
    }

    /// The language of its sender's client.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        text(&self.raw["locale"]).and_then(Language::of_tag)
    }

    /// Its tenant, as it says itself; whoever signed it vouches for the connector alone.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        self.reference.tenant.as_ref()
    }
}

fn what(raw: &Value, bot: &str, is_press: bool) -> What {
    let names_bot = |list: &str| {
        let mut members = raw[list].as_array().into_iter().flatten();
        !bot.is_empty() && members.any(|member| text(&member["id"]) == Some(bot))
    };
    match text(&raw["type"]).unwrap_or_default() {
        "message" if is_press || says_something(raw) => What::Written,
        "messageUpdate" => What::Edited,
        "messageDelete" => What::Deleted,
        "messageReaction"
            if raw["reactionsAdded"]
                .as_array()
                .is_some_and(|it| !it.is_empty()) =>
        {
            What::Reacted
        }
        "conversationUpdate" if names_bot("membersAdded") => What::Installed,
        "conversationUpdate" if names_bot("membersRemoved") => What::Removed,
        "installationUpdate" => match text(&raw["action"]).unwrap_or_default() {
            "add" => What::Installed,
            "remove" => What::Removed,
            // With another version of its app the bot stays where it is.
            _ => What::Other,
        },
        "typing" => What::Typing,
        _ => What::Other,
    }
}

fn says_something(raw: &Value) -> bool {
    let is_text = text(&raw["text"]).is_some_and(|text| !text.trim().is_empty());
    let is_attached = raw["attachments"]
        .as_array()
        .is_some_and(|it| !it.is_empty());
    is_text || is_attached || raw["value"].is_object()
}

fn kind(conversation: &Value, chat: &ChatId) -> ChatKind {
    match text(&conversation["conversationType"]) {
        Some("personal") => ChatKind::OneOnOne,
        Some(_) => ChatKind::Group,
        None if conversation["isGroup"] == true => ChatKind::Group,
        None => ChatKind::guess(chat),
    }
}

/// An id for what has none: the same for the same bytes.
fn unnamed(body: &[u8]) -> TeamsMessageId {
    TeamsMessageId::standing_for(&Digest::of_bytes("unnamed", body))
}

pub(super) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

pub(super) fn parsed<T: std::str::FromStr>(value: &Value) -> Option<T> {
    text(value)?.parse().ok()
}
