//! A secret of our own making: with which Genesys signs its webhooks, which Graph presents, and for which Graph encrypts. What comes
//! next is decided by [`bridge::rotation::own_secret`]; here it is looked at and done.
//!
//! Genesys is told before its secret becomes the current one, by whom it lets change the integration: without that right a next
//! secret waits, accepted, until somebody may. Graph's subscriptions follow the current one (`subscription-renewal`).

use std::time::Duration;

use bridge::rotation::own_secret::{Action, Found, KEPT, KEY_KEPT, next_step};
use bridge::rotation::{Held, Noted, Step};
use secrecy::SecretString;
use services::error::ServiceError;
use services::key_vault::Version;
use services::secrets::names;
use time::OffsetDateTime;
use uuid::Uuid;

use super::genesys::{administrator, gave_up};
use super::steps::{self, MOST_STEPS, save};
use crate::app::App;
use crate::failure::Failure;
use crate::own_secrets::new_value;
use crate::store::document::Document;
use crate::subscription_renewal;

/// Takes every step that can be taken now. What Genesys signed may come for as long as `repeated_for`.
pub(super) async fn replace(
    app: &App,
    secret: &'static str,
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
        } = look(app, secret).await?;
        let step = next_step(&note.value, &found, kept(secret), &run, now, is_asked);
        steps::tell(secret, &step);
        let vault = app.secrets.vault();
        // What the step asks for was seen a moment ago.
        let [current, next] = [current, next].map(|it| it.ok_or(Failure::OutOfTime));
        // What was asked for is a new one, and comes after one that is over is gone.
        is_asked &= matches!(step, Step::Note(_) | Step::Do(Action::Remove(_)));
        let done = match &step {
            Step::Rest => return Ok(()),
            Step::Note(seen) => {
                note.value = seen.clone();
                save(app, &mut note).await?;
                continue;
            }
            Step::Do(Action::Make(key)) => {
                let value = new_value(secret).await;
                vault.store(&names::next(secret), &value, key).await
            }
            Step::Do(Action::Tell(key)) => {
                let told = tell(app, secret, &next?.value).await;
                if told.is_ok() {
                    note.value.accepted = Some(key.clone());
                    save(app, &mut note).await?;
                }
                told
            }
            Step::Do(Action::Switch(key)) => {
                let next = next?.value;
                // Where there is none, nothing was signed with it.
                let kept = match (current, found.current.and_then(|it| it.key)) {
                    (Ok(current), Some(before)) => {
                        let previous = names::previous(secret);
                        vault.store(&previous, &current.value, &before).await
                    }
                    _ => Ok(()),
                };
                let switched = match kept {
                    Ok(()) => vault.store(secret, &next, key).await,
                    failed => failed,
                };
                if switched.is_ok() && is_of_graph(secret) {
                    // The timer of the subscriptions does it as well, and says what is in the way.
                    let _ = subscription_renewal::renew_now(app).await;
                }
                switched
            }
            Step::Do(Action::Remove(key)) => {
                if is_of_graph(secret) && !subscription_renewal::are_settled(app).await? {
                    // Some subscription still has the one before. A later run looks again.
                    let renewed = subscription_renewal::renew_now(app).await;
                    return renewed.map(drop);
                }
                let removed = remove(app, secret, &current?.value, repeated_for).await;
                if removed.is_ok() {
                    note.value = note.value.without(key);
                    save(app, &mut note).await?;
                }
                removed
            }
        };
        if let Err(error) = done {
            return Err(gave_up(app, &mut note, now, error).await);
        }
    }
    Err(Failure::OutOfTime)
}

/// What is there by now, and what would be done next; nothing is changed.
pub(super) async fn look_only(
    app: &App,
    secret: &'static str,
    now: OffsetDateTime,
    is_asked: bool,
) -> Result<(Noted, Found, Step<Action>), Failure> {
    const RUN: &str = "look";
    let Look { note, found, .. } = look(app, secret).await?;
    let next = |noted: &Noted| next_step(noted, &found, kept(secret), RUN, now, is_asked);
    let (noted, next) = note.value.settled(next);
    Ok((noted, found, next))
}

/// All that a step is decided by.
struct Look {
    note: Document<Noted>,
    found: Found,
    current: Option<Version>,
    next: Option<Version>,
}

/// The note comes first: what others change after it was read shows in what is read later, or when it is written.
async fn look(app: &App, secret: &str) -> Result<Look, Failure> {
    let note = steps::load(app, secret).await?;
    let vault = app.secrets.vault();
    let current = vault.newest(secret).await?;
    let previous = vault.newest(&names::previous(secret)).await?;
    let next = vault.newest(&names::next(secret)).await?;
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

/// Whether Graph's subscriptions hold it.
fn is_of_graph(secret: &str) -> bool {
    secret != names::GENESYS_WEBHOOK
}

/// How long the one before the current one is kept.
fn kept(secret: &str) -> Duration {
    match secret {
        names::GRAPH_NOTIFICATION_KEY => KEY_KEPT,
        _ => KEPT,
    }
}

/// Gives Genesys its secret. Graph gets the current one with its subscriptions.
async fn tell(app: &App, secret: &str, value: &SecretString) -> Result<(), ServiceError> {
    if is_of_graph(secret) {
        return Ok(());
    }
    let integration = &app.settings.genesys_integration_id;
    let administrator = administrator(app).await?;
    administrator.set_webhook_secret(integration, value).await
}

/// Ends the secret before this one.
async fn remove(
    app: &App,
    secret: &str,
    current: &SecretString,
    repeated_for: Duration,
) -> Result<(), ServiceError> {
    if !is_of_graph(secret) {
        tell(app, secret, current).await?;
        app.settings.clock.sleep(repeated_for).await;
    }
    app.secrets.vault().clear(&names::previous(secret)).await
}

#[cfg(test)]
mod tests;
