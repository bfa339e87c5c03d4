//! How a secret of our own making is replaced, which the far side presents or uses: Genesys signs its webhooks with one, Graph
//! presents another with each notification and encrypts for a third.
//!
//! make one → store it as next, accepted from then on → tell the far side → make it current, the one before as previous → wait →
//! make sure that the far side uses it, and remove the one before when nothing of its time can come any more.
//!
//! No wait is needed before the far side is told: whoever meets what fits nothing reads the vault again before it refuses. Telling
//! may be repeated at will, so an answer that was lost does no harm. At the end it is told once more, for somebody may have set the
//! old one back meanwhile, such as a Terraform run that read the vault before it changed.

use std::time::Duration;

use time::OffsetDateTime;

use super::{GRACE, Held, Noted, Step, Told};

/// What Genesys signed may still come for so long: it repeats a call five times, 5 s apart, and waits 10 s for each answer (Genesys Cloud
/// Developer Center, Open Messaging, "outboundMessages").
pub const REPEATED_FOR: Duration = Duration::from_secs(90);

/// How long the one before is kept. A reader remembers a secret for a day at most, while the vault is away.
pub const KEPT: Duration = GRACE;

/// How long the notifications' key before the current one is kept: what was encrypted for it can wait on a queue for 14 days, and
/// longer among the messages that were given up.
pub const KEY_KEPT: Duration = Duration::from_secs(60 * 24 * 3600);

/// What the vault holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The secret itself.
    pub current: Option<Held>,
    /// The one before it, accepted too.
    pub previous: Option<Held>,
    /// The one after it, accepted too.
    pub next: Option<Held>,
}

/// What is done to a secret, of this key id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make it, and store it as the next one.
    Make(String),
    /// Give it to the far side as the next one, where it is given, and note it.
    Tell(String),
    /// Keep the current secret as the previous one, and make this one current.
    Switch(String),
    /// Give the far side the current secret once more, remove this previous one, and note that it is done.
    Remove(String),
}

impl Told for Action {
    fn told(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Make(key) => ("make", Some(key)),
            Self::Tell(key) => ("tell", Some(key)),
            Self::Switch(key) => ("switch", Some(key)),
            Self::Remove(key) => ("remove", Some(key)),
        }
    }
}

/// The next step of this run, whose name is unlike any other and becomes the key id of what it makes. The secret before the current
/// one is kept for `kept`. With `is_asked`, the secret is replaced although that is not due, unless the one before it is still
/// kept. A first one is not made here.
#[must_use]
pub fn next_step(
    noted: &Noted,
    found: &Found,
    kept: Duration,
    run: &str,
    now: OffsetDateTime,
    is_asked: bool,
) -> Step<Action> {
    let seen = noted.seeing_own(found);
    if seen != *noted {
        return Step::Note(seen);
    }
    let claim = noted.claim.as_ref();
    if claim.is_some_and(|it| it.keeps_out(run, now)) {
        return Step::Rest;
    }
    if let Some(key) = found.pending() {
        let key = key.to_owned();
        return match noted.accepted.as_ref() == Some(&key) {
            true => Step::Do(Action::Switch(key)),
            false => Step::Do(Action::Tell(key)),
        };
    }
    let current = found.current.as_ref();
    let (key, action) = match found.before() {
        Some(before) if current.is_some_and(|it| now >= it.stored + kept) => {
            (before, Action::Remove(before.to_owned()))
        }
        None if current.is_some() && (is_asked || Held::is_due(current, now)) => {
            (run, Action::Make(run.to_owned()))
        }
        _ => return Step::Rest,
    };
    noted.claimed(key, run, now, action)
}

impl Noted {
    fn seeing_own(&self, found: &Found) -> Self {
        let mut seen = self.seeing_current(found.current.as_ref(), |_| false);
        let made = found.next.as_ref().and_then(|it| it.key.as_deref());
        seen.claim = seen.claim.filter(|claim| Some(claim.key.as_str()) != made);
        seen
    }
}

impl Found {
    fn current_key(&self) -> Option<&str> {
        self.current.as_ref()?.key.as_deref()
    }

    /// The next secret, on its way to become the current one.
    fn pending(&self) -> Option<&str> {
        let next = self.next.as_ref()?;
        let is_after = next.is_after(self.current.as_ref());
        let key = next.key.as_deref();
        key.filter(|key| is_after && Some(*key) != self.current_key())
    }

    /// The secret before the current one.
    fn before(&self) -> Option<&str> {
        let previous = self.previous.as_ref()?.key.as_deref();
        previous.filter(|key| Some(*key) != self.current_key())
    }
}

#[cfg(test)]
mod tests;
