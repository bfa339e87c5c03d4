//! `handler setup graph --remove`: the registration is deleted for good, before the installation goes.

use std::time::Duration;

use anyhow::anyhow;
use services::error::{ErrorKind, ServiceError};
use services::graph::registration::{Deleted, Named, Registrations};
use tokio::time::{Instant, sleep};

use super::super::azure::{Installation, login};
use super::super::registration::is_ours;
use super::super::steps::Verb;
use super::advice::{APPLICATION_ADMINISTRATOR, FIRST_PAUSE, REGISTRATION, next_pause, unread};
use super::lines::THE_FILE;
use super::look;
use crate::installation::keys;

/// Deletes the registration with every permission that it was granted, and purges it, for a deleted one keeps its unique name for
/// 30 days. One that was deleted and not purged is purged. What is not this installation's is left to a person.
///
/// # Errors
/// What keeps the step from going on, in one line.
pub async fn remove(installation: &mut Installation, wait: Duration) -> anyhow::Result<()> {
    let directory = Registrations::new(
        installation.client.clone(),
        &installation.graph_endpoint,
        installation.identity.clone(),
    );
    let known = installation.file.text(keys::GRAPH_CLIENT_ID);
    let known = known.map(str::to_owned);
    let unique_name = look::unique_name(installation)?;
    let issuer = look::issuer(installation)?;
    let found = find(&directory, known.as_deref(), &unique_name).await;
    let Some(found) = found.map_err(|error| unread(REGISTRATION, &error))? else {
        installation.steps.ok(REGISTRATION, "there is none");
        // A run before this one that was killed, or that got no answer, has left it.
        if known.is_some() {
            forget(installation)?;
            let how = "graph_client_id to nothing, for that registration is no more";
            installation.steps.changed(Verb::Set, THE_FILE, how);
        }
        return Ok(());
    };
    let credentials = match found.is_deleted {
        // Those of a deleted one are not shown.
        true => Vec::new(),
        false => {
            let all = directory.credentials(&found.id).await;
            all.map_err(|error| unread(REGISTRATION, &error))?
        }
    };
    let identity = installation
        .file
        .required(keys::MANAGED_IDENTITY_PRINCIPAL_ID)?;
    let has = found.unique_name.as_deref();
    if !is_ours(&unique_name, has, &credentials, identity, &issuer) {
        let advice = not_ours(&found);
        installation.steps.act(REGISTRATION, advice);
        return Ok(());
    }
    if !installation.steps.is_plan() {
        let deadline = Instant::now() + wait;
        match delete(&directory, &found, deadline).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::Forbidden => {
                let advice =
                    format!("you may not delete it: {APPLICATION_ADMINISTRATOR} does ({error})");
                installation.steps.act(REGISTRATION, advice);
                return Ok(());
            }
            Err(error) => return Err(anyhow!("{REGISTRATION}: {} ({error})", login(&error))),
        }
        if known.is_some() {
            forget(installation)?;
        }
    }
    let told = format!("application id {}", found.app_id);
    installation.steps.changed(Verb::Remove, REGISTRATION, told);
    Ok(())
}

/// Takes the application id out of the file, unless only the plan is wanted.
fn forget(installation: &mut Installation) -> anyhow::Result<()> {
    if !installation.steps.is_plan() && installation.file.learn(keys::GRAPH_CLIENT_ID, "") {
        installation.file.save()?;
    }
    Ok(())
}

/// Why a registration is left alone, and who decides.
fn not_ours(found: &Left) -> String {
    let id = &found.app_id;
    match found.is_deleted {
        true => format!(
            "application id {id} is deleted and goes for good after 30 days, and nothing shows that it was this installation's: if it was, purge it at Entra ID > App registrations > Deleted applications; then take graph_client_id out of the file"
        ),
        false => format!(
            "application id {id} is left alone, for nothing shows that it is this installation's: it has another unique name, and does not trust the managed identity. If it is to go, delete it at Entra ID > App registrations; then take graph_client_id out of the file"
        ),
    }
}

/// A registration, which may be deleted already.
struct Left {
    id: String,
    app_id: String,
    unique_name: Option<String>,
    is_deleted: bool,
}

impl From<Deleted> for Left {
    fn from(deleted: Deleted) -> Self {
        Self {
            id: deleted.id,
            app_id: deleted.app_id,
            unique_name: deleted.unique_name,
            is_deleted: true,
        }
    }
}

/// The one that the file names, else the one under our own key.
async fn find(
    directory: &Registrations,
    known: Option<&str>,
    unique_name: &str,
) -> Result<Option<Left>, ServiceError> {
    let live = async |named| -> Result<Option<Left>, ServiceError> {
        let found = directory.application(named).await?;
        Ok(found.map(|found| Left {
            id: found.id,
            app_id: found.app_id,
            unique_name: found.unique_name,
            is_deleted: false,
        }))
    };
    if let Some(known) = known {
        if let Some(found) = live(Named::AppId(known)).await? {
            return Ok(Some(found));
        }
        if let Some(deleted) = directory.deleted_application(known).await? {
            return Ok(Some(deleted.into()));
        }
    }
    if let Some(found) = live(Named::UniqueName(unique_name)).await? {
        return Ok(Some(found));
    }
    let deleted = directory.deleted_applications().await?;
    let mut deleted = deleted.into_iter();
    let ours = deleted.find(|it| it.unique_name.as_deref() == Some(unique_name));
    Ok(ours.map(Into::into))
}

async fn delete(
    directory: &Registrations,
    found: &Left,
    deadline: Instant,
) -> Result<(), ServiceError> {
    if !found.is_deleted {
        directory.delete_application(&found.id).await?;
    }
    loop {
        let purged = directory.purge_application(&found.id).await;
        let is_early = matches!(&purged, Err(error) if error.kind == ErrorKind::NotFound);
        let left = deadline.saturating_duration_since(Instant::now());
        match next_pause(FIRST_PAUSE, None, left) {
            Some(pause) if is_early => sleep(pause).await,
            _ => return purged,
        }
    }
}
