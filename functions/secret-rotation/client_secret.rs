//! The Graph app's client secret: replaced before it ends, also when it has ended already, for the right to do so is the managed
//! identity's. What comes next is decided by [`bridge::rotation`]; here it is looked at and done.

use std::collections::BTreeSet;
use std::time::Duration;

use bridge::rotation::{
    Credential, DISPLAY_NAME, Found, Held, Noted, Refusal, Step, key_of, next_step,
};
use bridge::state::blobs;
use secrecy::{ExposeSecret, SecretString};
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::key_vault::Version;
use services::secrets::names;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::failure::Failure;
use crate::store::document::Document;

/// Steps after which a run ends, whatever is left: six are usual, and each beyond them is another run's doing.
const MOST_STEPS: usize = 40;

/// Time that a new secret has to be taken in one run; usual are 4 to 18 seconds.
const PROPAGATION: Duration = Duration::from_secs(5 * 60);

/// Time between two tries of a new secret.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// Tries in a row that must be taken: the token endpoint is many machines, which do not all learn of it at once.
const TAKEN_IN_A_ROW: u32 = 3;

/// Takes every step that can be taken now.
pub(super) async fn replace(
    app: &App,
    now: OffsetDateTime,
    mut is_asked: bool,
    deadline: Instant,
) -> Result<(), Failure> {
    let mut removed = BTreeSet::new();
    for _ in 0..MOST_STEPS {
        let Look {
            mut note,
            found,
            next,
        } = look(app, &removed).await?;
        let step = next_step(&note.value, &found, now, is_asked);
        told(&step);
        match &step {
            Step::Note(seen) => {
                note.value = seen.clone();
                save(app, &mut note).await?;
            }
            Step::Add { ends } => {
                is_asked = false;
                if let Err(error) = add(app, *ends).await {
                    let code = error.code.clone();
                    note.value.refusal = Some(Refusal {
                        at: now,
                        code: code.unwrap_or_else(|| error.kind.label().to_owned()),
                    });
                    save(app, &mut note).await?;
                    return Err(refused(error));
                }
            }
            Step::Probe { key } => {
                // It was asked for, and is on its way already.
                is_asked = false;
                let secret = next.ok_or(Failure::OutOfTime)?.value;
                if !is_taken(app, &secret, deadline).await? {
                    let key = key.as_str();
                    tracing::warn!(
                        event = "secret_not_taken_yet",
                        secret = names::GRAPH_CLIENT,
                        key
                    );
                    return Ok(());
                }
                note.value.accepted = Some(key.clone());
                save(app, &mut note).await?;
            }
            Step::Switch { key } => {
                is_asked = false;
                let secret = next.ok_or(Failure::OutOfTime)?.value;
                let vault = app.secrets.vault();
                vault.store(names::GRAPH_CLIENT, &secret, key).await?;
            }
            Step::Remove { key } => {
                app.own_app.remove_password(key).await?;
                removed.insert(key.clone());
            }
            Step::Rest => return Ok(()),
        }
    }
    Err(Failure::OutOfTime)
}

/// What is noted by now, and what would be done next; nothing is changed.
pub(super) async fn look_only(
    app: &App,
    now: OffsetDateTime,
    is_asked: bool,
) -> Result<(Noted, Step), Failure> {
    let Look { note, found, .. } = look(app, &BTreeSet::new()).await?;
    let mut noted = note.value;
    if let Step::Note(seen) = next_step(&noted, &found, now, is_asked) {
        noted = seen;
    }
    let next = next_step(&noted, &found, now, is_asked);
    Ok((noted, next))
}

/// All that a step is decided by.
struct Look {
    note: Document<Noted>,
    found: Found,
    /// The next secret, read together with its key id.
    next: Option<Version>,
}

/// The note comes first: what others change after it was read shows in what is read later, or when it is written.
async fn look(app: &App, removed: &BTreeSet<String>) -> Result<Look, Failure> {
    let blob = blobs::rotation(names::GRAPH_CLIENT);
    let note = Document::load(&app.blobs, blob, Noted::default).await?;
    let credentials = app.own_app.passwords().await?.into_iter();
    // A list may still show what this run has removed.
    let credentials = credentials.filter(|one| !removed.contains(&one.key_id));
    let credentials: Vec<_> = credentials
        .map(|one| Credential {
            key: one.key_id,
            name: one.display_name,
            hint: one.hint,
            starts: one.start_date_time,
            ends: one.end_date_time,
        })
        .collect();
    let vault = app.secrets.vault();
    let current = vault.newest(names::GRAPH_CLIENT).await?;
    let next = vault.newest(&names::next(names::GRAPH_CLIENT)).await?;
    let held = |version: &Version| {
        let begins = |hint: &str| version.value.expose_secret().starts_with(hint);
        let by_hand = || key_of(&credentials, begins);
        Held {
            key: version.key.clone().or_else(by_hand),
            stored: version.stored,
        }
    };
    let found = Found {
        current: current.as_ref().map(held),
        next: next.as_ref().map(held),
        credentials,
    };
    Ok(Look { note, found, next })
}

/// Writes the note; when another run wrote first, all is looked at again, and nothing is lost.
async fn save(app: &App, note: &mut Document<Noted>) -> Result<(), Failure> {
    match note.save(&app.blobs).await {
        Err(Failure::Service(error)) if error.kind == ErrorKind::Precondition => Ok(()),
        result => result,
    }
}

async fn add(app: &App, ends: OffsetDateTime) -> Result<(), ServiceError> {
    let added = app.own_app.add_password(DISPLAY_NAME, ends).await?;
    let (secret, key) = (added.secret_text, added.key_id);
    let vault = app.secrets.vault();
    let stored = vault
        .store(&names::next(names::GRAPH_CLIENT), &secret, &key)
        .await;
    if stored.as_ref().is_err_and(|error| error.sent == Sent::No) {
        // Nobody will ever know it. Should this fail, a later run finds it.
        let _ = app.own_app.remove_password(&key).await;
    }
    stored
}

/// Tries the secret until it is taken several times in a row, for as long as there is time.
async fn is_taken(app: &App, secret: &SecretString, deadline: Instant) -> Result<bool, Failure> {
    let until = deadline.min(Instant::now() + PROPAGATION);
    let mut in_a_row = 0;
    loop {
        in_a_row = match app.client_secret_probe.is_taken(secret).await? {
            true => in_a_row + 1,
            false => 0,
        };
        if in_a_row == TAKEN_IN_A_ROW {
            return Ok(true);
        }
        if Instant::now() + BETWEEN_TRIES >= until {
            return Ok(false);
        }
        sleep(BETWEEN_TRIES).await;
    }
}

/// One line for each step that changes something.
fn told(step: &Step) {
    let (step, key) = match step {
        Step::Note(noted) => ("note", noted.current.as_ref().map(|it| it.key.as_str())),
        Step::Add { .. } => ("add", None),
        Step::Probe { key } => ("probe", Some(key.as_str())),
        Step::Switch { key } => ("switch", Some(key.as_str())),
        Step::Remove { key } => ("remove", Some(key.as_str())),
        Step::Rest => return,
    };
    tracing::info!(
        event = "rotation_step",
        secret = names::GRAPH_CLIENT,
        step,
        key
    );
}

/// Says why no secret could be added.
fn refused(error: ServiceError) -> Failure {
    let (service, kind, code) = (
        error.service.label(),
        error.kind.label(),
        error.code.as_deref(),
    );
    let (secret, advice) = (names::GRAPH_CLIENT, advice(&error));
    tracing::error!(
        event = "rotation_refused",
        secret,
        service,
        kind,
        status = error.status,
        code,
        "{advice}"
    );
    error.into()
}

/// What a person can do about a secret that cannot be renewed.
pub fn advice(error: &ServiceError) -> &'static str {
    let code = error.code.as_deref().unwrap_or_default();
    match (error.service, error.kind) {
        (Service::Graph, _) if code.ends_with("Policy") => {
            "a policy of the tenant forbids client secrets, or one that lives for 90 days: exempt this app (app management \
             policies), or use GRAPH_CLIENT_AUTHENTICATION=federated"
        }
        (Service::Graph, ErrorKind::Forbidden | ErrorKind::NotFound) => {
            "the managed identity must own the app registration of GRAPH_CLIENT_ID and hold Application.ReadWrite.OwnedBy"
        }
        (Service::KeyVault, ErrorKind::Forbidden) => {
            "the managed identity must be allowed to write graph-client-secret and graph-client-secret-next"
        }
        (_, ErrorKind::SignInNeeded) => "the Support User must sign in: handler sign-in ACCOUNT",
        _ => "the next run tries it again",
    }
}

#[cfg(test)]
mod tests;
