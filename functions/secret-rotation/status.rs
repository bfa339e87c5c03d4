//! How old a secret is, when it is to be renewed, and what would be done about it now.

use std::time::Duration;

use bridge::rotation::{
    Action, Held, Noted, OVERDUE_AFTER, RENEWED_AFTER, SETTLED_AFTER, Step, due,
    genesys_client as client, own_secret as own,
};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::{Secret, client_secret, genesys, genesys_client, own_secret};
use crate::app::App;
use crate::failure::Failure;

/// A refresh token is renewed once a day.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How a secret stands. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Since when it is in use, as far as that is known.
    pub since: Option<OffsetDateTime>,
    /// When it is to be renewed, as far as that is known.
    pub due: Option<OffsetDateTime>,
    /// What would be done now.
    pub next: String,
}

impl Status {
    /// Since when and until when, in words.
    #[must_use]
    pub fn dates(&self) -> String {
        let day = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
        let shown = |at: Option<OffsetDateTime>| {
            let at = at.and_then(|at| at.format(day).ok());
            at.unwrap_or_else(|| "unknown".to_owned())
        };
        format!(
            "in use since {}, due {}",
            shown(self.since),
            shown(self.due)
        )
    }
}

/// What went wrong with a secret, and what to do about it.
#[must_use]
pub fn trouble(failure: &Failure) -> String {
    match failure {
        Failure::Service(error) => format!("{error}: {}", client_secret::advice(error)),
        other => other.label(),
    }
}

impl Secret {
    /// How it stands and what would be done now, in words; nothing is changed.
    ///
    /// # Errors
    /// It should have been renewed long ago, or cannot be looked at: what to do.
    pub async fn planned(&self, app: &App, is_asked: bool) -> Result<String, String> {
        let now = app.now();
        let status = self.status(app, now, is_asked).await;
        let status = status.map_err(|failure| trouble(&failure))?;
        let told = format!("{}; would do: {}", status.dates(), status.next);
        match status.overdue_days(now) {
            Some(days) => Err(format!("{days} days late; {told}")),
            None => Ok(told),
        }
    }

    /// How it stands; nothing is changed. With `is_asked`, what would be done if somebody asked for a new one.
    ///
    /// # Errors
    /// What it stands on refused or could not be reached.
    pub async fn status(
        &self,
        app: &App,
        now: OffsetDateTime,
        is_asked: bool,
    ) -> Result<Status, Failure> {
        match self {
            Self::Client => {
                let (noted, next) = client_secret::look_only(app, now, is_asked).await?;
                let current = noted.current.as_ref();
                Ok(Status {
                    since: current.map(|it| it.since),
                    due: due(&noted),
                    next: words(&next),
                })
            }
            Self::GenesysClient => {
                let (noted, found, next) = genesys_client::look_only(app, now, is_asked).await?;
                let next = words_of_client(&next, &noted, now);
                Ok(Status::of_held(found.current, next))
            }
            Self::Own(name) => {
                let (noted, found, next) = own_secret::look_only(app, name, now, is_asked).await?;
                let next = words_of_own(&next, &noted, &found, now);
                Ok(Status::of_held(found.current, next))
            }
            Self::RefreshToken(_) => {
                let version = app.secrets.vault().newest(&self.name()).await?;
                let missing = || {
                    let error =
                        ServiceError::new(Service::Entra, ErrorKind::SignInNeeded, Sent::No);
                    Failure::from(error)
                };
                let stored = version.ok_or_else(missing)?.stored;
                let due = stored + DAY;
                let is_due = is_asked || now >= due;
                let next = if is_due {
                    "redeem it for a newer one"
                } else {
                    "nothing"
                };
                Ok(Status {
                    since: Some(stored),
                    due: Some(due),
                    next: next.to_owned(),
                })
            }
        }
    }
}

impl Status {
    fn of_held(current: Option<Held>, next: String) -> Self {
        let since = current.map(|it| it.stored);
        Self {
            since,
            due: since.map(|since| since + RENEWED_AFTER),
            next,
        }
    }

    /// Whole days that it is late, where that is a person's matter.
    pub fn overdue_days(&self, now: OffsetDateTime) -> Option<i64> {
        let late = now - self.due?;
        (late >= OVERDUE_AFTER).then(|| late.whole_days())
    }
}

/// Tells, once a night, how a secret stands and what came of the run, for the workbook; and calls a person where it is late by a
/// week. Without a status its dates are not told.
pub(super) fn tell(
    secret: &Secret,
    status: Option<&Status>,
    renewed: &Result<(), Failure>,
    now: OffsetDateTime,
) {
    let secret = secret.name();
    let shown = |at: OffsetDateTime| at.format(&Rfc3339).ok();
    let since = status.and_then(|it| it.since).and_then(shown);
    let due = status.and_then(|it| it.due).and_then(shown);
    let (outcome, reason) = outcome(renewed);
    tracing::info!(
        event = "secret_standing",
        secret,
        since,
        due,
        outcome,
        reason
    );
    if let Some(days) = status.and_then(|it| it.overdue_days(now)) {
        tracing::error!(event = "rotation_overdue", secret, days);
    }
}

/// What came of a run, in a word, and why.
fn outcome(renewed: &Result<(), Failure>) -> (&'static str, Option<String>) {
    match renewed {
        Ok(()) => ("done", None),
        Err(Failure::Service(error)) if genesys::is_forbidden(error) => ("not_allowed", None),
        Err(failure) => ("failed", Some(failure.label())),
    }
}

fn words(step: &Step<Action>) -> String {
    match step {
        Step::Note(_) => "note which one is current".to_owned(),
        Step::Do(Action::Add(ends)) => format!("add a new one that ends on {}", ends.date()),
        Step::Do(Action::Probe(key)) => format!("try the next one, key id {key}"),
        Step::Do(Action::Switch(key)) => format!("make the next one current, key id {key}"),
        Step::Do(Action::Remove(key)) => format!("remove key id {key}, which nobody uses any more"),
        Step::Rest => "nothing".to_owned(),
    }
}

fn words_of_client(step: &Step<client::Action>, noted: &Noted, now: OffsetDateTime) -> String {
    use client::Action;
    match step {
        Step::Note(_) => "note which client is current".to_owned(),
        Step::Do(Action::Renew(client)) => {
            format!("make a new secret for the idle client {client}")
        }
        Step::Do(Action::Probe(client)) => format!("try the next one, of client {client}"),
        Step::Do(Action::Switch(client)) => {
            format!("make the next one current, of client {client}")
        }
        Step::Do(Action::Discard(client)) => {
            format!("end the secret of client {client}, which nobody uses any more")
        }
        Step::Rest => rest(noted, !noted.retired.is_empty(), now),
    }
}

fn words_of_own(
    step: &Step<own::Action>,
    noted: &Noted,
    found: &own::Found,
    now: OffsetDateTime,
) -> String {
    use own::Action;
    match step {
        Step::Note(_) => "note which one is current".to_owned(),
        Step::Do(Action::Make(_)) => "make a new one".to_owned(),
        Step::Do(Action::Tell(key)) => format!("give the far side the next one, key id {key}"),
        Step::Do(Action::Switch(key)) => format!("make the next one current, key id {key}"),
        Step::Do(Action::Remove(key)) => format!("remove key id {key}, which nobody uses any more"),
        Step::Rest => rest(noted, found.previous.is_some(), now),
    }
}

/// Why nothing is done.
fn rest(noted: &Noted, is_kept: bool, now: OffsetDateTime) -> String {
    let claim = noted.claim.as_ref().map(|it| it.since + SETTLED_AFTER);
    match claim.filter(|until| now < *until) {
        Some(until) => {
            let (hour, minute) = (until.hour(), until.minute());
            format!("nothing before {hour:02}:{minute:02} UTC: another run began, and may be at it")
        }
        None if is_kept => "nothing: the one before is still accepted".to_owned(),
        None => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn why_nothing_is_done_is_told() {
        let now = datetime!(2026-12-01 03:17:00 UTC);
        let claim = bridge::rotation::Claim {
            key: "b".to_owned(),
            run: "another".to_owned(),
            since: now,
        };
        let noted = Noted {
            claim: Some(claim),
            ..Noted::default()
        };
        let claimed = rest(&noted, false, now);
        assert!(claimed.starts_with("nothing before 04:17 UTC"), "{claimed}");
        let later = now + SETTLED_AFTER;
        assert_eq!(rest(&noted, false, later), "nothing");
        assert!(rest(&noted, true, later).contains("still accepted"));
    }

    #[test]
    fn what_came_of_a_run_is_told_in_a_word() {
        let of = |service, kind| {
            let error = ServiceError::new(service, kind, Sent::No);
            outcome(&Err(Failure::from(error)))
        };
        assert_eq!(outcome(&Ok(())), ("done", None));
        let forbidden = of(Service::Genesys, ErrorKind::Forbidden);
        assert_eq!(forbidden, ("not_allowed", None));
        for (failed, why) in [
            (
                of(Service::KeyVault, ErrorKind::Forbidden),
                "key-vault: forbidden",
            ),
            (
                of(Service::Genesys, ErrorKind::Throttled),
                "genesys: throttled",
            ),
            (outcome(&Err(Failure::OutOfTime)), "out of time"),
        ] {
            assert_eq!(failed, ("failed", Some(why.to_owned())));
        }
    }

    #[test]
    fn what_is_late_by_a_week_is_a_persons_matter() {
        let due = datetime!(2026-12-01 03:17:00 UTC);
        let status = Status {
            since: None,
            due: Some(due),
            next: String::new(),
        };
        let second = Duration::from_secs(1);
        assert_eq!(status.overdue_days(due + OVERDUE_AFTER - second), None);
        assert_eq!(status.overdue_days(due + OVERDUE_AFTER), Some(7));
        let unknown = Status {
            due: None,
            ..status
        };
        assert_eq!(unknown.overdue_days(due + 100 * DAY), None);
    }
}
