//! Catching up: what may have been missed of a Support User's chats, and which of it is to be read after all.
//!
//! Graph can lose a change without a word, and tells nothing while there is no subscription, or while nobody answers it. So the list
//! of chats, newest message first, is compared with what is known ([`Sweep`]): after a gap, and once a day, every chat that moved
//! is read; in between only a chat whose newest message nobody told of. Reading goes through the chat's own lane, behind what
//! waits there, so order holds, and what was merely late is known by then ([`reading`]).

pub mod parts;
pub mod reading;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::ids::{ChatId, TeamsMessageId, UserId};

/// How much earlier than where the last sweep ended the next one begins: Graph's lists can be behind, and clocks differ.
pub const OVERLAP: Duration = Duration::from_secs(10 * 60);

/// Time that Graph has to tell of a message before it counts as untold: at most a minute passes until it does (Microsoft Learn,
/// "Set up notifications for changes in resource data", latency).
pub const GRACE: Duration = Duration::from_secs(90);

/// How long before a gap a chat's newest message may have been written for an edit or a deletion within the gap to be found: Graph's list of chats
/// moves with new messages only.
const REACH: Duration = Duration::from_secs(24 * 3600);

/// Time between two sweeps of all that moved, without any gap. Graph allows one such reading a day (Microsoft Learn, "Use the
/// Microsoft Graph API to work with Microsoft Teams", polling).
const WHOLE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Time between two looks while no subscription tells of anything, where the settings leave looks out.
const LOOK_UNCOVERED_EVERY: Duration = Duration::from_secs(120);

/// How much earlier than due a look may come: timers fire a little early or late.
const SLACK: Duration = Duration::from_secs(30);

/// Time without a successful run that counts as an outage of our own, or of the sign-in.
const OUTAGE: Duration = Duration::from_secs(30 * 60);

/// How far the catching up of one Support User is (`catch-up/{account}.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// When the bridge began to listen for this account. Nothing from before is told.
    #[serde(with = "crate::moment")]
    pub began: OffsetDateTime,
    /// Up to here every chat's newest message was looked at.
    #[serde(with = "crate::moment")]
    pub looked: OffsetDateTime,
    /// Up to here every chat that moved was read.
    #[serde(with = "crate::moment")]
    pub swept: OffsetDateTime,
    /// When it was noted last that changes may have gone untold.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub gap: Option<OffsetDateTime>,
    /// Since when no subscription tells of every change, as far as is known; none while one does.
    #[serde(
        default,
        with = "crate::moment::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub uncovered: Option<OffsetDateTime>,
}

/// One look through a Support User's list of chats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Every chat that moved is read, and not only one whose newest message is unknown.
    pub whole: bool,
    /// What was written or changed after this is to be found.
    pub since: OffsetDateTime,
    /// What counts as looked at once it has succeeded.
    until: OffsetDateTime,
    /// When the gap was noticed that it closes.
    pub gap: Option<OffsetDateTime>,
    /// No subscription tells of every change, so that no message can be taken as told for the sake of a newer one.
    pub is_uncovered: bool,
}

/// A chat in the list ("List chats", with `lastMessagePreview`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The chat.
    pub chat: ChatId,
    /// Its newest message; none in an empty chat.
    pub newest: Option<Newest>,
}

/// The newest message of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// Its id.
    pub message: TeamsMessageId,
    /// When it was written.
    pub created: OffsetDateTime,
    /// Who wrote it, where Graph tells.
    pub user: Option<UserId>,
    /// Nobody wrote it: somebody joined, a call ended.
    pub is_system: bool,
}

/// What a sweep makes of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It is read.
    Read,
    /// It is read unless its newest message is known.
    ReadUnlessKnown,
    /// There is nothing to read.
    Pass,
    /// It has not moved, and none behind it has.
    End,
}

impl Progress {
    /// The bridge begins to listen.
    #[must_use]
    pub fn new(now: OffsetDateTime) -> Self {
        Self {
            began: now,
            looked: now,
            swept: now,
            gap: None,
            uncovered: None,
        }
    }

    /// Notes that changes may have gone untold. Since when, nobody knows, so all is read that moved since it was read last. While
    /// no subscription tells of every change, that is known already, and one reading at the end of it is enough: then nothing is
    /// noted. Tells whether it was.
    pub fn note_gap(&mut self, now: OffsetDateTime) -> bool {
        let is_news = self.uncovered.is_none();
        if is_news {
            self.gap = Some(now);
        }
        is_news
    }

    /// Whether [`Self::note_coverage`] would change nothing.
    #[must_use]
    pub fn is_noted(&self, is_covered: bool) -> bool {
        self.uncovered.is_none() == is_covered
    }

    /// Notes whether subscriptions tell of every change. While they do not, only chats that move are read; when they do again, the
    /// gap is noted that this was, and is closed by one reading of all.
    pub fn note_coverage(&mut self, is_covered: bool, now: OffsetDateTime) {
        if self.is_noted(is_covered) {
            return;
        }
        self.uncovered = (!is_covered).then_some(now);
        if is_covered {
            self.note_gap(now);
        }
    }

    /// The sweep that is due, if any is. `every` is the time between two looks at the newest messages; zero leaves them out, as long
    /// as a subscription tells of them.
    #[must_use]
    pub fn due(&self, now: OffsetDateTime, every: Duration) -> Option<Sweep> {
        let is_uncovered = self.uncovered.is_some();
        let every = match every.is_zero() && is_uncovered {
            true => LOOK_UNCOVERED_EVERY,
            false => every,
        };
        let until = now - GRACE;
        let is_outage = !every.is_zero() && now - self.looked > GRACE + every + OUTAGE;
        let is_look_due = !every.is_zero() && now - self.looked + SLACK >= GRACE + every;
        let (whole, from) = if self.gap.is_some() || now - self.swept >= WHOLE_EVERY || is_outage {
            (true, self.swept)
        } else if is_look_due {
            (false, self.looked)
        } else {
            return None;
        };
        Some(Sweep {
            whole,
            since: (from - OVERLAP).max(self.began),
            until: until.max(self.looked),
            gap: self.gap,
            is_uncovered,
        })
    }

    /// Notes that a sweep went through. A gap that was noted meanwhile stays.
    pub fn done(&mut self, sweep: &Sweep) {
        self.looked = self.looked.max(sweep.until);
        if sweep.whole {
            self.swept = self.swept.max(sweep.until);
            if self.gap == sweep.gap {
                self.gap = None;
            }
        }
    }
}

impl Sweep {
    /// What to do about the next chat of the list. `ours` tells whether somebody is one of our Support Users.
    #[must_use]
    pub fn look(&self, newest: Option<&Newest>, ours: impl Fn(&UserId) -> bool) -> Look {
        // Chats without a message stand at either end of the list.
        let Some(newest) = newest else {
            return Look::Pass;
        };
        let since = match self.whole {
            true => self.since - REACH,
            false => self.since,
        };
        if newest.created <= since {
            return Look::End;
        }
        let is_ours = newest.user.as_ref().is_some_and(ours);
        // It is never among the messages that are known, and may have come right after one that nobody told of.
        let is_never_known = newest.is_system || is_ours;
        match self.whole {
            true => Look::Read,
            false if newest.created > self.until => Look::Pass,
            false if is_never_known && self.is_uncovered => Look::Read,
            false if is_never_known => Look::Pass,
            false => Look::ReadUnlessKnown,
        }
    }
}

#[cfg(test)]
mod tests;
