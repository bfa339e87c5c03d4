//! The changes, one by one, each again while the directory is not ready for it.

use std::time::Duration;

use anyhow::anyhow;
use services::error::{ErrorKind, Sent, Service, ServiceError};
use services::graph::registration::{
    Application, Deleted, Grant, Named, Registrations, RoleAssignment, is_already_there,
};
use tokio::time::{Instant, sleep};

use super::super::azure::{Installation, login};
use super::super::registration::{Change, Found, Holder};
use super::advice::{FIRST_PAUSE, LONGEST_PAUSE, advice, is_done, kept_name, next_pause, passes};
use super::lines::{told, topic};

/// What the changes are made with.
pub struct Work {
    pub directory: Registrations,
    pub unique_name: String,
    pub deadline: Instant,
    pub application: Option<Application>,
    pub principal: Option<String>,
    /// Object id of Microsoft Graph's service principal.
    pub graph: String,
    /// Object id of the managed identity's.
    pub identity: String,
    /// Whether a registration that was to be made was there, by an earlier try or by somebody else.
    pub was_there: bool,
    /// A deleted registration that keeps the unique name.
    pub deleted: Option<Deleted>,
}

impl Work {
    /// Makes a change, unless only the plan is wanted, and says so; tells whether it is made.
    ///
    /// # Errors
    /// A refusal of which nobody in particular need be told.
    pub async fn step(
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
                    let kept = self.deleted.as_ref().map(kept_name);
                    let advice = kept
                        .or_else(|| advice(&change, &error))
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
                Err(error) if is_done(change, &error) => return Ok(()),
                Err(error) => error,
            };
            let pause_now = next_pause(pause, error.retry_after, self.left());
            let passes = passes(change, &error) && self.deleted.is_none();
            let Some(pause_now) = pause_now.filter(|_| passes) else {
                return Err(error);
            };
            sleep(pause_now).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn make(&mut self, change: &Change, found: &Found) -> Result<(), ServiceError> {
        let directory = &self.directory;
        let object = self.application.as_ref().map_or("", |it| it.id.as_str());
        match change {
            Change::MakeApplication(wanted) => {
                let made = directory
                    .upsert_application(&self.unique_name, wanted)
                    .await;
                match made {
                    Ok(is_new) => self.was_there = !is_new,
                    Err(error) => {
                        if is_already_there(&error) {
                            self.deleted = self.deleted_one(&wanted.display_name).await;
                        }
                        return Err(error);
                    }
                }
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
            Change::RemoveSecret(key) => directory.remove_password(object, key).await,
            Change::MakePrincipal => {
                let app = self
                    .application
                    .as_ref()
                    .map_or("", |it| it.app_id.as_str());
                let made = match directory.create_principal(app).await {
                    Err(error) if is_already_there(&error) => {
                        let there = directory.principal(app).await?;
                        // It is there, and not known here yet.
                        there.map(|it| it.id).ok_or_else(not_found)
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
            let pause_now = next_pause(pause, None, self.left()).ok_or_else(not_found)?;
            sleep(pause_now).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The deleted registration that keeps the unique name, or else one of the name that people see. Whoever may not look finds none.
    async fn deleted_one(&self, display_name: &str) -> Option<Deleted> {
        let all = self.directory.deleted_applications().await.ok()?;
        let unique_name = Some(self.unique_name.as_str());
        let mut by_key = all.iter();
        let by_key = by_key.find(|it| it.unique_name.as_deref() == unique_name);
        let by_name = || {
            let mut all = all.iter();
            all.find(|it| it.display_name.as_deref() == Some(display_name))
        };
        by_key.or_else(by_name).cloned()
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// What was made, or is said to be there, and is not known here.
fn not_found() -> ServiceError {
    ServiceError::new(Service::Graph, ErrorKind::NotFound, Sent::Yes)
}
