//! The secret with which Genesys signs its webhooks. What comes next is decided by [`bridge::rotation::genesys_webhook`]; here it is
//! looked at and done.
//!
//! Who changes the integration must be allowed to by Genesys: without that a next secret waits, accepted, until somebody may.

use std::time::Duration;

use bridge::rotation::genesys_webhook::{Found, Step, next_step};
use bridge::rotation::{Held, Noted};
use secrecy::SecretString;
use services::error::ServiceError;
use services::key_vault::Version;
use services::secrets::names;
use time::OffsetDateTime;
use tokio::time::sleep;
use uuid::Uuid;

use super::genesys::{administrator, gave_up};
use super::steps::{self, MOST_STEPS, save};
use crate::app::App;
use crate::failure::Failure;
use crate::own_secrets::new_value;
use crate::store::document::Document;

const SECRET: &str = names::GENESYS_WEBHOOK;

/// Takes every step that can be taken now. What Genesys signed may come for as long as `repeated_for`.
pub(super) async fn replace(
    app: &App,
    now: OffsetDateTime,
    mut is_asked: bool,
    repeated_for: Duration,
) -> Result<(), Failure> {
    let run = Uuid::new_v4().to_string();
    for _ in 0..MOST_STEPS {
        let Look {
            mut note,
            found,
            current,
            next,
        } = look(app).await?;
        let step = next_step(&note.value, &found, &run, now, is_asked);
        told(&step);
        let vault = app.secrets.vault();
        // What the step asks for was seen a moment ago.
        let [current, next] = [current, next].map(|it| it.ok_or(Failure::OutOfTime));
        is_asked &= matches!(step, Step::Note(_));
        let done = match &step {
            Step::Rest => return Ok(()),
            Step::Note(seen) => {
                note.value = seen.clone();
                save(app, &mut note).await?;
                continue;
            }
            Step::Make { key } => {
                let secret = new_value(SECRET).await;
                vault.store(&names::next(SECRET), &secret, key).await
            }
            Step::Tell { key } => {
                let told = tell(app, &next?.value).await;
                if told.is_ok() {
                    note.value.accepted = Some(key.clone());
                    save(app, &mut note).await?;
                }
                told
            }
            Step::Switch { key } => {
                let next = next?.value;
                // Where there is none, nothing was signed with it.
                let kept = match (current, found.current.and_then(|it| it.key)) {
                    (Ok(current), Some(before)) => {
                        let previous = names::previous(SECRET);
                        vault.store(&previous, &current.value, &before).await
                    }
                    _ => Ok(()),
                };
                match kept {
                    Ok(()) => vault.store(SECRET, &next, key).await,
                    failed => failed,
                }
            }
            Step::Remove { key } => {
                let removed = remove(app, &current?.value, repeated_for).await;
                if removed.is_ok() {
                    note.value = note.value.without(key);
                    save(app, &mut note).await?;
                }
                removed
            }
        };
        if let Err(error) = done {
            return Err(gave_up(app, SECRET, &mut note, now, error).await);
        }
    }
    Err(Failure::OutOfTime)
}

/// What is there by now, and what would be done next; nothing is changed.
pub(super) async fn look_only(
    app: &App,
    now: OffsetDateTime,
    is_asked: bool,
) -> Result<(Noted, Found, Step), Failure> {
    const RUN: &str = "look";
    let Look { note, found, .. } = look(app).await?;
    let mut noted = note.value;
    loop {
        match next_step(&noted, &found, RUN, now, is_asked) {
            Step::Note(seen) => noted = seen,
            step => return Ok((noted, found, step)),
        }
    }
}

/// All that a step is decided by.
struct Look {
    note: Document<Noted>,
    found: Found,
    current: Option<Version>,
    next: Option<Version>,
}

/// The note comes first: what others change after it was read shows in what is read later, or when it is written.
async fn look(app: &App) -> Result<Look, Failure> {
    let note = steps::load(app, SECRET).await?;
    let vault = app.secrets.vault();
    let current = vault.newest(SECRET).await?;
    let previous = vault.newest(&names::previous(SECRET)).await?;
    let next = vault.newest(&names::next(SECRET)).await?;
    let held = |version: &Version| {
        // What a person stored is told by when that was.
        let by_hand = || format!("stored at {}", version.stored.unix_timestamp());
        Held {
            key: version.key.clone().or_else(|| Some(by_hand())),
            stored: version.stored,
        }
    };
    let found = Found {
        current: current.as_ref().map(held),
        previous: previous.as_ref().map(held),
        next: next.as_ref().map(held),
    };
    Ok(Look {
        note,
        found,
        current,
        next,
    })
}

/// Gives Genesys the secret.
async fn tell(app: &App, secret: &SecretString) -> Result<(), ServiceError> {
    let integration = &app.settings.genesys_integration_id;
    let administrator = administrator(app).await?;
    administrator.set_webhook_secret(integration, secret).await
}

/// Ends the secret before this one.
async fn remove(
    app: &App,
    current: &SecretString,
    repeated_for: Duration,
) -> Result<(), ServiceError> {
    tell(app, current).await?;
    sleep(repeated_for).await;
    app.secrets.vault().clear(&names::previous(SECRET)).await
}

/// One line for each step that changes something.
fn told(step: &Step) {
    let (step, key) = match step {
        Step::Note(noted) => ("note", noted.current.as_ref().map(|it| it.key.as_str())),
        Step::Make { key } => ("make", Some(key.as_str())),
        Step::Tell { key } => ("tell", Some(key.as_str())),
        Step::Switch { key } => ("switch", Some(key.as_str())),
        Step::Remove { key } => ("remove", Some(key.as_str())),
        Step::Rest => return,
    };
    steps::tell(SECRET, step, key);
}

#[cfg(test)]
mod tests;
