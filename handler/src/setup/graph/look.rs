//! What is wanted by the file, and what is there.

use anyhow::bail;
use bridge::ids::Digest;
use functions::settings::{SupportAccount, read_support_accounts};
use services::entra;
use services::graph::registration::{Application, Named, Registrations};

use super::super::azure::Installation;
use super::super::registration::{Found, SupportUser, Wanted, own_secrets};
use super::advice::{lost, unread};
use crate::installation::keys;

/// Path of the function with which a Support User signs in.
const SIGN_IN: &str = "/api/sign-in";

/// What the file wants.
///
/// # Errors
/// The file lacks something.
pub fn wanted(installation: &Installation) -> anyhow::Result<Wanted> {
    let file = &installation.file;
    let accounts = file.list(keys::SUPPORT_ACCOUNTS);
    if accounts.is_empty() {
        bail!(
            "{} has no support_accounts: put \"name=object id\" of each Support User there, in brackets",
            file.path().display()
        );
    }
    let accounts = read_support_accounts(&accounts.join(","))?;
    let users = accounts.into_iter().filter(|it| !it.is_agent_user());
    let user = |it: SupportAccount| SupportUser {
        name: it.name.as_str().to_owned(),
        id: it.user.as_str().to_owned(),
    };
    let entra_endpoint = &installation.entra_endpoint;
    let host = file.required(keys::FUNCTION_APP_HOST_NAME)?;
    let owners = file.list(keys::GRAPH_OWNER_IDS).into_iter();
    Ok(Wanted {
        display_name: format!("Graph-to-Open ({})", installation.group()?.name),
        redirect: format!("https://{host}{SIGN_IN}"),
        users: users.map(user).collect(),
        all_chats: file.text(keys::SUBSCRIPTION_ACCESS) != Some("delegated"),
        identity: file
            .required(keys::MANAGED_IDENTITY_PRINCIPAL_ID)?
            .to_owned(),
        issuer: issuer(installation)?,
        exchange_audience: entra::exchange_audience_of(entra_endpoint).to_owned(),
        has_secret: file.text(keys::GRAPH_CLIENT_AUTHENTICATION) == Some("secret"),
        owners: owners.map(str::to_owned).collect(),
    })
}

/// Who issues the managed identity's tokens.
///
/// # Errors
/// The file does not name the tenant.
pub fn issuer(installation: &Installation) -> anyhow::Result<String> {
    let tenant = installation.file.required(keys::TENANT_ID)?;
    Ok(format!(
        "{}/{}/v2.0",
        entra::issuer_of(&installation.entra_endpoint),
        tenant.to_ascii_lowercase()
    ))
}

/// The key under which a registration of this installation is made, the same on every machine.
///
/// # Errors
/// The file does not name the resource group.
pub fn unique_name(installation: &Installation) -> anyhow::Result<String> {
    let group = installation.group()?;
    let place = format!("{}/{}", group.subscription, group.name).to_lowercase();
    Ok(format!(
        "graph-to-open-{}",
        Digest::of("installation", &place)
    ))
}

/// What is there of it.
///
/// # Errors
/// The file names a registration that is not there, or something cannot be read.
pub async fn found(
    installation: &mut Installation,
    directory: &Registrations,
    unique_name: &str,
    wanted: &Wanted,
) -> anyhow::Result<Found> {
    let graph = directory.microsoft_graph().await;
    let mut found = Found {
        graph: graph.map_err(|error| unread("Microsoft Graph in your tenant", &error))?,
        application: application(installation, directory, unique_name).await?,
        ..Found::default()
    };
    found = of_application(directory, found).await?;
    let has_own = |app| own_secrets(app).next().is_some();
    if !wanted.has_secret && found.application.as_ref().is_some_and(has_own) {
        let mode = "GRAPH_CLIENT_AUTHENTICATION";
        let mode = installation.setting_of_the_app(mode).await?;
        found.uses_secret = mode.as_deref() == Some("secret");
    }
    if let Some(principal) = &found.principal {
        let explained = |error| unread("what the app was granted", &error);
        found.grants = directory.grants(principal).await.map_err(explained)?;
        found.roles = directory.roles(principal).await.map_err(explained)?;
    }
    let roles = directory.roles(&wanted.identity).await;
    found.identity_roles = match roles {
        // The directory may not know the identity everywhere yet.
        Err(error) if error.kind == services::error::ErrorKind::NotFound => Vec::new(),
        roles => roles.map_err(|error| unread("what the managed identity holds", &error))?,
    };
    for user in &wanted.users {
        let known = directory.has_user(&user.id).await;
        let known = known.map_err(|error| unread("the Support Users in your tenant", &error))?;
        if !known {
            found.unknown_users.insert(user.id.clone());
        }
    }
    Ok(found)
}

/// The same with all that decides whether the registration in it is ours alone.
///
/// # Errors
/// It cannot be read.
pub async fn of_application(directory: &Registrations, mut found: Found) -> anyhow::Result<Found> {
    let Some(app) = &found.application else {
        return Ok(found);
    };
    let explained = |error| unread("the app registration", &error);
    found.credentials = directory.credentials(&app.id).await.map_err(explained)?;
    found.owners = directory.owners(&app.id).await.map_err(explained)?;
    let principal = directory.principal(&app.app_id).await.map_err(explained)?;
    if let Some(principal) = principal {
        let owners = directory.principal_owners(&principal.id).await;
        found.principal_owners = owners.map_err(explained)?;
        found.principal_keys = principal.password_credentials;
        found.principal_keys.extend(principal.key_credentials);
        found.principal = Some(principal.id);
    }
    Ok(found)
}

/// The registration: the one that the file names, else the one under our own key, else the one that the app runs with.
///
/// # Errors
/// The file names one that is not there, or it cannot be read.
pub async fn application(
    installation: &Installation,
    directory: &Registrations,
    unique_name: &str,
) -> anyhow::Result<Option<Application>> {
    let read = async |named| {
        let found = directory.application(named).await;
        found.map_err(|error| unread("the app registration", &error))
    };
    let in_file = installation.file.text(keys::GRAPH_CLIENT_ID);
    if let Some(id) = in_file {
        let found = read(Named::AppId(id)).await?;
        if found.is_none() {
            // Whoever may not look is told of both.
            let deleted = directory.deleted_application(id).await.unwrap_or_default();
            lost(installation.file.path(), id, deleted.is_some())?;
        }
        return Ok(found);
    }
    if let Some(found) = read(Named::UniqueName(unique_name)).await? {
        return Ok(Some(found));
    }
    // One that was made before there was a file.
    let Some(id) = installation.setting_of_the_app("GRAPH_CLIENT_ID").await? else {
        return Ok(None);
    };
    read(Named::AppId(&id)).await
}
