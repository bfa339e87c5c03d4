//! What can happen to a message after it was written: edits, deletion and its undoing, reactions.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use super::chats::{Message, Person, Reaction};
use super::parts::Parts;
use crate::shared::refused::Refused;

/// A kind of change, as notifications name it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeType {
    Created,
    /// An edit, a reaction, or a deletion undone.
    Updated,
    Deleted,
}

impl ChangeType {
    /// The kind of this name, to the letter.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "created" => Some(Self::Created),
            "updated" => Some(Self::Updated),
            "deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

fn conflict(why: &str) -> Refused {
    Refused(StatusCode::CONFLICT, why.to_owned())
}

impl Message {
    /// Replaces what it holds; `address` is its own. With `keep_attachments` it has its former attachments as well; its
    /// hosted contents stay, because the new body may show them again.
    pub fn edit(
        &mut self,
        mut parts: Parts,
        keep_attachments: bool,
        address: &str,
    ) -> Result<(), Refused> {
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

    pub fn delete(&mut self) -> Result<(), Refused> {
        self.deleted = Some(self.touch()?);
        Ok(())
    }

    /// Undoes its deletion.
    pub fn restore(&mut self) -> Result<(), Refused> {
        let deleted = self.deleted.take();
        deleted.ok_or_else(|| conflict("the message is not deleted"))?;
        self.touch().map(drop)
    }

    /// Adds a reaction; the same one of the same person counts once.
    pub fn react(&mut self, from: Person, kind: String) -> Result<(), Refused> {
        let at = self.touch()?;
        self.reactions.retain(|it| !it.is(&from, &kind));
        self.reactions.push(Reaction { from, kind, at });
        Ok(())
    }

    /// Takes a reaction back.
    pub fn unreact(&mut self, from: &Person, kind: &str) -> Result<(), Refused> {
        let place = self.reactions.iter().position(|it| it.is(from, kind));
        let place = place.ok_or_else(|| Refused::not_found("such reaction"))?;
        self.touch()?;
        self.reactions.remove(place);
        Ok(())
    }

    /// The time of a change, unless the message is deleted. Every change has a time of its own: the etag, which is made of
    /// it, must move.
    fn touch(&mut self) -> Result<OffsetDateTime, Refused> {
        if self.deleted.is_some() {
            return Err(conflict("the message is deleted"));
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
