//! What the Graph app's registration is to be, and what has to change for that. Decided from what was read; nothing is called.
//!
//! Each permission, and what it is for:
//!
//! | permission | for |
//! | --- | --- |
//! | delegated `Chat.ReadWrite`, `ChatMessage.Send` | reading and posting as the Support User |
//! | delegated `Files.Read.All` | files that customers share with the Support User |
//! | delegated `CrossTenantInformation.ReadBasic.All` | which company a customer's tenant is, and whether an address belongs to it |
//! | delegated `User.ReadBasic.All` | the address of a guest of our own directory |
//! | delegated `offline_access` | a refresh token, so that the Support User signs in once |
//! | `Chat.Read.All` of the app itself | subscribing to all chats of the Support User, where that is not the Support User's own right |
//! | `Application.ReadWrite.OwnedBy` of the managed identity | renewing the client secret of the app, which it owns; only where there is one |
//!
//! The delegated permissions are granted for each Support User who signs in, and for nobody else. Agent users have theirs by their
//! agent identity.

use std::collections::BTreeSet;

use services::graph::registration::{
    Access, Api, Application, FederatedCredential, Grant, Key, MICROSOFT_GRAPH, RequiredAccess,
    RoleAssignment, Web, role, scope,
};

mod foreign;
pub use foreign::{Foreign, Kind, foreign, is_ours, own_secrets};

/// What the app asks for on behalf of a Support User.
pub const DELEGATED: [&str; 6] = [
    "Chat.ReadWrite",
    "ChatMessage.Send",
    "Files.Read.All",
    "offline_access",
    "CrossTenantInformation.ReadBasic.All",
    "User.ReadBasic.All",
];

/// A sign-in asks for these besides, to learn who signed in.
const SIGN_IN: [&str; 2] = ["openid", "profile"];

/// Held by the app itself: a subscription to all chats of a user needs it.
pub const ALL_CHATS: &str = "Chat.Read.All";

/// Held by the managed identity, and of use only for apps that it owns.
pub const OWNED_APPS: &str = "Application.ReadWrite.OwnedBy";

/// Name of our federated credential.
const CREDENTIAL: &str = "managed-identity";

/// For people of this tenant alone.
const AUDIENCE: &str = "AzureADMyOrg";

/// A Support User who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportUser {
    /// Its name in the file.
    pub name: String,
    /// Its object id.
    pub id: String,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Name that people see, when the registration is made.
    pub display_name: String,
    /// Where a sign-in leads.
    pub redirect: String,
    /// Who signs in.
    pub users: Vec<SupportUser>,
    /// Whether the app itself may read all chats.
    pub all_chats: bool,
    /// Object id of the managed identity's service principal.
    pub identity: String,
    /// Who issues the managed identity's tokens.
    pub issuer: String,
    /// For whom they are.
    pub exchange_audience: String,
    /// Whether the app has a client secret, which the managed identity renews.
    pub has_secret: bool,
    /// People who own the registration besides its maker.
    pub owners: Vec<String>,
}

/// What was found; parts of what does not exist are empty.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Microsoft Graph.
    pub graph: Api,
    /// The registration.
    pub application: Option<Application>,
    /// Its federated credentials.
    pub credentials: Vec<FederatedCredential>,
    /// Its owners.
    pub owners: Vec<String>,
    /// Object id of its service principal.
    pub principal: Option<String>,
    /// The client secrets and certificates that this holds itself.
    pub principal_keys: Vec<Key>,
    /// Its owners.
    pub principal_owners: Vec<String>,
    /// What that was granted for people.
    pub grants: Vec<Grant>,
    /// What that holds itself.
    pub roles: Vec<RoleAssignment>,
    /// What the managed identity holds.
    pub identity_roles: Vec<RoleAssignment>,
    /// Object ids of Support Users whom the directory does not have.
    pub unknown_users: BTreeSet<String>,
    /// Whether the app that runs proves itself by a client secret.
    pub uses_secret: bool,
}

/// Whose permission it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// The app's service principal.
    App,
    /// The managed identity.
    Identity,
}

/// One thing to do. Ids of what does not exist yet are known only after it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The registration does not exist.
    MakeApplication(Application),
    /// It is otherwise; what of it.
    SetApplication(Application, Vec<&'static str>),
    /// Somebody does not own it.
    AddOwner(String),
    /// The managed identity owns it, and has no need to.
    RemoveOwner(String),
    /// The managed identity is no credential of it.
    AddCredential(FederatedCredential),
    /// The credential has another subject, issuer or audience; its id.
    SetCredential(String, FederatedCredential),
    /// A client secret of ours is of no use any more; its key id.
    RemoveSecret(String),
    /// The app has no service principal.
    MakePrincipal,
    /// A Support User has no grant.
    AddGrant(SupportUser, String),
    /// A Support User's grant holds other permissions; its id.
    SetGrant(SupportUser, String, String),
    /// Somebody has a grant who is no Support User, or everybody has one; its id.
    RemoveGrant(Option<String>, String),
    /// A permission of an app's own is missing.
    AssignRole(Holder, &'static str),
    /// One is there that is not wanted.
    RemoveRole(Holder, &'static str, RoleAssignment),
}

/// A permission that this Microsoft Graph does not have.
#[derive(Debug, PartialEq, Eq)]
pub struct NoPermission(pub &'static str);

impl std::error::Error for NoPermission {}

impl std::fmt::Display for NoPermission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Microsoft Graph has no permission {} in this cloud",
            self.0
        )
    }
}

/// What to do, in the order in which it can be done.
///
/// # Errors
/// Microsoft Graph lacks a permission.
pub fn changes(wanted: &Wanted, found: &Found) -> Result<Vec<Change>, NoPermission> {
    let mut changes = Vec::new();
    application(wanted, found, &mut changes)?;
    owners(wanted, found, &mut changes);
    if !wanted.has_secret {
        credential(wanted, found, &mut changes);
        // While the app runs with it, it is cut off without it.
        let useless = found.application.iter().filter(|_| !found.uses_secret);
        let useless = useless.flat_map(own_secrets);
        changes.extend(useless.map(|it| Change::RemoveSecret(it.to_owned())));
    }
    if found.principal.is_none() {
        changes.push(Change::MakePrincipal);
    }
    grants(wanted, found, &mut changes);
    let api = &found.graph;
    for (holder, name, roles, is_wanted) in [
        (Holder::App, ALL_CHATS, &found.roles, wanted.all_chats),
        (
            Holder::Identity,
            OWNED_APPS,
            &found.identity_roles,
            wanted.has_secret,
        ),
    ] {
        let id = api.roles.get(name).ok_or(NoPermission(name))?;
        let mut held = roles.iter();
        let held = held.find(|it| it.resource_id == api.id && it.app_role_id == *id);
        match (held, is_wanted) {
            (None, true) => changes.push(Change::AssignRole(holder, name)),
            (Some(held), false) => {
                changes.push(Change::RemoveRole(holder, name, held.clone()));
            }
            _ => {}
        }
    }
    Ok(changes)
}

/// The scope of a grant: what the app asks for, and what a sign-in asks for besides.
pub fn granted_scope() -> String {
    let all = SIGN_IN.iter().chain(&DELEGATED);
    all.copied().collect::<Vec<_>>().join(" ")
}

fn application(
    wanted: &Wanted,
    found: &Found,
    changes: &mut Vec<Change>,
) -> Result<(), NoPermission> {
    let access = asked(wanted, &found.graph)?;
    let Some(before) = &found.application else {
        changes.push(Change::MakeApplication(Application {
            display_name: wanted.display_name.clone(),
            sign_in_audience: AUDIENCE.to_owned(),
            is_fallback_public_client: Some(false),
            web: Web {
                redirect_uris: vec![wanted.redirect.clone()],
                ..Web::default()
            },
            required_resource_access: vec![RequiredAccess {
                resource_app_id: MICROSOFT_GRAPH.to_owned(),
                resource_access: access,
            }],
            ..Application::default()
        }));
        return Ok(());
    };
    let mut after = before.clone();
    let mut differing = Vec::new();
    AUDIENCE.clone_into(&mut after.sign_in_audience);
    if after.sign_in_audience != before.sign_in_audience {
        differing.push("who may sign in");
    }
    // Nothing there is no public client either.
    if before.is_fallback_public_client == Some(true) {
        after.is_fallback_public_client = Some(false);
        differing.push("public client");
    }
    // Further addresses may be those of a domain of one's own.
    let addresses = &mut after.web.redirect_uris;
    if !addresses.contains(&wanted.redirect) {
        addresses.push(wanted.redirect.clone());
        differing.push("redirect address");
    }
    after.web.implicit_grant_settings = Default::default();
    if after.web.implicit_grant_settings != before.web.implicit_grant_settings {
        differing.push("implicit grants");
    }
    let all = &mut after.required_resource_access;
    let ours = all
        .iter()
        .position(|it| it.resource_app_id == MICROSOFT_GRAPH);
    let has = ours.map(|ours| sorted(&all[ours].resource_access));
    if has.as_ref() != Some(&sorted(&access)) {
        let required = RequiredAccess {
            resource_app_id: MICROSOFT_GRAPH.to_owned(),
            resource_access: access,
        };
        match ours {
            Some(ours) => all[ours] = required,
            None => all.push(required),
        }
        differing.push("permissions asked for");
    }
    if !differing.is_empty() {
        changes.push(Change::SetApplication(after, differing));
    }
    Ok(())
}

/// The permissions that the app asks for, by their ids.
fn asked(wanted: &Wanted, graph: &Api) -> Result<Vec<Access>, NoPermission> {
    let mut access = Vec::new();
    for name in DELEGATED {
        let id = graph.scopes.get(name).ok_or(NoPermission(name))?;
        access.push(scope(id));
    }
    if wanted.all_chats {
        let id = graph.roles.get(ALL_CHATS).ok_or(NoPermission(ALL_CHATS))?;
        access.push(role(id));
    }
    Ok(access)
}

fn sorted(access: &[Access]) -> BTreeSet<Access> {
    access.iter().cloned().collect()
}

fn owners(wanted: &Wanted, found: &Found, changes: &mut Vec<Change>) {
    let owns = |id: &str| found.owners.iter().any(|it| it.eq_ignore_ascii_case(id));
    let identity = wanted.has_secret.then_some(&wanted.identity);
    for owner in wanted.owners.iter().chain(identity) {
        if !owns(owner) {
            changes.push(Change::AddOwner(owner.clone()));
        }
    }
    if identity.is_none() && owns(&wanted.identity) {
        changes.push(Change::RemoveOwner(wanted.identity.clone()));
    }
}

fn credential(wanted: &Wanted, found: &Found, changes: &mut Vec<Change>) {
    let credential = FederatedCredential {
        id: String::new(),
        name: CREDENTIAL.to_owned(),
        issuer: wanted.issuer.clone(),
        subject: wanted.identity.clone(),
        audiences: vec![wanted.exchange_audience.clone()],
    };
    // Entra ID takes a pair of issuer and subject once, under whichever name.
    let has_pair = |it: &&FederatedCredential| {
        it.issuer == credential.issuer && it.subject == credential.subject
    };
    let mut all = found.credentials.iter();
    let by_pair = all.clone().find(has_pair);
    match by_pair.or_else(|| all.find(|it| it.name == CREDENTIAL)) {
        None => changes.push(Change::AddCredential(credential)),
        Some(before) => {
            let is_same = has_pair(&before) && before.audiences == credential.audiences;
            if !is_same {
                changes.push(Change::SetCredential(before.id.clone(), credential));
            }
        }
    }
}

fn grants(wanted: &Wanted, found: &Found, changes: &mut Vec<Change>) {
    let scope = granted_scope();
    let words =
        |scope: &str| -> BTreeSet<String> { scope.split_whitespace().map(str::to_owned).collect() };
    let mut of_graph = Vec::new();
    for grant in found
        .grants
        .iter()
        .filter(|it| it.resource_id == found.graph.id)
    {
        let mut users = wanted.users.iter();
        let user = grant
            .principal_id
            .as_deref()
            .and_then(|id| users.find(|user| user.id.eq_ignore_ascii_case(id)));
        match user {
            // One for everybody would be one for whoever is no Support User too.
            Some(user) if grant.consent_type == "Principal" => {
                of_graph.push(user);
                if words(&grant.scope) != words(&scope) {
                    let id = grant.id.clone();
                    changes.push(Change::SetGrant(user.clone(), id, scope.clone()));
                }
            }
            _ => changes.push(Change::RemoveGrant(
                grant.principal_id.clone(),
                grant.id.clone(),
            )),
        }
    }
    for user in &wanted.users {
        let is_unknown = found.unknown_users.contains(&user.id);
        if !is_unknown && !of_graph.contains(&user) {
            changes.push(Change::AddGrant(user.clone(), scope.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
