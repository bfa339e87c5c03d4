//! How a client secret of our own app is replaced before it ends: what was noted, what is there and the time in, one step out.
//!
//! add → store as next → probe until the token endpoint takes it → make current → wait until nobody uses the one before → remove.
//! After each step all is looked at again, so a run can end after any of them, and another goes on. What the vault holds says
//! which secret is current and which one is next, since nothing else tells what a reader gets; the note only adds since when.
//! So two runs at once do each other no harm, as long as a step takes effect within [`SETTLED_AFTER`] of being decided.

pub mod genesys_client;
pub mod own_secret;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Life of a secret that we add.
pub const LIFE: Duration = Duration::from_secs(90 * 24 * 3600);

/// A secret is replaced when this much of its life is left.
pub const REPLACED_BEFORE_END: Duration = Duration::from_secs(45 * 24 * 3600);

/// How long the secret before the current one stays. A reader remembers a secret for a day at most, while the vault is away.
pub const GRACE: Duration = Duration::from_secs(48 * 3600);

/// After so long what somebody else began has taken effect everywhere, or never will: a step of another run (a run takes some
/// minutes at most), or a change at Entra ID that its lists do not show yet.
pub const SETTLED_AFTER: Duration = Duration::from_secs(3600);

/// Age at which a secret that never ends by itself is replaced.
pub const RENEWED_AFTER: Duration = Duration::from_secs(90 * 24 * 3600);

/// A next secret that was not taken for so long never will be.
pub const ABANDONED_AFTER: Duration = Duration::from_secs(3 * 24 * 3600);

/// A replacement that is late by so much is a person's matter.
pub const OVERDUE_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);

/// The name that a secret of ours bears at Entra ID. Whatever bears it is ours to remove; what a person adds is not.
pub const DISPLAY_NAME: &str = "Graph-to-Open secret-rotation";

/// What is remembered between two runs (`rotation/{secret}.json`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Noted {
    /// The current secret, as it was last seen.
    pub current: Option<Current>,
    /// Key ids that were current before; a reader may still use them.
    pub retired: BTreeSet<String>,
    /// The key id of a next secret that the token endpoint took.
    pub accepted: Option<String>,
    /// Why the last run could not add a secret.
    pub refusal: Option<Refusal>,
    /// What one run alone may do for now.
    pub claim: Option<Claim>,
}

/// The right of one run to do what would do harm twice: what it makes takes the place of what was there at once. Whoever writes it
/// into the note first has it, until what it was for is done or [`SETTLED_AFTER`] has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What it is about: a client, or the key id of a secret.
    pub key: String,
    /// The run.
    pub run: String,
    /// Since when.
    #[serde(with = "crate::moment")]
    pub since: OffsetDateTime,
}

impl Claim {
    /// Whether another run than this one may still be at it.
    fn keeps_out(&self, run: &str, now: OffsetDateTime) -> bool {
        self.run != run && now < self.since + SETTLED_AFTER
    }
}

/// The secret that readers get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    /// Its key id at Entra ID.
    pub key: String,
    /// Since when it is known to be the current one.
    #[serde(with = "crate::moment")]
    pub since: OffsetDateTime,
    /// When it ends, where Entra ID tells.
    #[serde(with = "crate::moment::option")]
    pub ends: Option<OffsetDateTime>,
}

/// Why a secret could not be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When.
    #[serde(with = "crate::moment")]
    pub at: OffsetDateTime,
    /// What Graph said, as its error's code.
    pub code: String,
}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The app's secrets, as Entra ID lists them. The list can lag behind.
    pub credentials: Vec<Credential>,
    /// What readers get from the vault.
    pub current: Option<Held>,
    /// What the vault holds for the time after.
    pub next: Option<Held>,
}

/// One of the app's secrets, as Entra ID lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its key id.
    pub key: String,
    /// Its name.
    pub name: Option<String>,
    /// First characters of the secret.
    pub hint: Option<String>,
    /// When it was made.
    pub starts: OffsetDateTime,
    /// When it ends.
    pub ends: OffsetDateTime,
}

/// A secret of the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its key id at Entra ID; none where that is not known.
    pub key: Option<String>,
    /// When it was stored.
    pub stored: OffsetDateTime,
}

/// What is to be done next about a secret; then all is looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a few are made in a day")]
pub enum Step<A> {
    /// Note this.
    Note(Noted),
    /// Do this.
    Do(A),
    /// Nothing.
    Rest,
}

/// What a step does, as the log tells it.
pub trait Told {
    /// The step in a word, and the key id or client that it is about, where that is known.
    fn told(&self) -> (&'static str, Option<&str>);
}

/// What is done to a client secret of our own app. What is about one secret holds its key id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Add a secret that ends then, and store it as the next one.
    Add(OffsetDateTime),
    /// Try the next secret, and note when it was taken.
    Probe(String),
    /// Make the next secret the current one.
    Switch(String),
    /// Remove a secret that nobody uses.
    Remove(String),
}

impl Told for Action {
    fn told(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Add(_) => ("add", None),
            Self::Probe(key) => ("probe", Some(key)),
            Self::Switch(key) => ("switch", Some(key)),
            Self::Remove(key) => ("remove", Some(key)),
        }
    }
}

/// The key id of a secret that a person stored, by the characters that Entra ID shows of it; none where several fit.
pub fn key_of(credentials: &[Credential], begins: impl Fn(&str) -> bool) -> Option<String> {
    let shown = |one: &&Credential| one.hint.as_deref().is_some_and(|it| !it.is_empty());
    let fitting = credentials.iter().filter(shown);
    let mut fitting = fitting.filter(|one| one.hint.as_deref().is_some_and(&begins));
    let found = fitting.next()?;
    fitting.next().is_none().then(|| found.key.clone())
}

/// When the current secret is to be replaced; none where its end is not known.
#[must_use]
pub fn due(noted: &Noted) -> Option<OffsetDateTime> {
    Some(noted.current.as_ref()?.ends? - REPLACED_BEFORE_END)
}

/// The next step. With `is_asked`, a secret is added although none is due.
#[must_use]
pub fn next_step(
    noted: &Noted,
    found: &Found,
    now: OffsetDateTime,
    is_asked: bool,
) -> Step<Action> {
    let seen = noted.seeing(found, now);
    if seen != *noted {
        return Step::Note(seen);
    }
    if let Some(key) = found.pending(noted, now) {
        let key = key.to_owned();
        return match noted.accepted.as_ref() == Some(&key) {
            true => Step::Do(Action::Switch(key)),
            false => Step::Do(Action::Probe(key)),
        };
    }
    if is_asked || found.is_due(now) {
        return Step::Do(Action::Add(now + LIFE));
    }
    let mut credentials = found.credentials.iter();
    match credentials.find(|one| found.is_useless(one, noted, now)) {
        Some(one) => Step::Do(Action::Remove(one.key.clone())),
        None => Step::Rest,
    }
}

impl Noted {
    /// The note when all is noted that is there, and what is to be done then, as `next` tells for each note.
    #[must_use]
    pub fn settled<A>(mut self, next: impl Fn(&Self) -> Step<A>) -> (Self, Step<A>) {
        loop {
            match next(&self) {
                Step::Note(seen) => self = seen,
                step => return (self, step),
            }
        }
    }

    /// The note of a secret of Genesys with what the vault holds as the current one. Of those before it stays what is `kept`.
    fn seeing_current(&self, held: Option<&Held>, is_kept: impl Fn(&str) -> bool) -> Self {
        let mut seen = self.clone();
        let current = held.and_then(|held| {
            Some(Current {
                key: held.key.clone()?,
                since: held.stored,
                ends: None,
            })
        });
        let before = std::mem::replace(&mut seen.current, current);
        seen.retired.extend(before.map(|it| it.key));
        if let Some(current) = &seen.current {
            seen.retired.remove(&current.key);
            if seen.accepted.as_ref() == Some(&current.key) {
                seen.accepted = None;
                seen.refusal = None;
            }
        }
        seen.retired.retain(|key| is_kept(key));
        seen
    }

    /// What this run has the claim for, or the note that claims it.
    fn claimed<A>(&self, key: &str, run: &str, now: OffsetDateTime, action: A) -> Step<A> {
        let is_ours = |claim: &Claim| claim.run == run && claim.key == key;
        if self.claim.as_ref().is_some_and(is_ours) {
            return Step::Do(action);
        }
        let claim = Claim {
            key: key.to_owned(),
            run: run.to_owned(),
            since: now,
        };
        // What was taken before may not be what will be made.
        Step::Note(Self {
            claim: Some(claim),
            accepted: None,
            ..self.clone()
        })
    }

    /// The note with what is seen in the vault now.
    fn seeing(&self, found: &Found, now: OffsetDateTime) -> Self {
        let mut seen = self.clone();
        let key = found.current_key();
        let before = seen.current.as_ref().map(|it| it.key.as_str());
        if key != before {
            seen.retired.extend(before.map(str::to_owned));
            seen.current = key.map(|key| Current {
                key: key.to_owned(),
                since: now,
                ends: None,
            });
        }
        if let Some(current) = &mut seen.current {
            seen.retired.remove(&current.key);
            let listed = found.credential(&current.key);
            current.ends = listed.map(|one| one.ends).or(current.ends);
            if seen.accepted.as_ref() == Some(&current.key) {
                seen.accepted = None;
                seen.refusal = None;
            }
        }
        seen.retired.retain(|key| found.credential(key).is_some());
        seen
    }
}

impl Found {
    fn credential(&self, key: &str) -> Option<&Credential> {
        self.credentials.iter().find(|one| one.key == key)
    }

    fn current_key(&self) -> Option<&str> {
        self.current.as_ref()?.key.as_deref()
    }

    fn next_key(&self) -> Option<&str> {
        self.next.as_ref()?.key.as_deref()
    }

    /// Whether a secret works, as far as lists tell: one that was stored a moment ago may not be listed yet.
    fn is_alive(&self, held: &Held, now: OffsetDateTime) -> bool {
        let listed = held.key.as_deref().and_then(|key| self.credential(key));
        match listed {
            Some(one) => now < one.ends,
            None => held.key.is_some() && now < held.stored + SETTLED_AFTER,
        }
    }

    /// The next secret, where it is on its way to become the current one.
    fn pending(&self, noted: &Noted, now: OffsetDateTime) -> Option<&str> {
        let next = self.next.as_ref()?;
        let key = next.key.as_deref()?;
        let is_taken = noted.accepted.as_deref() == Some(key);
        let is_hopeless = !is_taken && now >= next.stored + ABANDONED_AFTER;
        // What a person has replaced since does not come back.
        let was_current = noted.retired.contains(key);
        let is_pending = Some(key) != self.current_key() && self.is_alive(next, now);
        (is_pending && !is_hopeless && !was_current).then_some(key)
    }

    /// Whether the current secret must be replaced: it ends soon, or has ended, or cannot be told.
    fn is_due(&self, now: OffsetDateTime) -> bool {
        let Some(current) = &self.current else {
            return true;
        };
        let listed = current.key.as_deref().and_then(|key| self.credential(key));
        match listed {
            Some(one) => now >= one.ends - REPLACED_BEFORE_END,
            None => !self.is_alive(current, now),
        }
    }

    /// Whether nobody uses a secret of ours, nor ever will.
    fn is_useless(&self, one: &Credential, noted: &Noted, now: OffsetDateTime) -> bool {
        let key = Some(one.key.as_str());
        let was_current = noted.retired.contains(&one.key);
        let is_ours = was_current || one.name.as_deref() == Some(DISPLAY_NAME);
        // Another run may be about to store what it has just added, or to make current what was the next one a moment ago.
        let held = self.current.iter().chain(&self.next);
        let mut changes = held.map(|it| it.stored).chain([one.starts]);
        let is_settled = changes.all(|at| now >= at + SETTLED_AFTER);
        let is_next = key == self.next_key() && !was_current;
        if !is_ours || !is_settled || key == self.current_key() || is_next {
            return false;
        }
        // Added by a run that ended before it could store it: nobody knows it.
        let is_orphan = |current: &Current| one.starts > current.since;
        let is_orphan = !was_current && noted.current.as_ref().is_none_or(is_orphan);
        let is_over = noted.current.as_ref().is_some_and(|current| {
            let works = self
                .credential(&current.key)
                .is_some_and(|it| now < it.ends);
            works && now >= current.since + GRACE
        });
        is_orphan || is_over
    }
}

impl Held {
    /// Whether it was stored after the current one: what a person has replaced since does not come back.
    fn is_after(&self, current: Option<&Self>) -> bool {
        current.is_none_or(|current| self.stored >= current.stored)
    }

    /// Whether it is to be replaced, where it never ends by itself.
    fn is_due(held: Option<&Self>, now: OffsetDateTime) -> bool {
        held.is_none_or(|it| now >= it.stored + RENEWED_AFTER)
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
