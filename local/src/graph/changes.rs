//! What can happen to a message after it was written: edits, deletion and its undoing, reactions.

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::chats::{Message, Person, Reaction};
use super::parts::Parts;

/// A kind of change, as notifications name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeType {
    /// A new message.
    Created,
    /// An edit, a reaction, or a deletion undone.
    Updated,
    /// A deletion.
    Deleted,
}

/// Why a message cannot be changed this way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unchanged {
    #[error("no such message")]
    NoMessage,
    #[error("the message is deleted")]
    Deleted,
    #[error("the message is not deleted")]
    NotDeleted,
    /// The person has no such reaction.
    #[error("no such reaction")]
    NoReaction,
}

impl Message {
    /// Replaces what it holds; `address` is its own. With `keep_attachments` it has its former attachments as well; its
    /// hosted contents stay, because the new body may show them again.
    pub fn edit(
        &mut self,
        mut parts: Parts,
        keep_attachments: bool,
        address: &str,
    ) -> Result<(), Unchanged> {
        self.edited = Some(self.touch()?);
        if keep_attachments {
            parts.keep(std::mem::take(&mut self.parts.attachments));
        }
        let mut parts = parts.at(address);
        self.parts.hosted.append(&mut parts.hosted);
        self.parts.html = parts.html;
        self.parts.attachments = parts.attachments;
        Ok(())
    }

    /// Deletes it.
    pub fn delete(&mut self) -> Result<(), Unchanged> {
        self.deleted = Some(self.touch()?);
        Ok(())
    }

    /// Undoes its deletion.
    pub fn restore(&mut self) -> Result<(), Unchanged> {
        self.deleted.take().ok_or(Unchanged::NotDeleted)?;
        self.touch().map(drop)
    }

    /// Adds a reaction; the same one of the same person counts once.
    pub fn react(&mut self, from: Person, kind: String) -> Result<(), Unchanged> {
        let at = self.touch()?;
        self.reactions.retain(|it| !it.is(&from, &kind));
        self.reactions.push(Reaction { from, kind, at });
        Ok(())
    }

    /// Takes a reaction back.
    pub fn unreact(&mut self, from: &Person, kind: &str) -> Result<(), Unchanged> {
        let place = self.reactions.iter().position(|it| it.is(from, kind));
        match (self.deleted, place) {
            (None, None) => Err(Unchanged::NoReaction),
            (None, Some(place)) => {
                self.reactions.remove(place);
                self.touch().map(drop)
            }
            (Some(_), _) => Err(Unchanged::Deleted),
        }
    }

    /// The time of a change, unless the message is deleted. Every change has a time of its own: the etag, which is made of
    /// it, must move.
    fn touch(&mut self) -> Result<OffsetDateTime, Unchanged> {
        if self.deleted.is_some() {
            return Err(Unchanged::Deleted);
        }
        let now = OffsetDateTime::now_utc().truncate_to_millisecond();
        self.modified = now.max(self.modified + Duration::MILLISECOND);
        Ok(self.modified)
    }
}

impl Reaction {
    fn is(&self, from: &Person, kind: &str) -> bool {
        self.from.user == from.user && self.kind == kind
    }
}
