//! `handler setup genesys`: the Genesys side of an installation, as an administrator of Genesys Cloud.
//!
//! Terraform makes what it has resources for (`infra/genesys`); then this does what it has none for: the clients' secrets go
//! straight from Genesys Cloud into the vault, the flow gets the integration's messages, and the threading timeline is set.

mod how;
mod outputs;
mod secrets;
mod terraform;

use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use services::error::{ErrorKind, ServiceError};
use services::genesys::admin::GenesysAdmin;
use services::key_vault::KeyVault;
use uuid::Uuid;

use super::azure::Installation;
use super::steps::{Steps, Verb};
use crate::genesys::{Connection, Step, explained, missing_right};
use crate::installation::keys;
pub use how::How;
use outputs::Made;
use secrets::Variables;
use terraform::{Planned, Terraform};

/// Time between two looks at an integration that is being made.
const NEXT_LOOK: Duration = Duration::from_secs(1);

/// Longest threading timeline in minutes (Genesys Cloud Resource Center, "Messaging threading timeline").
const LONGEST_TIMELINE: u32 = 72 * 60;

/// Hours of a thread's window where the file does not say.
const WINDOW_HOURS: u64 = 24;

/// Sets Genesys Cloud up.
///
/// # Errors
/// What to do, a line for each thing.
pub async fn run(
    installation: &mut Installation,
    how: &How,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<()> {
    let domain = installation.file.required(keys::GENESYS_DOMAIN)?.to_owned();
    let connection = Connection::from_lookup(|name| match name {
        "GENESYS_DOMAIN" => Some(domain.clone()),
        _ => lookup(name),
    })?;
    let admin = connection.sign_in().await?;
    if how.remove {
        return remove(installation, how, &admin, lookup).await;
    }
    let vault = installation.key_vault()?;
    let made = match (&how.outputs, how.no_terraform) {
        (Some(path), _) => Made::read(path)?,
        (None, true) => Made::of(&installation.file)?,
        (None, false) => match apply(installation, how, &vault, lookup).await? {
            Some(made) => made,
            None => return Ok(()),
        },
    };
    learn(installation, &made)?;
    secrets::put(installation, how, &connection, &admin, &vault, &made).await?;
    bind(installation, how, &admin, &made).await?;
    set_timeline(installation, &admin).await
}

/// Has Terraform delete all that it made, and forgets the ids.
async fn remove(
    installation: &mut Installation,
    how: &How,
    admin: &GenesysAdmin,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<()> {
    const WHAT: &str = "Terraform";
    let secrets = secrets::of_removal(lookup);
    let terraform = terraform(installation, how, secrets, lookup).await?;
    // Not by the outputs: a removal that was ended half way has none any more.
    let is_empty = terraform.is_empty().await?;
    if is_empty && is_there(installation, admin).await? {
        installation.steps.act(
            WHAT,
            "its state here is empty, and the file has ids of what was made: whoever ran it elsewhere destroys it there (or mend terraform_state_… of the file), then run the command again",
        );
        return Ok(());
    }
    if is_empty {
        installation.steps.ok(WHAT, "it has made nothing here");
    }
    if !installation.steps.is_plan() {
        if !is_empty {
            terraform.destroy(how.yes).await?;
        }
        let texts = [
            keys::GENESYS_INTEGRATION_ID,
            keys::GENESYS_SPARE_CLIENT_ID,
            keys::GENESYS_FLOW_ID,
            keys::GENESYS_QUEUE_ID,
        ];
        for key in texts {
            installation.file.learn(key, "");
        }
        installation.file.learn(keys::GENESYS_CLIENT_IDS, json!([]));
        installation.file.save()?;
    }
    if is_empty {
        return Ok(());
    }
    let what = "all that infra/genesys has made at Genesys Cloud";
    installation.steps.changed(Verb::Remove, WHAT, what);
    Ok(())
}

/// Whether the integration that the file knows is still at Genesys Cloud.
async fn is_there(installation: &Installation, admin: &GenesysAdmin) -> anyhow::Result<bool> {
    let Some(id) = installation.file.text(keys::GENESYS_INTEGRATION_ID) else {
        return Ok(false);
    };
    match admin
        .completed_integration(id, NEXT_LOOK, Duration::ZERO)
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
        Err(error) => {
            let id = id.parse().context(keys::GENESYS_INTEGRATION_ID)?;
            Err(explained(&error, Step::ReadIntegration(id)))
        }
    }
}

/// Terraform, ready to run with what it must know.
async fn terraform(
    installation: &Installation,
    how: &How,
    mut variables: Variables,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Terraform> {
    variables.extend(Connection::of_terraform(lookup));
    let terraform = Terraform::find(how.terraform.as_deref(), &installation.file, variables)?;
    terraform.init().await?;
    Ok(terraform)
}

/// Has Terraform make what it has resources for; nothing when it is only planned and there is nothing yet.
async fn apply(
    installation: &mut Installation,
    how: &How,
    vault: &KeyVault,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<Made>> {
    const WHAT: &str = "Terraform";
    let secrets = secrets::of_terraform(installation, vault, lookup).await?;
    let terraform = terraform(installation, how, secrets, lookup).await?;
    let is_plan = installation.steps.is_plan();
    match terraform.plan(is_plan).await? {
        Planned::Nothing => installation.steps.ok(WHAT, "all is as infra/genesys says"),
        Planned::Changes if is_plan => {
            let how = "what its plan above shows";
            installation.steps.changed(Verb::Set, WHAT, how);
        }
        Planned::Changes => {
            terraform.apply(how.yes).await?;
            let how = "what infra/genesys says";
            installation.steps.changed(Verb::Set, WHAT, how);
        }
    }
    let made = match terraform.output().await {
        // What was made in part has a part of them.
        Err(_) if is_plan => None,
        made => made?,
    };
    if made.is_none() {
        let rest = "the clients' secrets, the flow and the timeline, which follow";
        installation.steps.changed(Verb::Set, "Genesys Cloud", rest);
    }
    Ok(made)
}

/// Writes the ids into the file.
fn learn(installation: &mut Installation, made: &Made) -> anyhow::Result<()> {
    let values = [
        (keys::GENESYS_INTEGRATION_ID, json!(made.integration)),
        (keys::GENESYS_CLIENT_IDS, json!(made.clients)),
        (keys::GENESYS_SPARE_CLIENT_ID, json!(made.spare_client)),
        (keys::GENESYS_MEDIA_TYPES, json!(made.media_types)),
        (keys::GENESYS_FLOW_ID, json!(made.flow)),
        (keys::GENESYS_QUEUE_ID, json!(made.queue)),
    ];
    let mut learnt = Vec::new();
    for (key, value) in values {
        // What an older state has no output for is no reason to forget.
        if !value.is_null() && installation.file.learn(key, value) {
            learnt.push(key);
        }
    }
    installation.save("Genesys Cloud's ids", "Terraform's outputs", &learnt)
}

/// Binds the flow unless it is bound: without one, Genesys routes nothing of what customers write.
async fn bind(
    installation: &mut Installation,
    how: &How,
    admin: &GenesysAdmin,
    made: &Made,
) -> anyhow::Result<()> {
    const WHAT: &str = "message flow";
    let (integration, flow) = (made.integration, made.flow);
    let patience = Duration::from_secs(how.wait.into());
    let steps = &mut installation.steps;
    let found = admin
        .completed_integration(&integration.to_string(), NEXT_LOOK, patience)
        .await;
    let recipient = match found {
        Ok(found) => found.with_context(|| {
            format!("{WHAT}: Genesys Cloud routes nothing for this integration yet: run the command again in a minute")
        })?,
        Err(error) => return refused(steps, WHAT, &error, Step::ReadIntegration(integration)),
    };
    let before = match admin.recipient(&recipient.id).await {
        Ok(recipient) => recipient.flow,
        Err(error) => return refused(steps, WHAT, &error, Step::ReadRecipient),
    };
    let wanted = flow.to_string();
    if before
        .as_ref()
        .is_some_and(|it| it.id.eq_ignore_ascii_case(&wanted))
    {
        steps.ok(
            WHAT,
            format!("{flow} has the messages of integration {integration}"),
        );
        return Ok(());
    }
    if !steps.is_plan()
        && let Err(error) = admin.bind_flow(&recipient.id, &wanted).await
    {
        return refused(steps, WHAT, &error, Step::BindFlow(flow));
    }
    // Whatever else stands there is not for a terminal.
    let replaced = before
        .and_then(|before| before.id.parse::<Uuid>().ok())
        .map(|before| format!(", in the place of {before}"));
    let how = format!(
        "{flow} for the messages of integration {integration}{}",
        replaced.unwrap_or_default()
    );
    steps.changed(Verb::Set, WHAT, how);
    Ok(())
}

/// Sets the minutes after which a customer who writes again begins a new conversation, unless they are set.
async fn set_timeline(installation: &mut Installation, admin: &GenesysAdmin) -> anyhow::Result<()> {
    const WHAT: &str = "threading timeline";
    let hours = installation.file.number(keys::THREAD_WINDOW_HOURS);
    let wanted = hours.unwrap_or(WINDOW_HOURS).saturating_mul(60);
    let minutes = u32::try_from(wanted).map_or(LONGEST_TIMELINE, |it| it.min(LONGEST_TIMELINE));
    let longest = match u64::from(minutes) < wanted {
        true => ", the longest that Genesys Cloud has; thread_window_hours of the file is longer",
        false => "",
    };
    let steps = &mut installation.steps;
    let timeline = match admin.threading_timeline().await {
        Ok(timeline) => timeline,
        Err(error) => return refused(steps, WHAT, &error, Step::ReadTimeline),
    };
    let before = timeline.open_minutes();
    if before == Some(minutes) {
        let found = format!(
            "open messaging conversations go on for {minutes} minutes after their end{longest}"
        );
        steps.ok(WHAT, found);
        return Ok(());
    }
    let timeline = timeline.with_open_minutes(minutes);
    if !steps.is_plan()
        && let Err(error) = admin.set_threading_timeline(&timeline).await
    {
        return refused(steps, WHAT, &error, Step::WriteTimeline);
    }
    let before = before.map_or_else(|| "Genesys Cloud's default".to_owned(), |it| it.to_string());
    let how = format!(
        "{minutes} minutes for the organisation's open messaging, before it {before}{longest}"
    );
    steps.changed(Verb::Set, WHAT, how);
    Ok(())
}

/// A right that is missing waits for whoever can give it, and the rest goes on; anything else ends the step.
fn refused(
    steps: &mut Steps,
    what: &'static str,
    error: &ServiceError,
    step: Step,
) -> anyhow::Result<()> {
    match missing_right(error, step) {
        Some(right) => {
            steps.act(what, right);
            Ok(())
        }
        None => Err(explained(error, step).context(what)),
    }
}
