//! `handler setup graph`: the registration of the Graph app, as an administrator of Entra ID with a token of their own.
//!
//! What is there is read first, what differs is decided by [`super::registration`], and then done one by one, each step by
//! itself: whoever lacks a right does all that they may, is told who can do the rest, and that person runs the same command.

mod advice;
mod client_secret;
mod look;
mod remove;

use std::time::Duration;

use anyhow::anyhow;
use services::error::{ErrorKind, ServiceError};
use services::graph::registration::{
    Application, Grant, Named, Registrations, RoleAssignment, is_already_there,
};
use tokio::time::{Instant, sleep};

use super::azure::{Installation, login};
use super::registration::{ALL_CHATS, Change, Found, Holder, OWNED_APPS, Wanted, changes};
use super::settings::WHAT as SETTINGS;
use super::steps::Verb;
use crate::installation::keys;
use advice::{FIRST_PAUSE, LONGEST_PAUSE, REGISTRATION, advice, passes};
pub use remove::remove;

/// Sets the registration up.
///
/// # Errors
/// What keeps the step from going on, in one line.
pub async fn run(installation: &mut Installation, wait: Duration) -> anyhow::Result<()> {
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
    };
    let found = look::found(installation, &work.directory, &work.unique_name, &wanted).await?;
    work.application.clone_from(&found.application);
    work.principal.clone_from(&found.principal);
    work.graph.clone_from(&found.graph.id);
    let is_new = found.application.is_none();
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
        if is_first {
            // At once: whoever runs the command after one that was killed finds the app by it.
            learn(installation, &work)?;
        }
        if is_first && !is_done {
            // All that follows hangs on it.
            return Ok(());
        }
    }
    if installation.steps.is_plan() && work.application.is_none() {
        let how = "graph_client_id, once there is the registration";
        installation.steps.changed(Verb::Set, THE_FILE, how);
        let how = "GRAPH_CLIENT_ID, once there is the registration";
        installation.steps.changed(Verb::Set, SETTINGS, how);
    }
    learn(installation, &work)?;
    if wanted.has_secret {
        let app = work.application.as_ref().map(|it| it.app_id.clone());
        client_secret::run(installation, app.as_deref(), is_new).await?;
    }
    Ok(())
}

/// What the changes are made with.
struct Work {
    directory: Registrations,
    unique_name: String,
    deadline: Instant,
    application: Option<Application>,
    principal: Option<String>,
    /// Object id of Microsoft Graph's service principal.
    graph: String,
    /// Object id of the managed identity's.
    identity: String,
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

fn permissions_of(user: &str) -> String {
    format!("delegated permissions of {user}")
}

const THE_FILE: &str = "the file";
const CREDENTIAL: &str = "federated credential of the managed identity";
const PRINCIPAL: &str = "service principal";
const OWNERS: &str = "owners of the registration";

/// What a change is about, as the lines name it.
fn topic(change: &Change) -> String {
    match change {
        Change::MakeApplication(_) | Change::SetApplication(..) => REGISTRATION.to_owned(),
        Change::AddOwner(_) | Change::RemoveOwner(_) => OWNERS.to_owned(),
        Change::AddCredential(_) | Change::SetCredential(..) => CREDENTIAL.to_owned(),
        Change::MakePrincipal => PRINCIPAL.to_owned(),
        Change::AddGrant(user, _) | Change::SetGrant(user, ..) => permissions_of(&user.name),
        Change::RemoveGrant(Some(user), _) => permissions_of(user),
        Change::RemoveGrant(None, _) => permissions_of("everybody"),
        Change::AssignRole(holder, name) | Change::RemoveRole(holder, name, _) => {
            role_of(*holder, name)
        }
    }
}

fn role_of(holder: Holder, name: &str) -> String {
    match holder {
        Holder::App => format!("{name} of the app"),
        Holder::Identity => format!("{name} of the managed identity"),
    }
}

/// The lines of what no change is about.
fn say_what_is_right(
    installation: &mut Installation,
    wanted: &Wanted,
    found: &Found,
    changes: &[Change],
) {
    let named = found.application.as_ref();
    let named = named.map(|it| format!("{}, application id {}", it.display_name, it.app_id));
    let mut right = vec![(REGISTRATION.to_owned(), named.unwrap_or_default())];
    if !wanted.has_secret {
        right.push((CREDENTIAL.to_owned(), format!("trusts {}", wanted.identity)));
    }
    right.push((PRINCIPAL.to_owned(), "exists".to_owned()));
    for user in wanted
        .users
        .iter()
        .filter(|it| !found.unknown_users.contains(&it.id))
    {
        right.push((permissions_of(&user.name), "granted".to_owned()));
    }
    if wanted.all_chats {
        right.push((role_of(Holder::App, ALL_CHATS), "granted".to_owned()));
    }
    if wanted.has_secret {
        right.push((OWNERS.to_owned(), "the managed identity is one".to_owned()));
        right.push((role_of(Holder::Identity, OWNED_APPS), "granted".to_owned()));
    }
    for (what, how) in right {
        if !changes.iter().any(|change| topic(change) == what) {
            installation.steps.ok(what, how);
        }
    }
}

/// How a change is told: what it does, and to what.
fn told(change: &Change, unique_name: &str) -> (Verb, String) {
    match change {
        Change::MakeApplication(app) => (
            Verb::Make,
            format!(
                "{} ({unique_name}), with {}",
                app.display_name,
                app.web.redirect_uris.join(", ")
            ),
        ),
        Change::SetApplication(_, what) => (Verb::Set, what.join(", ")),
        Change::AddOwner(id) => (Verb::Set, format!("{id} as well")),
        Change::RemoveOwner(id) => (
            Verb::Remove,
            format!("the managed identity {id}, which has no secret to renew"),
        ),
        Change::AddCredential(it) => (Verb::Make, format!("for {} of {}", it.subject, it.issuer)),
        Change::SetCredential(_, it) => (Verb::Set, format!("to {} of {}", it.subject, it.issuer)),
        Change::MakePrincipal => (Verb::Make, "the app in your tenant".to_owned()),
        Change::AddGrant(_, scope) => (Verb::Make, scope.clone()),
        Change::SetGrant(_, _, scope) => (Verb::Set, scope.clone()),
        Change::RemoveGrant(Some(_), _) => (Verb::Remove, "no Support User".to_owned()),
        Change::RemoveGrant(None, _) => (
            Verb::Remove,
            "the Support Users have grants of their own".to_owned(),
        ),
        Change::AssignRole(..) => (Verb::Make, "a permission of its own".to_owned()),
        Change::RemoveRole(..) => (Verb::Remove, "not needed".to_owned()),
    }
}

impl Work {
    /// Makes a change, unless only the plan is wanted, and says so; tells whether it is made.
    async fn step(
        &mut self,
        installation: &mut Installation,
        found: &Found,
        change: Change,
    ) -> anyhow::Result<bool> {
        let what = topic(&change);
        let (verb, how) = told(&change, &self.unique_name);
        if !installation.steps.is_plan() {
            match self.insist(&change, found).await {
                Ok(()) => {}
                Err(error) => {
                    let advice = advice(&change, &error)
                        .ok_or_else(|| anyhow!("{what}: {} ({error})", login(&error)))?;
                    installation.steps.act(what, format!("{advice} ({error})"));
                    return Ok(false);
                }
            }
        }
        installation.steps.changed(verb, what, how);
        Ok(true)
    }

    /// Makes a change, again and again while the directory does not know yet what it hangs on, or is busy.
    async fn insist(&mut self, change: &Change, found: &Found) -> Result<(), ServiceError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.make(change, found).await {
                Ok(()) => return Ok(()),
                // A try before this one whose answer was lost.
                Err(error) if is_already_there(&error) => return Ok(()),
                Err(error) => error,
            };
            let passes = passes(change, &error);
            let pause_now = error.retry_after.unwrap_or(pause);
            if !passes || Instant::now() + pause_now > self.deadline {
                return Err(error);
            }
            sleep(pause_now).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn make(&mut self, change: &Change, found: &Found) -> Result<(), ServiceError> {
        let directory = &self.directory;
        let object = self.application.as_ref().map_or("", |it| it.id.as_str());
        match change {
            Change::MakeApplication(wanted) => {
                directory
                    .upsert_application(&self.unique_name, wanted)
                    .await?;
                self.application = Some(self.made().await?);
                Ok(())
            }
            Change::SetApplication(wanted, _) => directory.update_application(object, wanted).await,
            Change::AddOwner(owner) => match directory.add_owner(object, owner).await {
                // What says so of an owner has no code of its own.
                Err(error) if error.kind == ErrorKind::Rejected => {
                    let owners = directory.owners(object).await?;
                    let owns = owners.iter().any(|it| it.eq_ignore_ascii_case(owner));
                    owns.then_some(()).ok_or(error)
                }
                added => added,
            },
            Change::RemoveOwner(owner) => directory.remove_owner(object, owner).await,
            Change::AddCredential(wanted) => directory.add_credential(object, wanted).await,
            Change::SetCredential(id, wanted) => {
                directory.update_credential(object, id, wanted).await
            }
            Change::MakePrincipal => {
                let app = self
                    .application
                    .as_ref()
                    .map_or("", |it| it.app_id.as_str());
                let made = match directory.create_principal(app).await {
                    Err(error) if is_already_there(&error) => {
                        directory.principal(app).await?.ok_or(error)
                    }
                    made => made,
                };
                self.principal = Some(made?);
                Ok(())
            }
            Change::AddGrant(user, scope) => {
                let grant = Grant {
                    id: String::new(),
                    client_id: self.principal.clone().unwrap_or_default(),
                    consent_type: "Principal".to_owned(),
                    principal_id: Some(user.id.clone()),
                    resource_id: self.graph.clone(),
                    scope: scope.clone(),
                };
                directory.add_grant(&grant).await
            }
            Change::SetGrant(_, id, scope) => directory.set_grant(id, scope).await,
            Change::RemoveGrant(_, id) => directory.remove_grant(id).await,
            Change::AssignRole(holder, name) => {
                let role = found.graph.roles.get(*name).cloned().unwrap_or_default();
                let principal = match holder {
                    Holder::App => self.principal.clone().unwrap_or_default(),
                    Holder::Identity => self.identity.clone(),
                };
                let wanted = RoleAssignment {
                    id: String::new(),
                    principal_id: principal,
                    resource_id: self.graph.clone(),
                    app_role_id: role,
                };
                match directory.assign_role(&wanted).await {
                    // As of an owner: what says so has no code of its own.
                    Err(error) if error.kind == ErrorKind::Rejected => {
                        let held = directory.roles(&wanted.principal_id).await?;
                        let holds = held.iter().any(|it| {
                            it.app_role_id.eq_ignore_ascii_case(&wanted.app_role_id)
                                && it.resource_id.eq_ignore_ascii_case(&wanted.resource_id)
                        });
                        holds.then_some(()).ok_or(error)
                    }
                    assigned => assigned,
                }
            }
            Change::RemoveRole(_, _, assignment) => directory.remove_role(assignment).await,
        }
    }

    /// The registration that was just made, which may take a while to be found.
    async fn made(&self) -> Result<Application, ServiceError> {
        let mut pause = FIRST_PAUSE;
        loop {
            let named = Named::UniqueName(&self.unique_name);
            if let Some(made) = self.directory.application(named).await? {
                return Ok(made);
            }
            if Instant::now() + pause > self.deadline {
                use services::error::{Sent, Service};
                return Err(ServiceError::new(
                    Service::Graph,
                    ErrorKind::NotFound,
                    Sent::Yes,
                ));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
