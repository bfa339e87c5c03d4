//! Lists of a Support User's chats and of what is in them, a part at a time, so that whoever reads a long one keeps its pace.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use url::Url;

use super::user::Page;
use super::{ANSWER_LIMIT, UserGraph, parse};
use crate::error::{ErrorKind, Result, Sent, Service, ServiceError};
use crate::exchange;

/// Entries of one part, the most that Graph gives ("List chats", "List messages in a chat").
pub(super) const PART: &str = "50";

/// Where the next part of a list is.
#[derive(Debug, Clone)]
pub struct Next(String);

/// A part of a list, and where the next one is.
#[derive(Debug)]
pub struct Part<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// None behind the last part.
    pub next: Option<Next>,
}

/// A chat in the list of a Support User's chats.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatRecord {
    /// Chat id.
    pub id: String,
    /// Its newest message, or what the system wrote there.
    #[serde(default)]
    pub last_message_preview: Option<Preview>,
}

/// The newest message of a chat ("chatMessageInfo resource type"), without what it says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Id of the message.
    pub id: String,
    /// When it was written.
    #[serde(with = "time::serde::rfc3339")]
    pub created_date_time: OffsetDateTime,
    /// `message`, or another word for what nobody wrote.
    #[serde(default)]
    pub message_type: Option<String>,
    #[serde(default)]
    from: Option<From>,
}

#[derive(Debug, Deserialize)]
struct From {
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    #[serde(default)]
    id: Option<String>,
}

impl Preview {
    /// Id of the user who wrote it, where Graph tells.
    pub fn user(&self) -> Option<&str> {
        self.from.as_ref()?.user.as_ref()?.id.as_deref()
    }
}

/// A message in the list of a chat's messages.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageRecord {
    /// Unique within the chat.
    pub id: String,
    /// When it was written.
    #[serde(with = "time::serde::rfc3339")]
    pub created_date_time: OffsetDateTime,
    /// When it was written or changed last.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub last_modified_date_time: Option<OffsetDateTime>,
    /// When its text was last edited.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub last_edited_date_time: Option<OffsetDateTime>,
    /// When it was deleted.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub deleted_date_time: Option<OffsetDateTime>,
    /// All that the list tells of it, which is what reading it alone would: JSON of a `chatMessage`.
    #[serde(skip)]
    pub whole: Option<Vec<u8>>,
}

impl MessageRecord {
    fn read(message: &Value) -> Option<Self> {
        let mut record = Self::deserialize(message).ok()?;
        record.whole = serde_json::to_vec(message).ok();
        Some(record)
    }
}

impl UserGraph<'_> {
    /// A part of the Support User's chats, the one with the newest message first ("List chats": the order by the preview's time, which
    /// must be expanded to be seen).
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn chats(&self, correlation: &str, next: Option<Next>) -> Result<Part<ChatRecord>> {
        let url = format!("{}/me/chats", self.graph.base);
        let query = [
            ("$expand", "lastMessagePreview"),
            ("$orderby", "lastMessagePreview/createdDateTime desc"),
            ("$top", PART),
        ];
        let read = |chat: &Value| ChatRecord::deserialize(chat).ok();
        self.part(correlation, next, &url, &query, read).await
    }

    /// A part of the messages that were written or changed after `since`, and up to `until` where that is given, newest change first.
    ///
    /// # Errors
    /// Graph refused or could not be reached.
    pub async fn changes(
        &self,
        correlation: &str,
        chat: &str,
        since: OffsetDateTime,
        until: Option<OffsetDateTime>,
        next: Option<Next>,
    ) -> Result<Part<MessageRecord>> {
        let url = format!("{}/messages", self.graph.chat_url(chat)?);
        let mut filter = changed_after(since)?;
        if let Some(until) = until {
            // The range excludes its bounds.
            let before = graphs_time(until + Duration::from_millis(1))?;
            filter = format!("{filter} and lastModifiedDateTime lt {before}");
        }
        let query = [
            ("$top", PART),
            ("$orderby", "lastModifiedDateTime desc"),
            ("$filter", filter.as_str()),
        ];
        let read = MessageRecord::read;
        self.part(correlation, next, &url, &query, read).await
    }

    async fn part<T>(
        &self,
        correlation: &str,
        next: Option<Next>,
        url: &str,
        query: &[(&str, &str)],
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Part<T>> {
        let page: Page<Value> = self
            .call(|token| {
                let request = match &next {
                    Some(Next(url)) => self.graph.get(url, &token, correlation),
                    None => self.graph.get(url, &token, correlation).query(query),
                };
                exchange::send_for_json(Service::Graph, request, ANSWER_LIMIT)
            })
            .await?;
        let next = page.next.map(|next| self.ours(next)).transpose()?;
        // One entry that is not as documented must not keep the others from being read.
        let entries: Vec<T> = page.value.iter().filter_map(read).collect();
        if entries.len() < page.value.len() {
            let unreadable = page.value.len() - entries.len();
            tracing::warn!(event = "list_entries_unreadable", unreadable);
        }
        Ok(Part {
            entries,
            next: next.map(Next),
        })
    }

    /// The address of a next part, if it is Graph's: the token goes there and nowhere else.
    pub(super) fn ours(&self, next: String) -> Result<String> {
        let is_ours = |next: Url| Ok(next.origin() == parse(&self.graph.base)?.origin());
        match parse(&next).and_then(is_ours) {
            Ok(true) => Ok(next),
            _ => {
                let malformed = ErrorKind::Malformed;
                Err(ServiceError::new(Service::Graph, malformed, Sent::Yes))
            }
        }
    }
}

/// The filter for what changed after a time.
pub(super) fn changed_after(since: OffsetDateTime) -> Result<String> {
    Ok(format!("lastModifiedDateTime gt {}", graphs_time(since)?))
}

/// A time in the precision of Graph's own times; with more digits it refuses the filter.
fn graphs_time(time: OffsetDateTime) -> Result<String> {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let text = time.to_offset(UtcOffset::UTC).format(format);
    text.map_err(|_| ServiceError::new(Service::Graph, ErrorKind::Rejected, Sent::No))
}
