//! The secret of our OAuth client at Genesys, which two clients have in turn. What comes next is decided by
//! [`bridge::rotation::genesys_client`]; here it is looked at and done.

use bridge::rotation::genesys_client::{Action, Found, next_step};
use bridge::rotation::{Held, Noted, Step};
use secrecy::{ExposeSecret, SecretString};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::genesys::admin::AdminCredentials;
use services::key_vault::Version;
use services::secrets::names;
use time::OffsetDateTime;
use tokio::time::Instant;
use uuid::Uuid;

use super::genesys::{administrator, gave_up};
use super::steps::{self, MOST_STEPS, save, until_taken};
use crate::app::App;
use crate::failure::Failure;
use crate::store::document::Document;

const SECRET: &str = names::GENESYS_CLIENT;

/// Code of an error: the client of the next secret has another role than the current one.
pub(super) const ROLE_MISSING: &str = "role_missing";

/// Takes every step that can be taken now.
pub(super) async fn replace(
    app: &App,
    now: OffsetDateTime,
    mut is_asked: bool,
    deadline: Instant,
) -> Result<(), Failure> {
    let run = Uuid::new_v4().to_string();
    for _ in 0..MOST_STEPS {
        let mut look = look(app).await?;
        let step = next_step(&look.note.value, &look.found, &run, now, is_asked);
        steps::tell(SECRET, &step);
        let note = &mut look.note;
        let done = match &step {
            Step::Rest => return Ok(()),
            Step::Note(seen) => {
                note.value = seen.clone();
                save(app, note).await?;
                continue;
            }
            Step::Do(Action::Renew(client)) => {
                is_asked = false;
                renew(app, client).await
            }
            Step::Do(Action::Probe(client)) => {
                is_asked = false;
                let secret = look.next.ok_or(Failure::OutOfTime)?.value;
                let probe = || is_taken(app, client, &secret);
                match until_taken(app, SECRET, client, deadline, probe).await {
                    Ok(false) => return Ok(()),
                    Ok(true) => {
                        note.value.accepted = Some(client.clone());
                        save(app, note).await?;
                        Ok(())
                    }
                    Err(Failure::Service(error)) => Err(error),
                    Err(failure) => return Err(failure),
                }
            }
            Step::Do(Action::Switch(client)) => {
                is_asked = false;
                let secret = look.next.ok_or(Failure::OutOfTime)?.value;
                app.secrets.vault().store(SECRET, &secret, client).await
            }
            Step::Do(Action::Discard(client)) => match discard(app, client).await {
                Ok(()) => {
                    note.value = note.value.without(client);
                    save(app, note).await?;
                    Ok(())
                }
                failed => failed,
            },
        };
        if let Err(error) = done {
            return Err(gave_up(app, note, now, error).await);
        }
    }
    Err(Failure::OutOfTime)
}

/// What is there by now, and what would be done next; nothing is changed.
pub(super) async fn look_only(
    app: &App,
    now: OffsetDateTime,
    is_asked: bool,
) -> Result<(Noted, Found, Step<Action>), Failure> {
    const RUN: &str = "look";
    let Look { note, found, .. } = look(app).await?;
    let next = |noted: &Noted| next_step(noted, &found, RUN, now, is_asked);
    let (noted, next) = note.value.settled(next);
    Ok((noted, found, next))
}

/// All that a step is decided by.
struct Look {
    note: Document<Noted>,
    found: Found,
    /// The next secret, read together with the client that it belongs to.
    next: Option<Version>,
}

/// The note comes first: what others change after it was read shows in what is read later, or when it is written.
async fn look(app: &App) -> Result<Look, Failure> {
    let note = steps::load(app, SECRET).await?;
    let vault = app.secrets.vault();
    let current = vault.newest(SECRET).await?;
    let next = vault.newest(&names::next(SECRET)).await?;
    let settings = &app.settings;
    let spare = settings.genesys_spare_client_id.clone();
    let pair = [
        settings
            .genesys_clients
            .first()
            .cloned()
            .unwrap_or_default(),
        spare.unwrap_or_default(),
    ];
    // What a person stored belongs to the client of the setting.
    let held = |version: &Version| Held {
        key: version.key.clone().or_else(|| Some(pair[0].clone())),
        stored: version.stored,
    };
    let found = Found {
        current: current.as_ref().map(held),
        next: next.as_ref().map(held),
        pair: pair.clone(),
    };
    Ok(Look { note, found, next })
}

/// A new secret for the client, stored as the next one.
async fn renew(app: &App, client: &str) -> Result<(), ServiceError> {
    let secret = administrator(app)
        .await?
        .renew_client_secret(client)
        .await?;
    // Should this fail, the secret is lost and nothing else: another takes its place.
    let next = names::next(SECRET);
    app.secrets.vault().store(&next, &secret, client).await
}

/// A new secret for the client, which nobody is told: Genesys has no other way to end the one before.
async fn discard(app: &App, client: &str) -> Result<(), ServiceError> {
    let secret = administrator(app)
        .await?
        .renew_client_secret(client)
        .await?;
    drop(secret);
    Ok(())
}

/// Whether Genesys gives a token for this secret and takes it, and the client may do what the current one may.
async fn is_taken(app: &App, client: &str, secret: &SecretString) -> Result<bool, ServiceError> {
    let secret = secret.expose_secret().to_owned();
    let credentials = AdminCredentials::new(client.to_owned(), secret);
    let signed_in = match app.genesys.sign_in_as(&credentials).await {
        Err(error) if error.kind == ErrorKind::Configuration => return Ok(false),
        result => result?,
    };
    match signed_in.probe().await {
        Err(error) if error.kind == ErrorKind::Unauthorized => return Ok(false),
        result => result?,
    }
    let integration = &app.settings.genesys_integration_id;
    if signed_in.sees_integration(integration).await? || app.genesys.integration().await.is_err() {
        return Ok(true);
    }
    Err(ServiceError {
        code: Some(ROLE_MISSING.to_owned()),
        ..ServiceError::new(Service::Genesys, ErrorKind::Configuration, Sent::No)
    })
}

#[cfg(test)]
mod tests;
