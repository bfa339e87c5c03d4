//! The first client secret of a Graph app that has one: made, and put straight into the vault. From then on the function
//! `secret-rotation` renews it.

use std::time::Duration;

use anyhow::anyhow;
use bridge::rotation::{DISPLAY_NAME, LIFE};
use services::error::{ErrorKind, Sent, ServiceError};
use services::graph::own_app::OwnApp;
use services::key_vault::KeyVault;
use services::secrets::names;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::super::azure::{Installation, login};
use super::super::steps::Verb;
use super::advice::{APPLICATION_ADMINISTRATOR, FIRST_PAUSE, LONGEST_PAUSE, next_pause, unread};

/// Until a secret that was added is listed, at most; then it is none of the registration's.
const LISTED_AFTER: Duration = Duration::from_secs(20);

/// Makes the secret, unless the vault has one of this registration, which may be new.
///
/// # Errors
/// The vault or Graph could not be reached.
pub async fn run(
    installation: &mut Installation,
    app: Option<&str>,
    is_new: bool,
    wait: Duration,
) -> anyhow::Result<()> {
    let what = format!("Key Vault, secret {}", names::GRAPH_CLIENT);
    let vault = installation.key_vault()?;
    let identity = installation.identity.clone();
    let may_not = "somebody with the role Key Vault Secrets Officer on the vault runs this command with this file";
    // First the vault: a secret that cannot be kept is better not made.
    let graph = &installation.graph_endpoint;
    let own = app.map(|app| OwnApp::new(installation.client.clone(), graph, app, identity.clone()));
    match vault.keyed(names::GRAPH_CLIENT).await {
        Ok(Some(held)) => {
            let counts = match (&held.key, &own) {
                // A person stored it.
                (None, _) => true,
                // That of a registration which is no more is nobody's.
                (Some(_), _) if is_new => false,
                (Some(_), None) => false,
                (Some(key), Some(own)) => {
                    let knows = knows(own, key, wait.min(LISTED_AFTER)).await;
                    knows
                        .map_err(|error| unread("the client secrets of the registration", &error))?
                }
            };
            if counts {
                installation.steps.ok(what, "present");
                return Ok(());
            }
        }
        Ok(None) => {}
        Err(error) if error.kind == ErrorKind::Forbidden => {
            installation
                .steps
                .act(what, format!("you may not read it: {may_not} ({error})"));
            return Ok(());
        }
        Err(error) => return Err(anyhow!("{what}: {} ({error})", login(&error))),
    }
    if installation.steps.is_plan() {
        let how = "a client secret of the registration, which nobody sees";
        installation.steps.changed(Verb::Make, what, how);
        return Ok(());
    }
    let Some(own) = own else {
        return Ok(());
    };
    let ends = OffsetDateTime::now_utc() + LIFE;
    let made = match own.add_password(DISPLAY_NAME, ends).await {
        Ok(made) => made,
        Err(error) => {
            let code = error.code.as_deref().unwrap_or_default();
            let advice = match error.kind {
                _ if code.contains("Policy") => {
                    "a policy of your tenant forbids client secrets: put graph_client_authentication = \"federated\" into the file and deploy again, or whoever manages app management policies in Entra ID exempts this registration".to_owned()
                }
                ErrorKind::Forbidden => {
                    format!("you may not make one: {APPLICATION_ADMINISTRATOR} runs this command with this file")
                }
                ErrorKind::NotFound => {
                    "Entra ID does not know the registration everywhere yet: run the command again in some minutes".to_owned()
                }
                _ => return Err(anyhow!("{what}: {} ({error})", login(&error))),
            };
            installation.steps.act(what, format!("{advice} ({error})"));
            return Ok(());
        }
    };
    let stored = vault
        .store(names::GRAPH_CLIENT, &made.secret_text, &made.key_id)
        .await;
    if let Err(error) = stored {
        if error.sent != Sent::No && is_kept(&vault, &made.key_id).await {
            // Only the answer was lost.
            installation.steps.changed(Verb::Make, what, told());
            return Ok(());
        }
        // Nobody has it, so nobody shall be able to use it; and where the vault may take it yet, nobody shall believe it.
        let removed = own.remove_password(&made.key_id).await;
        if error.sent != Sent::No {
            let _ = vault.clear(names::GRAPH_CLIENT).await;
        }
        let removed = match removed {
            Ok(()) => "is removed again".to_owned(),
            Err(other) => format!(
                "must be removed by hand (Entra ID > App registrations > Certificates & secrets, id {}; {other})",
                made.key_id
            ),
        };
        let advice = match error.kind {
            ErrorKind::Forbidden => may_not.to_owned(),
            _ => login(&error),
        };
        installation.steps.act(
            what,
            format!("it could not be kept, and {removed}: {advice} ({error})"),
        );
        return Ok(());
    }
    installation.steps.changed(Verb::Make, what, told());
    Ok(())
}

fn told() -> String {
    let days = LIFE.as_secs() / (24 * 3600);
    format!("for {days} days; secret-rotation renews it")
}

/// Whether the vault has the secret of this key id. Whoever cannot see it has to take it for absent.
async fn is_kept(vault: &KeyVault, key: &str) -> bool {
    let held = vault.keyed(names::GRAPH_CLIENT).await.ok().flatten();
    held.is_some_and(|it| it.key.as_deref() == Some(key))
}

/// Whether the registration has a secret of this key id. One that was added a moment ago may not be listed yet, nor the registration
/// be known.
async fn knows(own: &OwnApp, key: &str, wait: Duration) -> Result<bool, ServiceError> {
    let deadline = Instant::now() + wait;
    let mut pause = FIRST_PAUSE;
    loop {
        let listed = match own.passwords().await {
            Ok(all) => Ok(all.iter().any(|it| it.key_id.eq_ignore_ascii_case(key))),
            Err(error) if error.kind == ErrorKind::NotFound => Err(error),
            Err(error) => return Err(error),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        match (listed, next_pause(pause, None, left)) {
            (Ok(true), _) => return Ok(true),
            (listed, None) => return listed,
            (_, Some(pause)) => sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
