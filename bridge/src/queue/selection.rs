//! Which failed messages a person means, and in which order they are shown and go back.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::str::FromStr;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::envelope::Content;
use super::failed::{Direction, FailedMessage};
use crate::genesys::webhook::Webhook;
use crate::ids::{ChatId, Digest, InvalidId};

/// A failed message and its place.
pub struct Failed {
    /// Name of its blob in the container `failed`.
    pub blob: String,
    /// What is stored of it.
    pub message: FailedMessage,
}

/// What a person gives to name failed messages; what is absent leaves all in.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Names of their blobs.
    pub blobs: BTreeSet<String>,
    /// Given up at or after this.
    pub since: Option<OffsetDateTime>,
    /// Given up before this.
    pub until: Option<OffsetDateTime>,
    /// Kind of the failure.
    pub kind: Option<String>,
    /// Digest of the chat.
    pub chat: Option<Digest>,
    /// Which way they were going.
    pub direction: Option<Direction>,
}

impl Selection {
    /// Whether this one is meant.
    #[must_use]
    pub fn takes(&self, failed: &Failed) -> bool {
        let (message, at) = (&failed.message, failed.message.last_attempt);
        (self.blobs.is_empty() || self.blobs.contains(&failed.blob))
            && self.since.is_none_or(|since| at >= since)
            && self.until.is_none_or(|until| at < until)
            && self.kind.as_ref().is_none_or(|kind| message.kind == *kind)
            && (self.chat.is_none() || message.chat() == self.chat)
            && self.direction.is_none_or(|it| message.direction == it)
    }

    /// Whether what is given leaves no doubt that so many found messages are the ones that are meant: it names exactly one.
    #[must_use]
    pub fn is_certain(&self, found: usize) -> bool {
        found == 1 && !self.is_of_all()
    }

    /// Whether nothing is given, so that all are meant.
    #[must_use]
    pub fn is_of_all(&self) -> bool {
        let Self {
            blobs,
            since,
            until,
            kind,
            chat,
            direction,
        } = self;
        blobs.is_empty()
            && since.is_none()
            && until.is_none()
            && kind.is_none()
            && chat.is_none()
            && direction.is_none()
    }
}

/// Sorts by lane, and within a lane as the messages were accepted.
pub fn sort(failed: &mut [Failed]) {
    let lane = |it: &Failed| (it.message.queue.clone(), it.message.lane.clone());
    failed.sort_by_cached_key(|it| (lane(it), Place::of(it), it.blob.clone()));
}

/// A message's place within its lane: when a webhook took it, or else when the queue did. A message that was replayed before keeps
/// the place that it had at first. Service Bus tells whole seconds and Graph tells of several messages at once, so within one
/// moment a message's own time decides.
#[derive(PartialEq, Eq)]
struct Place {
    accepted: OffsetDateTime,
    first_attempt: OffsetDateTime,
    own: Own,
}

/// What a message says of its own time: the id of a Teams message is the time in milliseconds.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Own {
    Unknown,
    Teams(usize, String),
    Genesys(OffsetDateTime),
}

impl Place {
    fn of(failed: &Failed) -> Self {
        let message = &failed.message;
        let envelope = message.envelope().ok();
        let accepted = envelope.as_ref().map(|envelope| envelope.accepted_at);
        let own = envelope.map(|it| Own::of(&it.content, it.accepted_at));
        Self {
            accepted: accepted.unwrap_or(message.first_attempt),
            first_attempt: message.first_attempt,
            own: own.unwrap_or(Own::Unknown),
        }
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let times = (self.accepted, self.first_attempt);
        let others = (other.accepted, other.first_attempt);
        (times, &self.own).cmp(&(others, &other.own))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Own {
    fn of(content: &Content, accepted: OffsetDateTime) -> Self {
        match content {
            Content::Notification(it) => {
                let id = it.message.as_str();
                Self::Teams(id.len(), id.to_owned())
            }
            Content::AgentMessage(message) => {
                let webhook = Webhook::parse(&message.body(), accepted);
                webhook.map_or(Self::Unknown, |webhook| Self::Genesys(webhook.time))
            }
            _ => Self::Unknown,
        }
    }
}

/// A time as a person gives it: a date, a time with its zone, or how long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenTime {
    /// At this time.
    At(OffsetDateTime),
    /// So long before the present.
    Ago(Duration),
}

/// A text that is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "put a time like 2026-01-31T08:00:00Z there, a day like 2026-01-31 (UTC), or how long ago, like 90m, 2h or 3d"
)]
pub struct NoTime;

impl GivenTime {
    /// The time that is meant at this moment.
    #[must_use]
    pub fn at(self, now: OffsetDateTime) -> OffsetDateTime {
        match self {
            Self::At(at) => at,
            Self::Ago(age) => now.checked_sub(age).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        }
    }
}

impl FromStr for GivenTime {
    type Err = NoTime;

    fn from_str(text: &str) -> Result<Self, NoTime> {
        if let Some(age) = age(text) {
            return Ok(Self::Ago(age));
        }
        let day = || OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339);
        let at = OffsetDateTime::parse(text, &Rfc3339).or_else(|_| day());
        at.map(Self::At).map_err(|_| NoTime)
    }
}

/// `90m`, `2h`, `3d`.
fn age(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u16 = number.parse().ok()?;
    let unit = match unit {
        "m" => Duration::MINUTE,
        "h" => Duration::HOUR,
        "d" => Duration::DAY,
        _ => return None,
    };
    Some(unit * i32::from(number))
}

/// The chat that a person names by its id or by its digest, as logs and listings show it.
///
/// # Errors
/// It is neither.
pub fn chat(text: &str) -> Result<Digest, InvalidId> {
    text.parse::<Digest>()
        .or_else(|_| Ok(text.parse::<ChatId>()?.digest()))
}

#[cfg(test)]
mod tests;
