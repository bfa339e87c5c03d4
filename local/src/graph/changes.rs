//! What can happen to a message after it was written: edits, deletion and its undoing, reactions.

use time::{Duration, OffsetDateTime};

use super::chats::{Chats, Message, Person, Reaction};
use super::parts::Parts;

/// A kind of change, as subscriptions and notifications name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeType {
    /// A new message.
    Created,
    /// An edit, a reaction, or a deletion undone.
    Updated,
    /// A deletion.
    Deleted,
}

impl ChangeType {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Created, Self::Updated, Self::Deleted];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// Why a message cannot be changed this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unchanged {
    /// There is no such message.
    #[error("no such message")]
    NoMessage,
    /// It was deleted.
    #[error("the message is deleted")]
    Deleted,
    /// It was not deleted.
    #[error("the message is not deleted")]
    NotDeleted,
    /// The person has no such reaction.
    #[error("no such reaction")]
    NoReaction,
}

impl Chats {
    /// Replaces what a message holds. With `keep_attachments` it has its former attachments as well; its hosted contents
    /// stay, because the new body may show them again.
    pub fn edit(
        &mut self,
        chat: &str,
        id: &str,
        mut parts: Parts,
        keep_attachments: bool,
        now: OffsetDateTime,
    ) -> Result<(), Unchanged> {
        let address = self.address(chat, id);
        let message = self.living(chat, id)?;
        if keep_attachments {
            parts.keep(message.attachments.clone());
        }
        let parts = parts.at(&address);
        message.html = parts.html;
        message.attachments = parts.attachments;
        message.hosted.extend(parts.hosted);
        message.touch(now);
        message.edited = Some(message.modified);
        Ok(())
    }

    /// Deletes a message.
    pub fn delete(&mut self, chat: &str, id: &str, now: OffsetDateTime) -> Result<(), Unchanged> {
        let message = self.living(chat, id)?;
        message.touch(now);
        message.deleted = Some(message.modified);
        Ok(())
    }

    /// Undoes a deletion.
    pub fn restore(&mut self, chat: &str, id: &str, now: OffsetDateTime) -> Result<(), Unchanged> {
        let message = self.message_mut(chat, id).ok_or(Unchanged::NoMessage)?;
        if message.deleted.take().is_none() {
            return Err(Unchanged::NotDeleted);
        }
        message.touch(now);
        Ok(())
    }

    /// Adds a reaction; the same one of the same person counts once.
    pub fn react(
        &mut self,
        chat: &str,
        id: &str,
        from: Person,
        kind: String,
        now: OffsetDateTime,
    ) -> Result<(), Unchanged> {
        let message = self.living(chat, id)?;
        message.touch(now);
        let at = message.modified;
        message.reactions.retain(|it| !it.is(&from, &kind));
        message.reactions.push(Reaction {
            from: from.clone(),
            kind,
            at,
        });
        self.join(chat, from);
        Ok(())
    }

    /// Takes a reaction back.
    pub fn unreact(
        &mut self,
        chat: &str,
        id: &str,
        from: &Person,
        kind: &str,
        now: OffsetDateTime,
    ) -> Result<(), Unchanged> {
        let message = self.living(chat, id)?;
        let before = message.reactions.len();
        message.reactions.retain(|it| !it.is(from, kind));
        if message.reactions.len() == before {
            return Err(Unchanged::NoReaction);
        }
        message.touch(now);
        Ok(())
    }

    fn living(&mut self, chat: &str, id: &str) -> Result<&mut Message, Unchanged> {
        let message = self.message_mut(chat, id).ok_or(Unchanged::NoMessage)?;
        if message.deleted.is_some() {
            Err(Unchanged::Deleted)
        } else {
            Ok(message)
        }
    }
}

impl Reaction {
    fn is(&self, from: &Person, kind: &str) -> bool {
        self.from.user == from.user && self.kind == kind
    }
}

impl Message {
    /// Every change has a time of its own: the etag, which is made of it, must move.
    fn touch(&mut self, now: OffsetDateTime) {
        let milliseconds = now.unix_timestamp_nanos() / 1_000_000 * 1_000_000;
        let now = OffsetDateTime::from_unix_timestamp_nanos(milliseconds).unwrap_or(now);
        self.modified = now.max(self.modified + Duration::MILLISECOND);
    }
}
