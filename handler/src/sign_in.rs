//! `handler sign-in`: the one-time link with which a Support User signs in; `handler sign-out`: its token forgotten.

use anyhow::{Context, bail};
use bridge::ids::SupportAccountName;
use functions::offer_sign_in;
use functions::settings::{HOST_NAME, SupportAccount, read_support_accounts};
use reqwest::Url;
use secrecy::ExposeSecret;
use services::blob::Blobs;
use services::http;
use services::key_vault::KeyVault;
use services::secrets::names;

use crate::login::{BLOBS, Setting, VAULT, explained, given, identity, required};

const ACCOUNTS: Setting = ("SUPPORT_ACCOUNTS", "`name=object id` of each Support User");

/// Makes the link for this account of the app at this address, which inside of Azure the platform tells.
///
/// # Errors
/// One line of what to do.
pub async fn link(
    account: &SupportAccountName,
    app: Option<&Url>,
    lookup: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<String> {
    let account = configured(account, &lookup)?;
    if account.is_agent_user() {
        let name = account.name.as_str();
        bail!(
            "{name} is an agent user: its agent identity gets its tokens, and nobody needs to sign in"
        );
    }
    let address = match (app, given(&lookup, HOST_NAME)) {
        (Some(app), _) => app.origin().ascii_serialization(),
        (None, Some(host)) => functions::settings::address_of(&host)
            .with_context(|| format!("{HOST_NAME} is no host name"))?,
        (None, None) => bail!("no app is named: give --app with its address"),
    };
    let blobs = required(&lookup, BLOBS)?;
    let client = http::client()?;
    let identity = identity(&client, &lookup)?;
    let blobs = Blobs::new(client, &blobs, identity)?;
    let link = offer_sign_in(&blobs, &account, &address).await;
    let link = link.map_err(|error| explained(&error))?;
    let name = account.name.as_str();
    Ok(format!(
        "Open this link within 15 minutes in a private window and sign in as the Support User of {name}. It works once: do not send\n\
         it through a chat or mail, whose previews would open it.\n\n{}",
        link.expose_secret()
    ))
}

/// Puts the mark of a signed-out account into the place of its refresh token.
///
/// # Errors
/// One line of what to do.
pub async fn out(
    account: &SupportAccountName,
    lookup: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<String> {
    let account = configured(account, &lookup)?;
    if account.is_agent_user() {
        let name = account.name.as_str();
        bail!(
            "{name} is an agent user: there is no token to forget; to stop it, disable its agent identity or the user in Entra ID"
        );
    }
    let vault = required(&lookup, VAULT)?;
    let client = http::client()?;
    let vault = KeyVault::new(client.clone(), &vault, identity(&client, &lookup)?);
    let (name, user) = (account.name.as_str(), account.user.as_str());
    let secret = names::refresh_token(name);
    let cleared = vault.clear(&secret).await;
    cleared.map_err(|error| explained(&error))?;
    Ok(format!(
        "signed out: {name}. The secret {secret} says so now; a handler that runs may use the token it has for up to an hour.\n\
         Older versions of the secret are still in the vault. To make them and that token worthless, end the user's sessions:\n\
         az rest --method POST --url https://graph.microsoft.com/v1.0/users/{user}/revokeSignInSessions"
    ))
}

/// The account among those of the setting.
fn configured(
    account: &SupportAccountName,
    lookup: &impl Fn(&str) -> Option<String>,
) -> anyhow::Result<SupportAccount> {
    let accounts = required(lookup, ACCOUNTS)?;
    let accounts = read_support_accounts(&accounts)?;
    let found = accounts.into_iter().find(|it| it.name == *account);
    found.with_context(|| format!("{} holds no account {}", ACCOUNTS.0, account.as_str()))
}
