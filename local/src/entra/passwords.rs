//! The client secrets of the Graph app ("passwordCredential resource type").
//!
//! A new one is not taken at once: for some seconds nowhere, then by some of the machines behind the token endpoint and not by
//! others. That it takes seconds is what people report; that machines differ is the stricter guess.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::refusal::Refusal;
use crate::shared::clock::Clock;
use crate::shared::locked::Locked;
use crate::shared::random_text;

/// Until then nobody takes a new secret.
const UNKNOWN_FOR: Duration = Duration::from_secs(3);

/// Until then every second request meets a machine that does not.
const UNEVEN_FOR: Duration = Duration::from_secs(6);

/// Life of a secret that was asked for without an end.
const DEFAULT_LIFE: Duration = Duration::from_secs(2 * 365 * 24 * 3600);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// One secret.
#[derive(Clone)]
pub struct Password {
    pub(crate) key: String,
    pub(crate) name: Option<String>,
    pub(crate) secret: String,
    pub(crate) starts: OffsetDateTime,
    pub(crate) ends: OffsetDateTime,
}

/// All secrets of the app.
pub struct Passwords {
    clock: Clock,
    all: Locked<Vec<Password>>,
    asked: AtomicUsize,
}

impl Passwords {
    /// Without any.
    pub(crate) fn none(clock: Clock) -> Self {
        Self {
            clock,
            all: Locked::default(),
            asked: AtomicUsize::default(),
        }
    }

    /// With one that a person made a hundred days ago and that has eighty days left.
    pub(super) fn with_one(clock: Clock) -> Self {
        let now = clock.now();
        let by_hand = Password {
            key: Uuid::new_v4().to_string(),
            name: Some("by hand".to_owned()),
            secret: random_text(),
            starts: now - 100 * DAY,
            ends: now + 80 * DAY,
        };
        Self {
            clock,
            all: Locked::new(vec![by_hand]),
            asked: AtomicUsize::default(),
        }
    }

    /// All of them, oldest first.
    pub(crate) fn list(&self) -> Vec<Password> {
        self.all.lock().clone()
    }

    /// Makes one; none when its end is not ahead.
    pub(crate) fn add(
        &self,
        name: Option<String>,
        ends: Option<OffsetDateTime>,
    ) -> Option<Password> {
        let starts = self.clock.now();
        let password = Password {
            key: Uuid::new_v4().to_string(),
            name,
            secret: random_text(),
            starts,
            ends: ends.unwrap_or(starts + DEFAULT_LIFE),
        };
        let is_ahead = password.ends > starts;
        is_ahead.then(|| {
            self.all.lock().push(password.clone());
            password
        })
    }

    /// Removes one; false when there is none of this key id.
    pub(crate) fn remove(&self, key: &str) -> bool {
        let mut all = self.all.lock();
        let before = all.len();
        all.retain(|one| one.key != key);
        all.len() < before
    }

    /// Makes all of them so much older.
    pub(crate) fn age(&self, passed: time::Duration) {
        for one in self.all.lock().iter_mut() {
            (one.starts, one.ends) = (one.starts - passed, one.ends - passed);
        }
    }

    /// Gives one another end; false when there is none of this key id.
    pub(super) fn end(&self, key: &str, ends: OffsetDateTime) -> bool {
        let mut all = self.all.lock();
        let found = all.iter_mut().find(|one| one.key == key);
        found.map(|one| one.ends = ends).is_some()
    }

    /// Refuses a secret that is none, is not known here yet, or has ended ("Microsoft Entra authentication and authorization
    /// error codes").
    pub(super) fn check(&self, secret: &str) -> Result<(), Refusal> {
        const WRONG: &str = "Invalid client secret provided.";
        const EXPIRED: &str = "The provided client secret keys are expired.";
        let all = self.all.lock();
        let found = all.iter().find(|one| one.secret == secret);
        let found = found.ok_or(Refusal::client(7_000_215, WRONG))?;
        let now = self.clock.now();
        let age = now - found.starts;
        let is_uneven = age < UNEVEN_FOR;
        let meets_another =
            is_uneven && self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if age < UNKNOWN_FOR || meets_another {
            return Err(Refusal::client(7_000_215, WRONG));
        }
        if found.ends <= now {
            return Err(Refusal::client(7_000_222, EXPIRED));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_one_and_one_that_has_ended_are_refused() {
        let passwords = Passwords::with_one(Clock::new(1));
        let first = passwords.list().remove(0);
        assert!(passwords.check(&first.secret).is_ok());
        let new = passwords.add(None, None).expect("an end ahead");
        let refusal = |secret: &str| format!("{:?}", passwords.check(secret).expect_err("refused"));
        assert!(refusal(&new.secret).contains("7000215"));
        assert!(refusal("none").contains("7000215"));
        assert!(passwords.end(&first.key, OffsetDateTime::now_utc()));
        assert!(refusal(&first.secret).contains("7000222"));
        assert!(passwords.remove(&first.key) && !passwords.remove(&first.key));
    }
}
