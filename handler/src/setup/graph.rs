//! `handler setup graph`: the registration of the Graph app, as an administrator of Entra ID with a token of their own.
//!
//! What is there is read first, what differs is decided by [`super::registration`], and then done one by one, each step by
//! itself: whoever lacks a right does all that they may, is told who can do the rest, and that person runs the same command.

mod advice;
mod client_secret;
mod lines;
mod look;
mod remove;
mod work;

use std::time::Duration;

use services::graph::registration::Registrations;
use tokio::time::Instant;

use super::azure::Installation;
use super::registration::{Change, Found, Wanted, changes, foreign, own_secrets};
use super::settings::WHAT as SETTINGS;
use super::steps::Verb;
use crate::installation::keys;
use lines::{SECRETS, THE_FILE, permissions_of, say_foreign, say_what_is_right};
pub use remove::remove;
use work::Work;

/// Sets the registration up; tells whether the app's settings are left to be put. They are not in a plan that makes the registration,
/// whose id nobody knows yet: what becomes of them then is told here.
///
/// # Errors
/// What keeps the step from going on, in one line.
pub async fn run(installation: &mut Installation, wait: Duration) -> anyhow::Result<bool> {
    let is_named = installation.file.text(keys::GRAPH_CLIENT_ID).is_some();
    let wanted = look::wanted(installation)?;
    let directory = Registrations::new(
        installation.client.clone(),
        &installation.graph_endpoint,
        installation.identity.clone(),
    );
    let mut work = Work {
        directory,
        unique_name: look::unique_name(installation)?,
        deadline: Instant::now() + wait,
        application: None,
        principal: None,
        graph: String::new(),
        identity: wanted.identity.clone(),
        was_there: false,
        deleted: None,
    };
    let found = look::found(installation, &work.directory, &work.unique_name, &wanted).await?;
    work.application.clone_from(&found.application);
    work.principal.clone_from(&found.principal);
    work.graph.clone_from(&found.graph.id);
    let is_new = found.application.is_none();
    // Before anything is permitted to it.
    if !may_go_on(installation, &wanted, &found, is_named) {
        return Ok(true);
    }
    let changes = changes(&wanted, &found)?;
    say_what_is_right(installation, &wanted, &found, &changes);
    for user in wanted
        .users
        .iter()
        .filter(|it| found.unknown_users.contains(&it.id))
    {
        let advice = format!(
            "your tenant has no user {}: mend support_accounts in the file",
            user.id
        );
        installation.steps.act(permissions_of(&user.name), advice);
    }
    for change in changes {
        let is_first = matches!(change, Change::MakeApplication(_) | Change::MakePrincipal);
        let is_done = work.step(installation, &found, change).await?;
        if work.was_there {
            // Somebody may have taken the name since it was looked for.
            work.was_there = false;
            let there = Found {
                application: work.application.clone(),
                ..Found::default()
            };
            let there = look::of_application(&work.directory, there).await?;
            if !may_go_on(installation, &wanted, &there, is_named) {
                return Ok(true);
            }
        }
        if is_first {
            // At once: whoever runs the command after one that was killed finds the app by it.
            learn(installation, &work)?;
        }
        if is_first && !is_done {
            // All that follows hangs on it.
            return Ok(true);
        }
    }
    let is_to_be_made = installation.steps.is_plan() && work.application.is_none();
    if is_to_be_made {
        let how = "graph_client_id, once there is the registration";
        installation.steps.changed(Verb::Set, THE_FILE, how);
        let how = "GRAPH_CLIENT_ID, once there is the registration";
        installation.steps.changed(Verb::Set, SETTINGS, how);
    }
    learn(installation, &work)?;
    if wanted.has_secret {
        let app = work.application.as_ref().map(|it| it.app_id.clone());
        client_secret::run(installation, app.as_deref(), is_new, wait).await?;
    }
    Ok(!is_to_be_made)
}

/// Tells what is there that is not ours, and whether the set-up may go on.
fn may_go_on(
    installation: &mut Installation,
    wanted: &Wanted,
    found: &Found,
    is_named: bool,
) -> bool {
    let Some(app) = &found.application else {
        return true;
    };
    let foreign = foreign(wanted, found, is_named);
    let has_secret = wanted.has_secret;
    let goes_on = say_foreign(installation, &app.app_id, is_named, has_secret, &foreign);
    if goes_on && found.uses_secret && own_secrets(app).next().is_some() {
        installation.steps.act(
            SECRETS,
            "the Function App still proves itself by one: deploy with graph_client_authentication = \"federated\" (step 1), then run the command again, which removes them",
        );
    }
    goes_on
}

/// Writes the application id into the file.
fn learn(installation: &mut Installation, work: &Work) -> anyhow::Result<()> {
    let Some(app) = &work.application else {
        return Ok(());
    };
    if app.app_id.is_empty()
        || !installation
            .file
            .learn(keys::GRAPH_CLIENT_ID, app.app_id.as_str())
    {
        return Ok(());
    }
    installation.save(THE_FILE, "of the registration", &[keys::GRAPH_CLIENT_ID])
}
