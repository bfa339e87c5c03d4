//! How the set-up of the registration is told.

use super::super::azure::Installation;
use super::super::registration::{
    ALL_CHATS, Change, Foreign, Found, Holder, Kind, OWNED_APPS, Wanted,
};
use super::super::steps::Verb;
use super::advice::REGISTRATION;

pub const THE_FILE: &str = "the file";
pub const CREDENTIAL: &str = "federated credential of the managed identity";
pub const PRINCIPAL: &str = "service principal";
pub const OWNERS: &str = "owners of the registration";
pub const SECRETS: &str = "client secrets of the registration";

pub fn permissions_of(user: &str) -> String {
    format!("delegated permissions of {user}")
}

/// What a change is about, as the lines name it.
pub fn topic(change: &Change) -> String {
    match change {
        Change::MakeApplication(_) | Change::SetApplication(..) => REGISTRATION.to_owned(),
        Change::AddOwner(_) | Change::RemoveOwner(_) => OWNERS.to_owned(),
        Change::AddCredential(_) | Change::SetCredential(..) => CREDENTIAL.to_owned(),
        Change::RemoveSecret(_) => SECRETS.to_owned(),
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
pub fn say_what_is_right(
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
pub fn told(change: &Change, unique_name: &str) -> (Verb, String) {
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
        Change::RemoveSecret(key) => (
            Verb::Remove,
            format!("{key}, in the place of which there is the managed identity"),
        ),
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

/// Tells what is there that this command did not put there, and who decides; whether the set-up may go on. A registration that
/// the file does not name gets nothing before somebody has decided.
pub fn say_foreign(
    installation: &mut Installation,
    app_id: &str,
    is_named: bool,
    has_secret: bool,
    foreign: &[Foreign],
) -> bool {
    if foreign.is_empty() {
        return true;
    }
    let steps = &mut installation.steps;
    if is_named {
        for foreign in foreign {
            let told = format!(
                "{}: {}",
                foreign.told(),
                advice_on(foreign.kind, has_secret)
            );
            match foreign.kind {
                Kind::WebAddresses => steps.note(REGISTRATION, told),
                Kind::Secrets if has_secret => steps.note(REGISTRATION, told),
                _ => steps.act(REGISTRATION, told),
            }
        }
        return true;
    }
    let all: Vec<String> = foreign.iter().map(Foreign::told).collect();
    steps.act(
        REGISTRATION,
        format!(
            "application id {app_id} is there under this installation's name, which the file does not name, and has what this command did not put there: {}. Nothing was permitted to it. Whoever holds one of these could act as the app once it is permitted anything. If nobody of yours made it, delete it (handler setup graph --remove); if it is meant, put graph_client_id = \"{app_id}\" into the file; then run the command again",
            all.join("; ")
        ),
    );
    false
}

/// What to do about what is there besides in a registration that the file names.
const fn advice_on(kind: Kind, has_secret: bool) -> &'static str {
    match kind {
        Kind::WebAddresses => {
            "kept, for they may be those of a domain of your own; take away at Entra ID > App registrations > Authentication what nobody of yours put there"
        }
        Kind::Secrets if has_secret => {
            "kept, for a person may have made the first one; take away at Entra ID > App registrations > Certificates & secrets what nobody of yours made"
        }
        Kind::OpenAddresses => {
            "this app signs nobody in without a credential: take them away at Entra ID > App registrations > Authentication"
        }
        Kind::Secrets | Kind::Certificates | Kind::Credentials => {
            "the app needs none of these, and whoever holds one can act as it: take them away at Entra ID > App registrations > Certificates & secrets"
        }
        Kind::PrincipalKeys => {
            "the app needs none of these, and whoever holds one can act as it: take them away (az ad sp credential delete)"
        }
        Kind::Owners => {
            "whoever owns it can give it a credential and act as the app: put them into graph_owner_ids of the file, or take them away at Entra ID > App registrations > Owners"
        }
        Kind::PrincipalOwners => {
            "whoever owns it can give it a credential and act as the app: put them into graph_owner_ids of the file, or take them away at Entra ID > Enterprise applications > Owners"
        }
    }
}
