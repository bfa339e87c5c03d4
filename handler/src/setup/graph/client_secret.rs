//! The first client secret of a Graph app that has one: made, and put straight into the vault. From then on the function
//! `secret-rotation` renews it.

use anyhow::anyhow;
use bridge::rotation::{DISPLAY_NAME, LIFE};
use services::error::ErrorKind;
use services::graph::own_app::OwnApp;
use services::key_vault::KeyVault;
use services::secrets::names;
use time::OffsetDateTime;

use super::super::azure::{Installation, login};
use super::super::steps::Verb;
use super::advice::APPLICATION_ADMINISTRATOR;
use crate::installation::keys;

/// Makes the secret, unless the vault has one of this registration, which may be new.
///
/// # Errors
/// The vault or Graph could not be reached.
pub async fn run(
    installation: &mut Installation,
    app: Option<&str>,
    is_new: bool,
) -> anyhow::Result<()> {
    let what = format!("Key Vault, secret {}", names::GRAPH_CLIENT);
    let url = installation.file.required(keys::KEY_VAULT_URL)?;
    let identity = installation.identity.clone();
    let vault = KeyVault::new(installation.client.clone(), url, identity.clone());
    let may_not = "somebody with the role Key Vault Secrets Officer on the vault runs this command with this file";
    // First the vault: a secret that cannot be kept is better not made.
    let graph = &installation.graph_endpoint;
    let own = app.map(|app| OwnApp::new(installation.client.clone(), graph, app, identity.clone()));
    match vault.keyed(names::GRAPH_CLIENT).await {
        // That of a registration which is no more is nobody's.
        Ok(Some(held)) if !is_foreign(own.as_ref(), held.key.as_deref(), is_new).await => {
            installation.steps.ok(what, "present");
            return Ok(());
        }
        Ok(_) => {}
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
        // Nobody has it, so nobody shall be able to use it.
        let _ = own.remove_password(&made.key_id).await;
        let advice = match error.kind {
            ErrorKind::Forbidden => may_not.to_owned(),
            _ => login(&error),
        };
        installation.steps.act(
            what,
            format!("it could not be kept, and is removed again: {advice} ({error})"),
        );
        return Ok(());
    }
    let days = LIFE.as_secs() / (24 * 3600);
    installation.steps.changed(
        Verb::Make,
        what,
        format!("for {days} days; secret-rotation renews it"),
    );
    Ok(())
}

/// Whether the registration has no secret of this key id. One that a person stored has none beside it; and one that was added a
/// moment ago may not be listed yet.
async fn is_foreign(own: Option<&OwnApp>, key: Option<&str>, is_new: bool) -> bool {
    let (Some(own), Some(key)) = (own, key) else {
        return false;
    };
    let passwords = own.passwords().await.unwrap_or_default();
    let has_it = passwords
        .iter()
        .any(|it| it.key_id.eq_ignore_ascii_case(key));
    is_new || (!passwords.is_empty() && !has_it)
}
