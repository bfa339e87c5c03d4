//! `handler setup graph --remove`: the registration is deleted for good, before the installation goes.

use std::time::Duration;

use anyhow::anyhow;
use services::error::{ErrorKind, ServiceError};
use services::graph::registration::{Named, Registrations};
use tokio::time::{Instant, sleep};

use super::super::azure::{Installation, login};
use super::super::steps::Verb;
use super::advice::{APPLICATION_ADMINISTRATOR, FIRST_PAUSE, REGISTRATION, unread};
use super::look;
use crate::installation::keys;

/// Deletes the registration with every permission that it was granted, and purges it, for a deleted one keeps its unique name for
/// 30 days. One that was deleted and not purged is purged.
///
/// # Errors
/// What keeps the step from going on, in one line.
pub async fn remove(installation: &mut Installation, wait: Duration) -> anyhow::Result<()> {
    let directory = Registrations::new(
        installation.client.clone(),
        &installation.graph_endpoint,
        installation.identity.clone(),
    );
    let known = installation
        .file
        .text(keys::GRAPH_CLIENT_ID)
        .map(str::to_owned);
    let unique_name = look::unique_name(installation)?;
    let found = found(&directory, known.as_deref(), &unique_name).await;
    let Some(found) = found.map_err(|error| unread(REGISTRATION, &error))? else {
        installation.steps.ok(REGISTRATION, "there is none");
        return Ok(());
    };
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
        if known.is_some() && installation.file.learn(keys::GRAPH_CLIENT_ID, "") {
            installation.file.save()?;
        }
    }
    let told = format!("application id {}", found.app_id);
    installation.steps.changed(Verb::Remove, REGISTRATION, told);
    Ok(())
}

/// A registration, which may be deleted already.
struct Left {
    id: String,
    app_id: String,
    is_deleted: bool,
}

async fn found(
    directory: &Registrations,
    known: Option<&str>,
    unique_name: &str,
) -> Result<Option<Left>, ServiceError> {
    let named = known.map_or(Named::UniqueName(unique_name), Named::AppId);
    if let Some(found) = directory.application(named).await? {
        let (id, app_id) = (found.id, found.app_id);
        return Ok(Some(Left {
            id,
            app_id,
            is_deleted: false,
        }));
    }
    let Some(known) = known else {
        return Ok(None);
    };
    let deleted = directory.deleted_application(known).await?;
    Ok(deleted.map(|id| Left {
        id,
        app_id: known.to_owned(),
        is_deleted: true,
    }))
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
        match directory.purge_application(&found.id).await {
            Err(error) if error.kind == ErrorKind::NotFound && Instant::now() < deadline => {
                sleep(FIRST_PAUSE).await;
            }
            purged => return purged,
        }
    }
}
