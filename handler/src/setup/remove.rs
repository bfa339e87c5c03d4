//! `handler setup remove`: takes an installation away again, in the order in which it can be: Genesys Cloud and the app registration
//! before the resource group, in which the state of Terraform lies.

use std::time::Duration;

use anyhow::anyhow;
use services::error::ErrorKind;

use super::azure::{Installation, login};
use super::steps::Verb;
use super::{genesys, graph};
use crate::installation::keys;

const WHAT: &str = "resource group";

/// Removes everything, as far as whoever runs it may, and has the next deployment bring the vault back, which outlives its group.
///
/// # Errors
/// What keeps it from going on, in one line.
pub async fn run(
    installation: &mut Installation,
    wait: Duration,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<()> {
    genesys::run(installation, &genesys::How::removal(), lookup).await?;
    graph::remove(installation, wait).await?;
    if installation.steps.is_waiting() {
        installation.steps.act(
            WHAT,
            "it stays until the rest is gone: see ACT above, then run the command again",
        );
        return Ok(());
    }
    delete_group(installation).await
}

/// Deletes the group of everything in Azure, unless somebody else made it.
async fn delete_group(installation: &mut Installation) -> anyhow::Result<()> {
    let group = installation.group()?;
    let name = &group.name;
    if installation.file.text(keys::RESOURCE_GROUP).is_some() {
        let owner = format!(
            "{name} was there before, and may hold more: whoever owns it deletes it (az group delete --name {name}), or what has the tag of this installation in it"
        );
        installation.steps.act(WHAT, owner);
        return Ok(());
    }
    if !installation.steps.is_plan() {
        // Before the call: a kill after it must not leave a file that cannot be deployed with.
        installation.file.learn(keys::RECOVER_KEY_VAULT, true);
        installation.file.save()?;
        match installation.resource_manager.delete_group(&group).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {
                installation.steps.ok(WHAT, format!("there is no {name}"));
                return Ok(());
            }
            Err(error) if error.kind == ErrorKind::Forbidden => {
                let right = format!(
                    "you may not delete {name}: whoever is Contributor on it does ({error})"
                );
                installation.steps.act(WHAT, right);
                return Ok(());
            }
            Err(error) if error.kind == ErrorKind::Conflict => {
                let lock = format!(
                    "a lock keeps {name}, or it is being deleted already: az lock list --resource-group {name} ({error})"
                );
                installation.steps.act(WHAT, lock);
                return Ok(());
            }
            Err(error) => return Err(anyhow!("{WHAT} {name}: {} ({error})", login(&error))),
        }
    }
    let how = format!(
        "{name} with everything in it, which Azure goes on with for some minutes; the vault outlives it by 90 days, and the next deployment brings it back"
    );
    installation.steps.changed(Verb::Remove, WHAT, how);
    Ok(())
}
