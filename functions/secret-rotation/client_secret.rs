//! The Graph app's client secret: replaced before it ends, also when it has ended already, for the right to do so is the managed
//! identity's. What comes next is decided by [`bridge::rotation`]; here it is looked at and done.

use std::collections::BTreeSet;

use bridge::rotation::{
    Action, Credential, DISPLAY_NAME, Found, Held, Noted, Refusal, Step, key_of, next_step,
};
use secrecy::ExposeSecret;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::key_vault::Version;
use services::secrets::names;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::genesys_client::ROLE_MISSING;
use super::steps::{self, MOST_STEPS, save, until_taken};
use crate::app::App;
use crate::failure::Failure;
use crate::settings::HOST_NAME;
use crate::store::document::Document;

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
        steps::tell(names::GRAPH_CLIENT, &step);
        match &step {
            Step::Note(seen) => {
                note.value = seen.clone();
                save(app, &mut note).await?;
            }
            Step::Do(Action::Add(ends)) => {
                is_asked = false;
                if let Err(error) = add(app, *ends).await {
                    let code = error.code.clone();
                    note.value.refusal = Some(Refusal {
                        at: now,
                        code: code.unwrap_or_else(|| error.kind.label().to_owned()),
                    });
                    save(app, &mut note).await?;
                    return Err(error.into());
                }
            }
            Step::Do(Action::Probe(key)) => {
                // It was asked for, and is on its way already.
                is_asked = false;
                let secret = next.ok_or(Failure::OutOfTime)?.value;
                let probe = || app.client_secret_probe.is_taken(&secret);
                if !until_taken(app, names::GRAPH_CLIENT, key, deadline, probe).await? {
                    return Ok(());
                }
                note.value.accepted = Some(key.clone());
                save(app, &mut note).await?;
            }
            Step::Do(Action::Switch(key)) => {
                is_asked = false;
                let secret = next.ok_or(Failure::OutOfTime)?.value;
                let vault = app.secrets.vault();
                vault.store(names::GRAPH_CLIENT, &secret, key).await?;
            }
            Step::Do(Action::Remove(key)) => {
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
) -> Result<(Noted, Step<Action>), Failure> {
    let Look { note, found, .. } = look(app, &BTreeSet::new()).await?;
    let next = |noted: &Noted| next_step(noted, &found, now, is_asked);
    Ok(note.value.settled(next))
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
    let note = steps::load(app, names::GRAPH_CLIENT).await?;
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
            "the managed identity must be allowed to write this secret and those beside it, as the templates allow it"
        }
        (Service::Genesys, ErrorKind::Forbidden) => {
            "not allowed here: run handler rotate genesys with GENESYS_ADMIN_CLIENT_ID and GENESYS_ADMIN_CLIENT_SECRET of a client \
             that has oauth:client:edit and messaging:integration:edit, or apply Terraform with let_bridge_rotate = true"
        }
        (Service::Genesys, ErrorKind::NotFound) => {
            "Genesys Cloud knows no client or integration of this id: check GENESYS_CLIENT_ID, GENESYS_SPARE_CLIENT_ID and \
             GENESYS_INTEGRATION_ID"
        }
        (Service::Genesys, _) if code == ROLE_MISSING => {
            "the client that is to take over is not shown the integration: give it the role of the other one"
        }
        (Service::Genesys, ErrorKind::Configuration) => {
            "Genesys Cloud does not know the client or its secret: run handler rotate genesys --now as an administrator"
        }
        (Service::Platform, _) if code == HOST_NAME => {
            "the Functions host sets WEBSITE_HOSTNAME; elsewhere put the host name of the Function App there, e.g. \
             my-app.azurewebsites.net"
        }
        (_, ErrorKind::SignInNeeded) => "the Support User must sign in: handler sign-in ACCOUNT",
        _ => "the next run tries it again",
    }
}

#[cfg(test)]
mod tests;
